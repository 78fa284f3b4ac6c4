/// Noise levels for training, moved as `FlowShift` moves the times of a grid: s·σ.
///
/// ```swift
/// // Flux: logit-normal times, shifted by the picture's size.
/// let mu = DynamicShift.flux.mu(tokens: width / 16 * (height / 16))
/// let law = try LogNormalSigma(mean: 0, deviation: 1)
/// let shifted = try ShiftedSigma(law, shift: .dynamic(.flux), mu: mu)
/// ```
///
/// A network that is sampled with a shift should be trained with it.
///
/// Source: [Esser et al. 2024](https://arxiv.org/abs/2403.03206), equation 23; `shift` and
/// `flux_shift` of kohya's `--timestep_sampling`, <https://github.com/kohya-ss/sd-scripts>.
public struct ShiftedSigma<Base: SigmaDistribution>: SigmaDistribution {
  /// What is moved.
  public let base: Base
  /// s.
  public let factor: Double

  /// A distribution that is moved.
  ///
  /// - `mu`: needed by a dynamic shift alone.
  /// - Throws: `GridError` as `FlowShift.factor(mu:)`.
  public init(_ base: Base, shift: FlowShift, mu: Double? = nil) throws(GridError) {
    self.base = base
    factor = try shift.factor(mu: mu)
  }

  public func sigma(at share: Double) -> Double { factor * base.sigma(at: share) }
}
