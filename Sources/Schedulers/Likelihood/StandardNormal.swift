/// Probabilities of the standard normal distribution.
enum StandardNormal {
  /// φ(0) = 1/√(2π).
  static let peak = 1 / (2 * Double.pi).squareRoot()
  /// φ(z), the density at z.
  static func density(_ z: Double) -> Double { peak * Math.exp(-z * z / 2) }
  /// Φ(z), the probability of a number below z.
  static func below(_ z: Double) -> Double { above(-z) }
  /// Q(z) = 1 − Φ(z), the probability of a number above z.
  static func above(_ z: Double) -> Double { Math.erfc(z * 0.5.squareRoot()) / 2 }

  /// The probability of a number between a and b ≥ a, from the tail they lie in.
  ///
  /// - Accuracy: within 2⁻⁵¹.
  static func between(_ a: Double, _ b: Double) -> Double { a > 0 ? below(-a) - below(-b) : below(b) - below(a) }

  /// Φ⁻¹(u) for u in [2⁻⁵³, 1 − 2⁻⁵³].
  ///
  /// Newton's method on ln Φ(x) = ln u for the lower half, the upper by symmetry. ln Φ is concave
  /// and Φ(x) ≤ exp(−x²/2)/2, so from x = −√(−2·ln u) every step goes up and none passes the root.
  /// Each squares the error: the fourth is within 1e-7 everywhere, the sixth within rounding.
  ///
  /// - Accuracy: within 2⁻⁴⁸.
  static func quantile(_ u: Double) -> Double {
    if u > 0.5 { return -quantile(1 - u) }
    var x = -(-2 * Math.log(u)).squareRoot()
    for _ in 0..<6 {
      let below = below(x)
      x -= Math.log(below / u) * below / density(x)
    }
    return x
  }
}
