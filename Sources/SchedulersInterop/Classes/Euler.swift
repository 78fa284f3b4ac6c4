import Schedulers

struct EulerDiscreteScheduler: ExplodingClass {
  static let takes = Churning.takes.union([.timesteps, .sigmas])
  static let holdingEnd: Set<RunArguments.Key> = [.sigmas]

  var exploding: Exploding
  let output: Output
  private let isLogLinear: NamedChoice<Bool>
  private let isContinuous: NamedChoice<Bool>

  init(_ o: inout OptionReader) {
    let table = Betas(&o, canRescale: true, keepsSignal: true)
    output = Output(&o, ["epsilon": .epsilon, "sample": .x0, "original_sample": .x0, "v_prediction": .v])
    isLogLinear = o.choice("interpolation_type", "linear", ["linear": false, "log_linear": true])
    let choices = SigmaChoices(&o, isOptional: true, declaresEnds: true)
    isContinuous = o.choice("timestep_type", "discrete", ["discrete": false, "continuous": true])
    exploding = Exploding(table: table, choices: choices, spacing: Spacing(&o, "linspace"))
    exploding.ending = o.endsAtLeastNoise()
  }

  private func tellsLogarithms() throws -> Bool {
    let (isContinuous, prediction) = (try isContinuous.get(), try output.prediction())
    return isContinuous && prediction == .v
  }

  func grid(_ run: Run) throws -> SamplingGrid {
    try exploding.grid(run, isLogLinear: isLogLinear.get(), isContinuous: tellsLogarithms())
  }

  func sampler(_ run: Run) throws -> any Sampler { Churning.sampler(Euler(), run) }

  func setting(_ run: Run) throws -> Setting {
    try require(
      run.timesteps == nil || run.sigmas == nil,
      .argument("the number of sigmas", Double(run.steps + 1), "leave them out, or timesteps; either says the other"))
    try require(
      run.timesteps == nil || !tellsLogarithms(),
      .argument(
        "the number of timesteps", Double(run.steps), "leave them out; timestep_type continuous tells logarithms"))
    let setting =
      try run.sigmas.map { try exploding.setting(sigmas: $0.map { Float($0) }, run) }
      ?? exploding.setting(run, isLogLinear: isLogLinear.get())
    return try tellsLogarithms() ? setting.continuous : setting
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (setting, prediction) = (try begun(run), try output.prediction())
    return try recipe(run) { grid in
      guard run.churn > 0 else { return Euler().moves(over: grid) }
      return Churning(run: run).eulerMoves(grid, sigmas: setting.sigmas) { sigma, raised in
        switch prediction {
        case .x0: Readout(sample: 0, output: 1)
        // That of sigma, not of the raised one.
        case .v: Readout(sample: 1 / (sigma * sigma + 1), output: -sigma / (sigma * sigma + 1).squareRoot())
        default: Readout(sample: 1, output: -raised)
        }
      }
    }
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try exploding.deviations(run, setting)
      + (isLogLinear.get() && !exploding.choices.isMade && run.sigmas == nil ? [.logLinearEnd] : [])
      + Churning(run: run).deviations(setting)
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { Euler() }
}

struct EulerAncestralDiscreteScheduler: ExplodingClass {
  let exploding: Exploding
  let output: Output

  init(_ o: inout OptionReader) {
    let table = Betas(&o, canRescale: true, keepsSignal: true)
    output = Output(&o, Output.epsilonOrV)
    exploding = Exploding(table: table, choices: SigmaChoices(), spacing: Spacing(&o, "linspace"))
  }

  func sampler(_ run: Run) throws -> any Sampler { EulerAncestral() }
  func drawsAlways(_ run: Run) -> Bool { true }

  func faithful(_ run: Run) throws -> Recipe {
    try recipe(run) { grid in
      try grid.intervals.enumerated().map { i, interval in
        let (from, to) = (interval.from.level, interval.to.level)
        let sigmas = try ancestralSigmas(
          from: Float(from.noise), to: Float(to.noise), at: i, timestep: interval.from.timestep, needsDown: false, run)
        let lower = NoiseLevel(signal: 1, noise: Double(sigmas.down))
        let next = Euler.step(from: from, to: lower, denoised: .estimate()) + Double(sigmas.up) * .noise
        return Move(at: interval.from, to: to, estimate: .x0, next: next)
      }
    }
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try exploding.deviations(run, setting) + (isNotFinite(run) ? [.ancestralNotANumber] : [])
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { EulerAncestral() }
}

extension Deviation {
  public static let logLinearEnd = Deviation(
    "logLinearEnd",
    "N + 1 sigmas are made for N timesteps, so that the run ends at the least sigma of the schedule instead of at 0, "
      + "and the timesteps are not those of the sigmas.", place: "Euler, `interpolation_type: log_linear`",
    effect: "With N = 10 a perfect network, told the wrong timesteps, ends at 0.160 instead of 0.3.")
  public static let ancestralNotANumber = Deviation(
    "ancestralNotANumber",
    "sigma_down = √(σ'² − sigma_up²) in float32, where sigma_up is σ' but for rounding, and may come out larger.",
    place: "Euler ancestral where sigma falls steeply, such as `beta_schedule: squaredcos_cap_v2` with few steps",
    effect: "The first step is NaN with N = 4. `.diffusers` refuses the configuration.", issue: 14213)
}
