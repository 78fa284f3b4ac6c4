/// Noise levels for training rectified flow: times with heavy tails around a mode, t = σ/(1 + σ).
///
///     t(u) = u − scale·(sin²(π·u/2) − u)
///
/// Above 0 the scale prefers the middle, below 0 the ends; 0 draws uniform times.
///
/// - Accuracy: σ within 16·2⁻⁵² of itself.
///
/// Source: [Esser et al. 2024](https://arxiv.org/abs/2403.03206), section 3.1, mode sampling with
/// heavy tails, whose u is 1 − u here; diffusers' `compute_density_for_timestep_sampling`, `mode`.
public struct ModeSigma: SigmaDistribution {
  /// How much the middle is preferred, s.
  public let scale: Double

  /// The distribution of a scale; 1.29 is that of diffusers' training scripts.
  ///
  /// - Throws: `TimestepSamplingError` unless the scale is in [−1, 2/(π − 2)], beyond which times
  ///   do not grow with u.
  public init(scale: Double = 1.29) throws(TimestepSamplingError) {
    try checkParameter("scale", scale, scale >= -1 && scale <= Self.largest, "in -1 ... \(Self.largest)")
    self.scale = scale
  }

  private static let largest = 2 / (Double.pi - 2)

  public func sigma(at share: Double) -> Double { time(at: share) / time(at: 1 - share) }

  /// t. What is left of 1 is the time of 1 − u.
  private func time(at share: Double) -> Double {
    let sine = Math.sin(.pi / 2 * share)
    return (1 + scale) * share - scale * sine * sine
  }
}
