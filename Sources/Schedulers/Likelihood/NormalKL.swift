/// The Kullback–Leibler divergence of one normal distribution from another, with its derivatives.
///
/// With d = l₁ − l₂ the difference of the log variances,
///
///     KL(N(m₁, e^l₁) ‖ N(m₂, e^l₂)) = ½·(e^d − 1 − d  +  (m₁ − m₂)²·e^−l₂)
///
/// in nats. The first part is computed without the cancellation that it has near d = 0, so that a
/// network whose variance is almost right still sees how far it is.
///
/// - Accuracy: the value is within (16 + 2·abs(d))·2⁻⁵³ of itself, the derivative by the mean
///   within 8·2⁻⁵³; that by the log variance, a sum of two parts, within (12 + 2·abs(d))·2⁻⁵³ of
///   the larger. Ranges: d below 709, where e^d overflows; log variances in −1400 ... 1400.
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equation 5; guided-diffusion's
/// `normal_kl`.
public struct NormalKL: Hashable, Sendable {
  /// The divergence in nats, 0 or more.
  public let value: Double
  /// The derivative with respect to the second mean, (m₂ − m₁)·e^−l₂.
  public let meanGradient: Double
  /// The derivative with respect to the second log variance, ½·(1 − e^d − (m₁ − m₂)²·e^−l₂).
  public let logVarianceGradient: Double

  /// The divergence of N(mean1, e^logVariance1), in training the posterior, from N(mean2,
  /// e^logVariance2), the network's distribution.
  public init(mean1: Double, logVariance1: Double, mean2: Double, logVariance2: Double) {
    let d = logVariance1 - logVariance2
    let growth = Math.expm1(d)
    // The root of e^−l₂ has twice its range of log variances.
    let root = Math.exp(-logVariance2 / 2)
    let distance = (mean2 - mean1) * root
    let square = distance * distance
    value = (Self.excess(d, growth: growth) + square) / 2
    meanGradient = distance * root
    logVarianceGradient = -(growth + square) / 2
  }

  /// e^d − 1 − d.
  ///
  /// Beyond 1 the difference loses a factor of (|e^d − 1| + |d|)/(e^d − 1 − d) ≤ 4.5. Within, it is
  /// d² times the series of 1/2! + d/3! + d²/4! + …, of which 18 terms leave 1/20!, 2⁻⁶¹.
  private static func excess(_ d: Double, growth: Double) -> Double {
    guard abs(d) < 1 else { return growth - d }
    var sum = 1.0
    for n in stride(from: 19, through: 3, by: -1) { sum = 1 + sum * d / Double(n) }
    return d * d * sum / 2
  }
}
