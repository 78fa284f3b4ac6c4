/// The Gaussian q(x_s | x_t, x_0) of an earlier sample between a later one and the data.
///
/// With a = signal_t/signal_s and σ² = noise_t² − a²·noise_s², the forward step's variance,
///
///     mean     = signal_s·σ²/noise_t² · x_0  +  a·noise_s²/noise_t² · x_t
///     variance = σ²·noise_s²/noise_t²
///
/// For neighbouring timesteps of a variance-preserving process these are equation 7 of [Ho et al.
/// 2020](https://arxiv.org/abs/2006.11239); for any two levels, [Kingma et al.
/// 2021](https://arxiv.org/abs/2107.00630), appendix A.
///
/// - Accuracy: each within 1 ulp of what the levels know.
public struct Posterior: Hashable, Sendable {
  /// The level of x_t, the noisier one.
  public let from: NoiseLevel
  /// The level of x_s, the cleaner one.
  public let to: NoiseLevel

  /// The posterior between two levels.
  ///
  /// - Precondition: `from` is at least as noisy as `to`, `from` has noise, and `to` has signal.
  public init(from: NoiseLevel, to: NoiseLevel) {
    stop(
      unless: from.noise > 0 && to.signal > 0 && from.sigma >= to.sigma,
      "a posterior goes from a noisy level to a cleaner one; got sigma \(from.sigma) to \(to.sigma)")
    (self.from, self.to) = (from, to)
  }

  /// The variance of the forward step, q(x_t | x_s); β_t where s = t−1.
  public var forwardVariance: Double { exact.forwardVariance.rounded }
  /// The variance of the posterior, β̃_t where s = t−1.
  public var variance: Double { exact.variance.rounded }
  /// The factor of x_0 in the mean.
  public var x0Coefficient: Double { exact.x0Coefficient.rounded }
  /// The factor of x_t in the mean.
  public var sampleCoefficient: Double { exact.sampleCoefficient.rounded }
}

extension Posterior {
  /// The same numbers in about 32 digits.
  struct Exact {
    let forwardVariance, variance, x0Coefficient, sampleCoefficient: DoubleDouble

    fileprivate init(from: NoiseLevel.Exact, to: NoiseLevel.Exact) {
      // σ_s/σ_t, in [0, 1], and 1 − (σ_s/σ_t)²: the part of x_t's noise that was added after s.
      let ratio = min(DoubleDouble(1), (to.noise * from.signal) / (to.signal * from.noise))
      let added = (1 - ratio) * (1 + ratio)
      forwardVariance = from.noise * from.noise * added
      variance = to.noise * to.noise * added
      x0Coefficient = to.signal * added
      sampleCoefficient = to.noise / from.noise * ratio
    }
  }

  var exact: Exact { Exact(from: from.exact, to: to.exact) }
}
