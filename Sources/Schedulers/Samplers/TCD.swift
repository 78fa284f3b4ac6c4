/// Trajectory consistency distillation: along the ODE below the next level, then noise back up.
///
///     s  = ⌊(1 − eta)·timestep'⌋
///     x̄' = x̂0 + σ_s·ε̂ + √(σ'² − σ_s²)·z,    with x̄ = x/signal
///
/// eta is γ of the paper: 0 draws none and is `DDIM`; 1 goes down to timestep 0, and is `LCM` but
/// for that. σ_s is that of the grid's `TimestepScale`. Such a network is asked at timesteps of its
/// distillation, `TimestepSpacing.distilled`; with others the error does not fall with the number
/// of steps unless eta is 0. Timesteps must grow with the noise, from 0.
///
/// diffusers 0.42.1 ends at the level of timestep 0; this sampler ends where the grid does.
///
/// Source: [Zheng et al. 2024](https://arxiv.org/abs/2402.19159), algorithm 4.
public struct TCD: EtaSampler {
  public var eta: Double

  /// The sampler with γ in [0, 1].
  public init(eta: Double = 0.3) { self.eta = eta }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    let scale = grid.timestepScale
    return try grid.intervals.map { interval throws(PlanError) in
      let (from, to) = interval
      let (sigma, signal) = (to.level.exact.sigma, to.level.exact.signal)
      var lower = sigma
      if eta > 0, sigma.high > 0 {
        let below = scale.exactSigma(timestep: DoubleDouble(((1 - eta) * to.timestep).rounded(.down)))
        let isBelow = below.high <= sigma.high * (1 + 0x1p-40)
        let growing = PlanError.Allowed(text: "a process whose noise grows with time, from 0") { $0 >= 0 && isBelow }
        try check("timestep", to.timestep, growing)
        // By rounding it may be above, or only just below.
        lower = (sigma - below).high > sigma.high * 0x1p-90 ? below : sigma
      }
      let next = Euler.step(
        from: from.level, to: NoiseLevel(.init(signal: signal, noise: signal * lower)), denoised: .estimate())
      let deviation = signal * ((sigma - lower) * (sigma + lower)).squareRoot()
      return Move(at: from, to: to.level, estimate: .x0, next: next + deviation * .noise)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "tcd", title: "Trajectory consistency", sampler: TCD(), order: 0, source: "https://arxiv.org/abs/2402.19159",
    use: "with a network of trajectory consistency distillation, in 1 to 20 calls")
}
