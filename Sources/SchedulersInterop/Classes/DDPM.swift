import Schedulers

struct DDPMScheduler: DiscreteClass {
  static let names = ["DDPMScheduler", "DDPMParallelScheduler"]
  static let takes: Set<RunArguments.Key> = [.timesteps]

  let table: Betas
  private let variance: NamedChoice<Variance>
  let output: Output
  let spacing: Spacing?

  init(_ o: inout OptionReader) {
    table = Betas(&o, more: ["sigmoid": .sigmoid, "laplace": .alphaBar(.laplace)], canRescale: true)
    variance = o.choice(
      "variance_type", "fixed_small",
      [
        "fixed_small": .fixedSmall, "fixed_small_log": .fixedSmall, "fixed_large": .fixedLarge,
        "fixed_large_log": .fixedLarge, "learned": .learned, "learned_range": .learnedRange,
      ])
    output = Output(&o, clips: true, thresholds: true)
    spacing = Spacing(&o, "leading")
  }

  var learnsVariance: Bool { variance.name == "learned" || variance.name == "learned_range" }
  func sampler(_ run: Run) throws -> any Sampler { DDPM(variance: try variance.get()) }

  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, timesteps, kind) = (try Discrete(self, run), try begun(run).timesteps, try variance.get())
    let moves = try timesteps.enumerated().map { i, timestep in
      let bar = try discrete.alphaBar(timestep, step: i)
      let next = i + 1 < timesteps.count ? timesteps[i + 1] : -1
      let nextBar = next >= 0 ? try discrete.alphaBar(next, step: i) : 1
      try discrete.check(bar, timestep: timestep, step: i)
      // In float32, as diffusers: 1 − ᾱ/ᾱ' and 1 − ᾱ cancel, by which most of a step differs.
      let alpha = bar / nextBar
      let beta = 1 - alpha
      let x0 = run.root(nextBar) * beta / (1 - bar)
      let sample = run.root(alpha) * (1 - nextBar) / (1 - bar)
      let small = max((1 - nextBar) / (1 - bar) * beta, 1e-20)
      let drawn = deviation(kind, small: small, large: beta, in: run.torch)
      try require(
        timestep <= 0 || drawn.isFinite, step: i, timestep: timestep,
        "diffusers takes the root of a negative logarithm; use fixed_large")
      let noise = Double(timestep > 0 ? drawn : 0)
      return Move(
        at: discrete.point(timestep, bar), to: discrete.level(nextBar), estimate: .x0,
        next: Double(x0) * .estimate() + Double(sample) * .sample + noise * .noise,
        variance: stepVariance(kind, small: small, large: beta))
    }
    return try recipe(moves, discrete, of: run)
  }

  /// The factor of a step's noise; of one name diffusers takes the variance's logarithm.
  private func deviation(_ kind: Variance, small: Float, large: Float, in torch: TorchArithmetic) -> Float {
    switch kind {
    case .fixedSmall: torch.root(small)
    case .fixedLarge: torch.root(variance.name == "fixed_large_log" ? Float(Math.log(Double(large))) : large)
    case .learned: 1
    case .learnedRange: large > 0 ? 1 : 0
    }
  }

  private func stepVariance(_ kind: Variance, small: Float, large: Float) -> StepVariance? {
    if kind == .learned { return .output }
    // Nothing is drawn then: exp of a sum in which ln 0 has a part.
    guard large > 0 else { return nil }
    return kind.stepVariance(small: Math.log(Double(small)), large: Math.log(Double(large)))
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    var found = try timestepDeviations(run, setting.timesteps)
    if (setting.timesteps.last ?? 0) > 0 { found.append(.lastStepIsNoisy) }
    if variance.name == "fixed_large_log" { found.append(.logarithmForVariance) }
    if variance.name == "learned" { found.append(.learnedRoot) }
    return found
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? {
    DDPM(variance: variance.name == "fixed_large" ? .fixedLarge : .fixedSmall)
  }
}

extension Deviation {
  public static let lastStepIsNoisy = Deviation(
    "lastStepIsNoisy",
    "Noise is drawn wherever t > 0, not wherever the step ends at noise. A last step from t > 0 to clean data adds "
      + "some: √β with fixed_large; with fixed_small 1e-10, the variance 0 being raised to 1e-20.",
    place: "DDPM where the last timestep is above 0: trailing spacing, or `steps_offset` above 0",
    effect:
      "With trailing spacing, fixed_large and N = 10 a perfect network ends at 0.101 instead of 0.3, with noise of "
      + "−0.62.")
  public static let logarithmForVariance = Deviation(
    "logarithmForVariance",
    "The logarithm of β is taken for the variance, and its root for the deviation. β is below 1, the logarithm "
      + "negative.", place: "DDPM, `variance_type: fixed_large_log`",
    effect: "Every step is NaN. `.diffusers` refuses the configuration.")
  public static let learnedRoot = Deviation(
    "learnedRoot",
    "The second half of the network's output is taken for the variance itself, whose root multiplies the noise. A "
      + "network that learns its variance (Nichol and Dhariwal 2021) gives its logarithm.",
    place: "DDPM, `variance_type: learned`",
    effect: "With the logarithm of a variance below 1, which is negative, every step is NaN.")
}
