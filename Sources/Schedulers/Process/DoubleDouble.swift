/// An unevaluated sum `high + low` of two Doubles, with about 32 significant decimal digits.
///
/// The tables of a schedule subtract numbers that are nearly equal (1 − ᾱ at the start, 2ᾱ − 1
/// where signal and noise balance). In this type they are right to the last bit or the one before.
///
/// Invariant: `high` is the sum rounded to nearest, so `abs(low) <= ulp(high) / 2`.
///
/// Every operation has a relative error below 2⁻¹⁰⁰ where its result neither overflows nor comes
/// near underflow. Source: Dekker 1971, https://doi.org/10.1007/BF01397083; Hida, Li and Bailey
/// 2001, https://doi.org/10.1109/ARITH.2001.930115.
struct DoubleDouble: Hashable, Sendable {
  var high, low: Double

  init(_ high: Double, low: Double = 0) { (self.high, self.low) = (high, low) }

  /// The exact sum of two Doubles (Knuth's two-sum).
  init(sum a: Double, _ b: Double) {
    high = a + b
    let bRounded = high - a
    low = (a - (high - bRounded)) + (b - bRounded)
  }

  /// The exact sum of two Doubles, the larger in magnitude first (Dekker's fast two-sum).
  private init(larger a: Double, smaller b: Double) {
    high = a + b
    low = b - (high - a)
  }

  /// The exact product of two Doubles.
  init(product a: Double, _ b: Double) {
    high = a * b
    low = (-high).addingProduct(a, b)
  }

  /// The nearest Double.
  var rounded: Double { high }

  static prefix func - (x: Self) -> Self { Self(-x.high, low: -x.low) }

  static func + (x: Self, y: Self) -> Self {
    let highs = Self(sum: x.high, y.high)
    let lows = Self(sum: x.low, y.low)
    let first = Self(larger: highs.high, smaller: highs.low + lows.high)
    return Self(larger: first.high, smaller: first.low + lows.low)
  }

  static func - (x: Self, y: Self) -> Self { x + -y }

  static func * (x: Self, y: Self) -> Self {
    let product = Self(product: x.high, y.high)
    return Self(larger: product.high, smaller: product.low + (x.high * y.low + x.low * y.high))
  }

  static func / (x: Self, y: Self) -> Self {
    let first = x.high / y.high
    guard first.isFinite, first != 0 else { return Self(first) }
    let remainder = x - y * Self(first)
    let second = remainder.high / y.high
    let third = (remainder - y * Self(second)).high / y.high
    return Self(larger: first, smaller: second) + Self(third)
  }

  static func + (x: Self, y: Double) -> Self { x + Self(y) }
  static func - (x: Double, y: Self) -> Self { Self(x) - y }
  static func * (x: Self, y: Double) -> Self {
    let product = Self(product: x.high, y)
    return Self(larger: product.high, smaller: product.low + x.low * y)
  }
  static func / (x: Self, y: Double) -> Self { x / Self(y) }

  /// The square root of a number that is not negative.
  func squareRoot() -> Self {
    guard high > 0 else { return Self(high) }
    let first = high.squareRoot()
    let remainder = self - Self(product: first, first)
    return Self(larger: first, smaller: remainder.high / (2 * first))
  }
}

extension DoubleDouble {
  /// π, to 107 bits.
  static let pi = Self(sum: 0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53)
  /// The natural logarithm of 2, to 107 bits.
  static let ln2 = Self(sum: 0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56)

  /// The natural logarithm as a Double: −∞ at 0, and elsewhere an error below 0.51 ulps, for
  /// numbers between 1e-300 and 1e300.
  ///
  /// One step of Newton's method from the C library's y, ln x = y + ln(x·e^−y), whose last
  /// logarithm is that of a number near 1.
  func log() -> Double {
    guard high > 0 else { return -.infinity }
    let d = self - Self(1)
    if abs(d.high) < 0x1p-21 { return d.log1p() }
    let near = Math.log(high)
    return near + (self * Self(-near).exp() - Self(1)).high
  }

  /// ln(1 + x) as a Double, as precise: of a number near 0 by the first three terms of its series,
  /// of which x³/4 is left out.
  func log1p() -> Double {
    guard abs(high) < 0x1p-21 else { return (self + 1).log() }
    return high + (low - high * high * (0.5 - high / 3))
  }

  /// 1/n! for n in 0 ... 16.
  private static let reciprocalFactorials = (1...16).reduce(into: [Self(1)]) { terms, n in
    terms.append(terms[n - 1] / Double(n))
  }

  /// The exponential function, for arguments between −700 and 700.
  ///
  /// exp(x) = 2ⁿ·exp(r/16)¹⁶ with |r| ≤ ln(2)/2, and exp(r/16) by its Taylor series.
  func exp() -> Self {
    let exponent = (high / Self.ln2.high).rounded()
    let r = (self - Self.ln2 * exponent) / 16
    let terms = Self.reciprocalFactorials
    var sum = terms[16]
    for n in stride(from: 15, through: 0, by: -1) { sum = sum * r + terms[n] }
    for _ in 0..<4 { sum = sum * sum }
    return sum * Double(sign: .plus, exponent: Int(exponent), significand: 1)
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
}
