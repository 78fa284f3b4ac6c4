/// Noise levels for training on a continuum: ln σ is uniform between two bounds.
///
///     σ(u) = σ_min·(σ_max/σ_min)^u
///
/// - Accuracy: ln σ within 2⁻⁵¹ of the larger |ln| of the bounds, and its own rounding.
///
/// Source: k-diffusion's `rand_log_uniform`, <https://github.com/crowsonkb/k-diffusion>.
public struct LogUniformSigma: SigmaDistribution {
  /// The smallest sigma and the largest.
  public let range: ClosedRange<Double>

  /// The distribution between two sigmas.
  ///
  /// - Throws: `TimestepSamplingError` unless they are above 0, finite, and not the same.
  public init(_ range: ClosedRange<Double>) throws(TimestepSamplingError) {
    try checkSigmas(range)
    self.range = range
  }

  public func sigma(at share: Double) -> Double {
    Math.exp((1 - share) * Math.log(range.lowerBound) + share * Math.log(range.upperBound))
  }
}
