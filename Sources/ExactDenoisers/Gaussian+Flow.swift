import Schedulers

extension Gaussian {
  /// Carries samples along the probability-flow ODE from one level to another, exactly and in one
  /// step, in either direction.
  ///
  ///     x' = signal'·μ + Σ_k g_k·u_k·u_kᵀ·(x − signal·μ)
  ///     g_k = √((signal'²·λ_k + noise'²)/(signal²·λ_k + noise²))
  ///
  /// In x̄ = x/signal and σ the ODE is dx̄/dσ = −σ·∇ln p(x̄; σ) with p = N(μ, Σ + σ²·I). So each
  /// coordinate c = u_kᵀ(x̄ − μ) has dc/dσ = σ/(λ_k + σ²)·c, and c/√(λ_k + σ²) stays as it is.
  /// Multiplied by the signal that is the formula, which holds where the signal is 0 too, as the
  /// limit.
  ///
  /// This is what every sampler that draws no noise converges to.
  ///
  /// - Parameters:
  ///   - sample: samples at the first level, of `dimension` scalars each.
  ///   - from: where they are. Without noise there, what a sample has in a direction without
  ///     variance cannot come from the distribution, and is dropped.
  ///   - to: where they go.
  /// - Precondition: the samples have `dimension` scalars.
  /// - Accuracy: about dimension·2⁻⁵² relative to |x|, then rounded to `Scalar`.
  ///
  /// Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 1, for the ODE; Song et
  /// al. 2021, https://arxiv.org/abs/2011.13456, equation 13, where it comes from.
  public func flow(_ sample: SampleBatch<Scalar>, from: NoiseLevel, to: NoiseLevel) -> SampleBatch<Scalar> {
    checkSize(of: sample)
    let factors = zip(basis.deviations(at: from), basis.deviations(at: to)).map { $0 > 0 ? $1 / $0 : 0 }
    let carried = Tiles.map(sample.doubles, dimension: dimension) { tile, _ in
      basis.samples(basis.coordinates(of: tile, signal: from.signal), times: factors, signal: to.signal)
    }
    return SampleBatch(doubles: carried, like: sample)
  }
}
