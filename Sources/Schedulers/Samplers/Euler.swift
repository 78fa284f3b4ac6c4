/// Euler's method on the probability-flow ODE dx̄/dσ = (x̄ − x̂0)/σ, with x̄ = x/signal.
///
///     x̄' = x̄ + (σ' − σ)·(x̄ − x̂0)/σ
///     x' = noise'/noise·x + (signal' − signal·noise'/noise)·x̂0
///
/// The second line is the first multiplied out; it exists where there is no signal too.
///
/// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), equations 3 and 4, algorithm 1
/// without its correction.
public struct Euler: Sampler {
  public init() {}

  public func moves(over grid: SamplingGrid) -> [Move] {
    grid.intervals.map { from, to in
      let next = Self.step(from: from.level, to: to.level, denoised: .estimate())
      return Move(at: from, to: to.level, estimate: .x0, next: next)
    }
  }

  /// The step with a given form for x̂0: exact wherever x̂0 does not change on the way.
  package static func step(
    from: NoiseLevel, to: NoiseLevel, denoised: LinearForm, sample: LinearForm = .sample
  ) -> LinearForm {
    let (from, to) = (from.exact, to.exact)
    let ratio = to.noise / from.noise
    return ratio * sample + (to.signal - from.signal * ratio) * denoised
  }

  /// The same step along an estimate of the noise.
  static func step(from: NoiseLevel, to: NoiseLevel, noise: LinearForm) -> LinearForm {
    let (from, to) = (from.exact, to.exact)
    return to.signal * (LinearForm.sample / from.signal + (to.sigma - from.sigma) * noise)
  }

  static let entry = SamplerCatalog.Entry(
    name: "euler", title: "Euler", sampler: Euler(), order: 1, source: "https://arxiv.org/abs/2206.00364",
    use: "to begin a port: the simplest method there is")
}
