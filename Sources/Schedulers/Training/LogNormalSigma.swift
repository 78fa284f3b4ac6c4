/// Noise levels for training on a continuum: ln σ ~ N(mean, deviation²).
///
/// ```swift
/// let sigmas = try LogNormalSigma().draw(count: 64, using: &generator)
/// let levels = sigmas.map { NoiseLevel(signal: 1, noise: $0) }
/// ```
///
/// There is no uniform distribution of σ to be unbiased to: the draws are part of the objective,
/// and weigh 1 beside `LossWeighting.edm`. With mean 0 and deviation 1, t = σ/(1 + σ) is the
/// logit-normal time of Esser et al. 2024 on the flow path.
///
/// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), table 1, noise distribution.
public struct LogNormalSigma: SigmaDistribution {
  /// The mean of ln σ, P_mean.
  public let mean: Double
  /// The standard deviation of ln σ, P_std; above 0.
  public let deviation: Double

  /// The distribution of a mean and a deviation of ln σ; Karras et al. train with −1.2 and 1.2.
  ///
  /// - Throws: `TimestepSamplingError` if the deviation is not above 0, or a sigma could leave the
  ///   range of Double: for that, |mean| + 8.3·deviation must not pass 700.
  public init(mean: Double = -1.2, deviation: Double = 1.2) throws(TimestepSamplingError) {
    guard deviation > 0, deviation <= 80 else {
      throw .parameter("deviation", deviation, allowed: "above 0 and at most 80")
    }
    let largest = 700 - 8.3 * deviation
    guard abs(mean) <= largest else {
      throw .parameter("mean", mean, allowed: "in \(-largest) ... \(largest) at a deviation of \(deviation.plain)")
    }
    (self.mean, self.deviation) = (mean, deviation)
  }

  /// The distribution where the log-SNR, ln(signal²/noise²), is normal with a mean and a deviation.
  ///
  /// `logSNR(mean: -6, deviation: 2)` on the flow path is the SNR sampler of Choi et al. 2024,
  /// <https://arxiv.org/abs/2411.14793>, for fine-tuning to a style; `logsnr` of musubi-tuner's
  /// `--timestep_sampling`.
  ///
  /// - Throws: `TimestepSamplingError` as of ln σ = −½·log-SNR.
  public static func logSNR(mean: Double, deviation: Double) throws(TimestepSamplingError) -> LogNormalSigma {
    try LogNormalSigma(mean: -mean / 2, deviation: deviation / 2)
  }

  /// The sigma that a share of all draws is below, by the inverse of the normal distribution
  /// function.
  ///
  /// - Returns: for numbers of a generator a sigma above 0, with ln σ within 8.3 deviations of the
  ///   mean.
  /// - Accuracy: ln σ within deviation·2⁻⁴⁸ and its own rounding.
  public func sigma(at share: Double) -> Double { Math.exp(mean + deviation * StandardNormal.quantile(share)) }

  /// The probability that ln σ lies between each bound and the next.
  func probabilities(between bounds: [Double]) -> [Double] {
    let standard = bounds.map { ($0 - mean) / deviation }
    return zip(standard, standard.dropFirst()).map(StandardNormal.between)
  }
}
