/// Probabilities of the standard normal distribution.
enum StandardNormal {
  /// Φ(z), the probability of a number below z.
  static func below(_ z: Double) -> Double { 0.5 * Math.erfc(-z * 0.5.squareRoot()) }

  /// The probability of a number between a and b ≥ a, from the tail they lie in.
  ///
  /// - Accuracy: within 2⁻⁵¹.
  static func between(_ a: Double, _ b: Double) -> Double {
    a > 0 ? below(-a) - below(-b) : below(b) - below(a)
  }

  /// Φ⁻¹(u) for u in [2⁻⁵³, 1 − 2⁻⁵³].
  ///
  /// Newton's method on ln Φ(x) = ln u for the lower half, the upper by symmetry. ln Φ is concave and Φ(x) ≤ exp(−x²/2)/2, so from
  /// x = −√(−2·ln u) every step goes up and none passes the root. Each squares the error: from anywhere in the range the fourth is
  /// within 1e-7, and the sixth as near as rounding lets it be.
  ///
  /// - Accuracy: within 2⁻⁴⁸.
  static func quantile(_ u: Double) -> Double {
    if u > 0.5 { return -quantile(1 - u) }
    var x = -(-2 * Math.log(u)).squareRoot()
    for _ in 0..<6 {
      let below = below(x)
      let density = Math.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
      x -= Math.log(below / u) * below / density
    }
    return x
  }
}
