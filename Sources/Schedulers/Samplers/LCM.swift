/// Latent consistency models: the network says where the ODE ends; noise leads to each next level.
///
///     f  = skip·x + out·x̂0
///     skip = σ_data²/(s² + σ_data²),  out = s/√(s² + σ_data²)
///     s = timestepScaling·timestep
///     x' = signal'·f + noise'·z
///
/// skip and out make f the sample itself at timestep 0, and are 0 and 1 but for the first
/// timesteps. The network was distilled with them, so this sampler reads the timestep. Such a
/// network is asked at timesteps of its distillation, `TimestepSpacing.distilled`; with others the
/// error does not fall with the number of steps.
///
/// Source: [Luo et al. 2023](https://arxiv.org/abs/2310.04378), algorithm 3 (multistep sampling),
/// with skip and out of [Song et al. 2023](https://arxiv.org/abs/2303.01469), appendix C; the
/// timestep's scale from diffusers' `LCMScheduler`.
public struct LCM: Sampler {
  /// What the timestep is multiplied by: above 0.
  public var timestepScaling: Double
  /// The deviation of the data: above 0.
  public var sigmaData: Double

  /// The sampler of a network distilled with these scales.
  public init(timestepScaling: Double = 10, sigmaData: Double = 0.5) {
    (self.timestepScaling, self.sigmaData) = (timestepScaling, sigmaData)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("timestepScaling", timestepScaling, .positive)
    try check("sigmaData", sigmaData, .positive)
    let scale = grid.timestepScale
    return try grid.intervals.map { interval throws(PlanError) in
      let (from, to) = interval
      try check("timestep", from.timestep, .notNegative)
      let scaled = timestepScaling * scale.exactTimestep(of: from) / sigmaData
      let square = scaled * scaled + 1
      let sample = from.inputScale / square * LinearForm.sample
      let (end, share) = (to.level.exact, scaled / square.squareRoot())
      let next = end.signal * (sample + share * .estimate()) + end.noise * .noise
      return Move(at: from, to: to.level, estimate: .x0, next: next)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "lcm", title: "Latent consistency model", sampler: LCM(), order: 0,
    source: "https://arxiv.org/abs/2310.04378", use: "with a latent consistency model, in 1 to 8 calls")
}
