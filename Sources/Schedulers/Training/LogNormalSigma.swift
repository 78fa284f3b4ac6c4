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
public struct LogNormalSigma: Hashable, Sendable {
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

  /// Independent sigmas, 0 or more, each by the inverse of the normal distribution function from
  /// one number of the generator.
  ///
  /// - Returns: sigmas above 0, with ln σ within 8.3 deviations of the mean.
  /// - Accuracy: ln σ within deviation·2⁻⁴⁸ and its own rounding.
  public func draw(count: Int, using generator: inout some RandomNumberGenerator) -> [Double] {
    stop(unless: count >= 0, "\(count) sigmas cannot be drawn; ask for 0 or more")
    return (0..<count).map { _ in sigma(at: generator.uniform()) }
  }

  /// The sigma that a share u of all is below.
  func sigma(at u: Double) -> Double { Math.exp(mean + deviation * StandardNormal.quantile(u)) }

  /// The probability that ln σ lies between each bound and the next.
  func probabilities(between bounds: [Double]) -> [Double] {
    let standard = bounds.map { ($0 - mean) / deviation }
    return zip(standard, standard.dropFirst()).map(StandardNormal.between)
  }
}
