/// Steps of sigma along a combination of the last two ε̂, with the fresh noise that mu asks for.
///
///     x̄' = x̄ − (σ − σ_p)·(γ·ε̂ + (1 − γ)·ε̂₋) + √(σ'² − σ_p²)·z
///     σ' = σ^mu·σ_p^(1 − mu),    with x̄ = x/signal
///
/// | gamma | mu | it is |
/// |---|---|---|
/// | 1 | 0 | `Euler`, and DDIM with eta 0 |
/// | 1 | ½ | `DDPM`, and DDIM with eta 1 |
/// | 2 | 0 | the accelerated sampler of the paper |
///
/// The first step has one ε̂. There is no step from a level without signal.
///
/// Source: [Permenter and Yuan 2024](https://arxiv.org/abs/2306.04848), gradient estimation; with
/// mu, Yuan, <https://github.com/yuanchenyang/smalldiffusion>, `samples`.
public struct GradientEstimation: Sampler {
  /// The weight of the newest ε̂; that of the one before is 1 − gamma.
  public var gamma: Double
  /// How far σ' lies above σ_p, as a share of ln(σ/σ_p); in [0, 1). Above 0 draws noise.
  public var mu: Double

  /// The accelerated sampler, or another of its family.
  public init(gamma: Double = 2, mu: Double = 0) { (self.gamma, self.mu) = (gamma, mu) }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("gamma", gamma, .finite)
    try check("mu", mu, .belowOne)
    return grid.intervals.enumerated().map { i, interval in
      let (from, to) = (interval.from.level.exact, interval.to.level.exact)
      // σ_p/σ', a power of σ'/σ.
      let below = (to.sigma / from.sigma).power(DoubleDouble(mu) / (1 - DoubleDouble(mu)))
      let mean = i == 0 ? .estimate() : gamma * .estimate() + (1 - DoubleDouble(gamma)) * .estimate(ago: 1)
      let run = to.sigma * below - from.sigma
      let drawn = to.sigma * ((1 - below) * (1 + below)).squareRoot()
      let next = to.signal * (LinearForm.sample / from.signal + run * mean + drawn * .noise)
      return Move(at: interval.from, to: interval.to.level, estimate: .epsilon, next: next)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "gradient-estimation", title: "Gradient estimation, gamma 2", sampler: GradientEstimation(), order: 1,
    source: "https://arxiv.org/abs/2306.04848", use: "in place of `ddim` at few calls")
}
