/// The distribution on 0 ... 1 with a density proportional to x^(alpha − 1)·(1 − x)^(beta − 1).
package struct BetaDistribution {
  var alpha, beta: Double

  package init(alpha: Double, beta: Double) { (self.alpha, self.beta) = (alpha, beta) }

  /// The range of both for which the accuracy of the quantiles was tested.
  static let parameters = 0.1...10.0

  func validate() throws(GridError) {
    for (name, value) in [("alpha", alpha), ("beta", beta)] where !Self.parameters.contains(value) {
      throw .parameter(name, value, allowed: "in \(Self.parameters.lowerBound) ... \(Self.parameters.upperBound.plain)")
    }
  }

  /// The quantiles of 1, 1 − 1/(count − 1), ..., 0, largest first; that of 1 where `count` is 1.
  package func spaced(_ count: Int) -> [(x: Double, rest: Double)] {
    (0..<count).map { i in
      if i == 0 { return (1, 0) }
      if i == count - 1 { return (0, 1) }
      let whole = Double(count - 1)
      return quantile(Double(count - 1 - i) / whole, complement: Double(i) / whole)
    }
  }

  /// The same in about 27 digits: one step of Newton's method more, in two Doubles.
  func exactlySpaced(_ count: Int) -> [(x: DoubleDouble, rest: DoubleDouble)] {
    let mirrored = BetaDistribution(alpha: beta, beta: alpha)
    let (lower, upper) = (exactlyBelow(DoubleDouble(0.5)), mirrored.exactlyBelow(DoubleDouble(0.5)))
    return spaced(count).enumerated().map { i, pair in
      if pair.x == 0 || pair.rest == 0 { return (DoubleDouble(pair.x), DoubleDouble(pair.rest)) }
      let isLower = pair.x <= pair.rest
      let share = DoubleDouble(Double(isLower ? count - 1 - i : i)) / Double(count - 1)
      let x = (isLower ? self : mirrored).polished(min(pair.x, pair.rest), target: (lower + upper) * share)
      return isLower ? (x, 1 - x) : (1 - x, x)
    }
  }

  /// The x up to which the integral is `target`, from one that is right as a Double.
  private func polished(_ x: Double, target: DoubleDouble) -> DoubleDouble {
    let excess = (exactlyBelow(DoubleDouble(x)) / target - 1).high
    return DoubleDouble(x) - DoubleDouble(x) * (excess / below(x).elasticity)
  }

  /// The value of `below` in about 28 digits.
  private func exactlyBelow(_ x: DoubleDouble) -> DoubleDouble {
    var (term, sum, n) = (DoubleDouble(1), DoubleDouble(1), 0.0)
    while term.high > sum.high * 0x1p-100 {
      term = term * ((DoubleDouble(sum: alpha, beta) + n) / (DoubleDouble(sum: alpha, 1) + n)) * x
      sum += term
      n += 1
    }
    return x.power(DoubleDouble(alpha)) * (1 - x).power(DoubleDouble(beta)) / alpha * sum
  }

  /// The x below which a share p of the distribution lies, and 1 − x.
  ///
  /// - Parameters:
  ///   - p: above 0 and below 1.
  ///   - complement: 1 − p, whose digits matter where p is near 1.
  /// - Accuracy: the smaller of x and 1 − x within 256·2⁻⁵³ times 1 + 1/e, where the share grows by
  ///   e percent with one percent of it.
  func quantile(_ p: Double, complement: Double) -> (x: Double, rest: Double) {
    let mirrored = BetaDistribution(alpha: beta, beta: alpha)
    let whole = below(0.5).value + mirrored.below(0.5).value
    if p * whole <= below(0.5).value {
      let x = solve(p * whole)
      return (x, 1 - x)
    }
    let rest = mirrored.solve(complement * whole)
    return (1 - rest, rest)
  }

  /// The integral of the density, without its constant, from 0 to x ≤ ½, and d ln(value)/d ln(x).
  ///
  ///     B_x(a, b) = x^a·(1 − x)^b/a·Σ (a + b)ₙ/(a + 1)ₙ·xⁿ
  ///
  /// All terms are positive, so that none cancel. Source: DLMF, <https://dlmf.nist.gov/8.17.E8>.
  private func below(_ x: Double) -> (value: Double, elasticity: Double) {
    var (term, sum, n) = (1.0, 1.0, 0.0)
    while term > sum * 0x1p-56 {
      term *= (alpha + beta + n) / (alpha + 1 + n) * x
      sum += term
      n += 1
    }
    return (Math.pow(x, alpha) * Math.pow(1 - x, beta) / alpha * sum, alpha / ((1 - x) * sum))
  }

  /// The x ≤ ½ up to which the integral is `target`, by Newton's method on the logarithms of both.
  ///
  /// The elasticity rises with x for beta below 1 and falls for beta above. The first guess, the
  /// answer for small x, is on the side from which Newton's steps never pass the answer.
  private func solve(_ target: Double) -> Double {
    var x = min(Math.pow(alpha * target, 1 / alpha), 0.5)
    for _ in 0..<100 {
      let (value, elasticity) = below(x)
      let step = Math.log(value / target) / elasticity
      x = min(x * Math.exp(-step), 0.5)
      if abs(step) <= 0x1p-50 { break }
    }
    return x
  }
}
