/// DPM-Solver-2 in sigma: Euler's method to the middle of ln σ, then the step by the slope there.
///
///     x̄ₘ = x̄ + (σₘ − σ)·ε̂,    σₘ = √(σ·σ_down)
///     x̄' = x̄ + (σ_down − σ)·ε̂ₘ + σ_up·z,    with x̄ = x/signal
///
/// σ_down and σ_up are those of `EulerAncestral`: σ' and 0 for eta 0, which solves the ODE. Two
/// evaluations a step; the last, to clean data, is Euler's. No step starts without signal.
///
/// Source: [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `sample_dpm_2` and
/// `sample_dpm_2_ancestral`, after [Karras et al. 2022](https://arxiv.org/abs/2206.00364),
/// algorithm 2, and [Lu et al. 2022](https://arxiv.org/abs/2206.00927).
public struct KDPM2: EtaSampler {
  public var eta: Double

  /// DPM2, or with `eta` up to 1 its ancestral form.
  public init(eta: Double = 0) { self.eta = eta }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    let scale = grid.timestepScale
    return grid.intervals.flatMap { from, to -> [Move] in
      let step = AncestralStep(from: from.level, to: to.level, eta: eta)
      guard to.level.noise > 0 else { return Heun.step(from: from, to: to) }
      let (start, lower) = (from.level.exact, step.lower.exact)
      let middle = scale.point(sigma: (start.sigma * lower.sigma).squareRoot(), between: from, and: to)
      let between = middle.level.exact
      let (half, run) = (between.sigma - start.sigma, lower.sigma - start.sigma)
      let first = between.signal * (LinearForm.sample / start.signal + half * .estimate())
      let before = LinearForm.sample / between.signal - half * .estimate(ago: 1)
      let second = lower.signal * (before + run * .estimate()) + step.deviation * .noise
      return [
        Move(at: from, to: middle.level, estimate: .epsilon, next: first),
        Move(at: middle, to: to.level, estimate: .epsilon, next: second),
      ]
    }
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "kdpm2", title: "DPM2", sampler: KDPM2(), order: 2, source: "https://github.com/crowsonkb/k-diffusion",
      use: "as `heun`; users of k-diffusion know it as DPM2"),
    .init(
      name: "kdpm2-ancestral", title: "DPM2 ancestral", sampler: KDPM2(eta: 1), order: 2,
      source: "https://github.com/crowsonkb/k-diffusion", use: "as `euler-ancestral`, with more calls"),
  ]
}
