/// How often each sigma is drawn in training on a continuum of noise levels.
///
/// | type | who trains by it |
/// |---|---|
/// | `LogNormalSigma` | EDM; rectified flow with logit-normal times |
/// | `LogUniformSigma` | k-diffusion |
/// | `LogLogisticSigma` | k-diffusion; rectified flow with uniform times |
/// | `CosineInterpolatedSigma` | k-diffusion, after simple diffusion |
/// | `ModeSigma` | Stable Diffusion 3's `mode` |
/// | `ShiftedSigma` | any of these, moved as `FlowShift` moves times |
///
/// ```swift
/// let times = LogNormalSigma(mean: 0, deviation: 1)
/// let shifted = try ShiftedSigma(times, shift: .fixed(3))
/// let sigmas = shifted.draw(count: 64, using: &generator)
/// let levels = sigmas.map { NoiseLevel.flow(sigma: $0) }
/// let x = levels.mix(x0, with: epsilon)
/// ```
///
/// There is no uniform distribution of σ to be unbiased to: the draws are part of the objective.
public protocol SigmaDistribution: Hashable, Sendable {
  /// The sigma that a share of all draws is below: the inverse of the distribution function.
  ///
  /// - Parameter share: above 0 and below 1.
  func sigma(at share: Double) -> Double
}

extension SigmaDistribution {
  /// Independent sigmas, 0 or more, each from one number of the generator.
  ///
  /// - Precondition: the count is not negative.
  public func draw(count: Int, using generator: inout some RandomNumberGenerator) -> [Double] {
    stop(unless: count >= 0, "\(count) sigmas cannot be drawn; ask for 0 or more")
    return (0..<count).map { _ in sigma(at: generator.uniform()) }
  }
}

extension NoiseLevel {
  /// The level of rectified flow with a given `sigma`: signal = 1/(1 + σ), noise = σ/(1 + σ).
  ///
  /// The noise is the time t, and σ is t/(1 − t).
  ///
  /// - Parameter sigma: noise/signal, from 0 (data) on; finite.
  /// - Accuracy: both factors within 1 ulp.
  ///
  /// Source: [Liu et al. 2022](https://arxiv.org/abs/2209.03003), section 2.1.
  public static func flow(sigma: Double) -> NoiseLevel {
    stop(unless: sigma >= 0 && sigma.isFinite, "sigma must be 0 or more and finite; got \(sigma)")
    let sum = 1 + DoubleDouble(sigma)
    return NoiseLevel(Exact(signal: 1 / sum, noise: DoubleDouble(sigma) / sum))
  }
}

/// Throws unless a parameter of a distribution is allowed.
func checkParameter(
  _ name: String, _ value: Double, _ isAllowed: Bool, _ allowed: String
) throws(TimestepSamplingError) {
  guard isAllowed else { throw .parameter(name, value, allowed: allowed) }
}

/// Throws unless sigmas can range so.
func checkSigmas(_ range: ClosedRange<Double>) throws(TimestepSamplingError) {
  try checkParameter("the smallest sigma", range.lowerBound, range.lowerBound > 0, "above 0")
  try checkParameter(
    "the largest sigma", range.upperBound, range.upperBound.isFinite && range.upperBound > range.lowerBound,
    "finite and above the smallest, \(range.lowerBound.plain)")
}
