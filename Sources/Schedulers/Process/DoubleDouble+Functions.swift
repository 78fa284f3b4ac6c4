extension DoubleDouble {
  /// π, to 107 bits.
  static let pi = Self(sum: 0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53)
  /// The natural logarithm of 2, to 107 bits.
  static let ln2 = Self(sum: 0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56)

  private static let sixth = 1 / Self(6)
  private static let twentyFourth = 1 / Self(24)

  /// 2^(j/256) for j in 0 ..< 256, each a product of at most eight roots of 2.
  private static let rootsOfTwo: [Self] = {
    var (powers, root) = ([Self(1)], Self(2))
    var roots: [Self] = []
    for _ in 0..<8 {
      root = root.squareRoot()
      roots.append(root)
    }
    // The roots of the lowest bits first.
    for root in roots.reversed() { powers += powers.map { $0 * root } }
    return powers
  }()

  /// The exponential function; 0 and ∞ where it is beyond the range of Doubles.
  ///
  /// exp(x) = 2^(n/256)·exp(r) with |r| ≤ ln(2)/512: a power of two, a table, and the Taylor
  /// series, whose terms from r⁵ on are summed as Doubles.
  ///
  /// - Accuracy: relative error below 2⁻⁹⁸ for |x| ≤ 1, and below 2⁻⁹⁵ elsewhere.
  package func exp() -> Self {
    guard high > -746, high < 709.79 else { return Self(Math.exp(high)) }
    let n = Int(high * (256 / Self.ln2.high) + (high < 0 ? -0.5 : 0.5))
    let r = self - Self.ln2 * (Double(n) / 256)
    let x = r.high
    let tail = (1.0 / 120 + x * (1.0 / 720 + x * (1.0 / 5040 + x * (1.0 / 40320 + x / 362880)))) * x
    // A term and the rest of the series, which is smaller.
    func sum(_ term: Self, _ rest: Self) -> Self {
      let highs = Self(larger: term.high, smaller: rest.high)
      return Self(larger: highs.high, smaller: highs.low + (term.low + rest.low))
    }
    var series = sum(Self.twentyFourth, Self(tail))
    series = sum(Self.sixth, series * r)
    series = sum(Self(0.5), series * r)
    series = sum(Self(1), series * r)
    series = sum(Self(1), series * r)
    let (power, index) = (n >> 8, n & 255)
    let scale =
      power > -1023 && power < 1024
      ? Double(bitPattern: UInt64(power + 1023) << 52) : Double(sign: .plus, exponent: power, significand: 1)
    return series * Self.rootsOfTwo[index] * scale
  }

  /// The natural logarithm: −∞ at 0, NaN below.
  ///
  /// One step of Newton's method from the C library's y: ln x = y + ln(x·e^−y), whose last
  /// logarithm is that of a number so near to 1 that it is the distance from it.
  ///
  /// - Accuracy: within 2⁻⁹⁵ of the result or of 1, whichever is larger.
  package func log() -> Self {
    guard high > 0, high.isFinite else { return Self(Math.log(high)) }
    // So that e^−y is a number.
    if high < 0x1p-960 { return (self * 0x1p512).log() - Self.ln2 * 512 }
    if high > 0x1p960 { return (self * 0x1p-512).log() + Self.ln2 * 512 }
    let d = self - 1
    if abs(d.high) < 0x1p-21 { return d.log1p() }
    let near = Math.log(high)
    let ratio = self * Self(-near).exp()
    return Self(larger: near, smaller: (ratio.high - 1) + ratio.low)
  }

  /// ln(1 + x): of a number near 0 by the first terms of its series, with a relative error below
  /// 2⁻⁸⁰; of others as `log`.
  package func log1p() -> Self {
    guard abs(high) < 0x1p-21 else { return (self + 1).log() }
    let square = self * self
    return self - square * 0.5 + (square * self) * (1 / Self(3)) - square * square * 0.25
  }

  /// This number, 0 or more, to a power.
  ///
  /// - Accuracy: that of `exp` and of `log` times the exponent.
  package func power(_ exponent: Self) -> Self {
    if exponent.high == 0 { return Self(1) }
    if high == 0 || !high.isFinite { return Self(Math.pow(high, exponent.high)) }
    return (log() * exponent).exp()
  }

  /// The sine of an angle between 0 and π/2, with a relative error below 2⁻⁹⁵ for small angles too.
  ///
  /// The series at x/8, then sin 2y = 2·sin y·cos y three times, by 1 − cos y: nothing cancels.
  func sin() -> Self {
    let y = self / 8
    let square = y * y
    var (series, versine) = (Self(1), Self(1))
    for k in stride(from: 24.0, through: 2, by: -2) {
      series = 1 - series * square / (k * (k + 1))
      versine = 1 - versine * square / ((k + 1) * (k + 2))
    }
    var (sine, oneMinusCosine) = (y * series, square / 2 * versine)
    for _ in 0..<3 { (sine, oneMinusCosine) = (sine * (1 - oneMinusCosine) * 2, sine * sine * 2) }
    return sine
  }

  /// The tangent of an angle of 0 or more and below π/2: sin x/sin(π/2 − x).
  func tan() -> Self { sin() / (Self.pi / 2 - self).sin() }

  /// The angle between 0 and π/2 whose tangent is this number, 0 or more.
  ///
  /// Two steps of Newton's method from the C library's angle, each of which squares its error.
  func arctangent() -> Self {
    var angle = Self(Math.atan2(high, 1))
    for _ in 0..<2 {
      let tangent = angle.tan()
      angle += (self - tangent) / (1 + tangent * tangent)
    }
    return angle
  }
}
