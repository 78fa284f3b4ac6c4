import Schedulers

/// `FlowMatchEulerDiscreteScheduler`, and `FlowMatchLCMScheduler`, whose steps are its stochastic ones.
struct FlowMatchEulerDiscreteScheduler {
  let origin: Origin
  let times: FlowTimes
  /// Whether a step draws all of its noise anew.
  let redraws: Bool

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    let grid = try times.grid(steps, run)
    let sampler: any Sampler = redraws ? ConsistencyModel(leastSigma: 0) : Euler()
    return try origin.naming { try Recipe(sampler, over: grid, reading: times.prediction) }
  }

  func faithful(_ setting: Setting) throws(ConfigurationError) -> Recipe {
    let moves = setting.timesteps.indices.map { i -> Move in
      let (from, to) = (setting.sigmas[i], setting.sigmas[i + 1])
      var next = LinearForm.sample + Double(to - from) * .output
      if redraws {
        // Inverted sigmas are taken for those of the other direction here.
        next = Double(1 - to) * (LinearForm.sample - Double(from) * .output) + Double(to) * .noise
      }
      let point = SamplingGrid.Point(timestep: setting.timesteps[i], level: times.level(from))
      return Move(at: point, to: times.level(to), estimate: .x0, next: next)
    }
    try origin.checkStart(moves)
    return Recipe(moves, start: moves[0].query.level, reading: times.prediction)
  }

  func deviations(_ steps: Int, _ run: RunArguments, _ setting: Setting) -> [Deviation] {
    times.deviations(steps, run, setting) + (redraws && times.invertsSigmas ? [.noiseForData] : [])
  }
}

/// What both classes are.
protocol FlowMatchClass: DiffusersClass {
  var scheduler: FlowMatchEulerDiscreteScheduler { get }
  /// Throws for an option that no plan has.
  func check() throws(ConfigurationError)
}

extension FlowMatchClass {
  static var takes: Set<RunArguments.Key> { [.sigmas] }

  var origin: Origin { scheduler.origin }
  var allowsAnySteps: Bool { true }
  var trainingTimesteps: TrainingTimesteps { scheduler.times.timesteps }
  var takesMu: Bool { scheduler.times.shifting.isDynamicOn }
  func check() throws(ConfigurationError) {}

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    try check()
    return try scheduler.corrected(steps, run)
  }

  func setting(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Setting {
    try check()
    return try scheduler.times.setting(steps, run)
  }

  func faithful(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    try scheduler.faithful(setting(steps, run, in: torch))
  }

  func deviations(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Deviation] {
    try scheduler.deviations(steps, run, setting(steps, run, in: torch))
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { scheduler.redraws ? nil : Euler() }
}

private struct EulerClass: FlowMatchClass {
  static let names = ["FlowMatchEulerDiscreteScheduler"]
  static let ownDeviations: [Deviation] = FlowTimes.deviations + [.noiseForData]

  let scheduler: FlowMatchEulerDiscreteScheduler

  init(_ o: inout OptionReader) {
    let times = FlowTimes(&o, choicesAreOptional: false)
    scheduler = FlowMatchEulerDiscreteScheduler(
      origin: o.origin, times: times, redraws: o.boolean("stochastic_sampling", false).value)
  }
}

private struct LCMClass: FlowMatchClass {
  static let names = ["FlowMatchLCMScheduler"]

  let scheduler: FlowMatchEulerDiscreteScheduler
  private let scales: Given<[Double]?>

  init(_ o: inout OptionReader) {
    scheduler = FlowMatchEulerDiscreteScheduler(
      origin: o.origin, times: FlowTimes(&o, choicesAreOptional: true), redraws: true)
    scales = o.numbers("scale_factors")
    o.text("upscale_mode", "bicubic")
  }

  /// Scaled up between steps, samples are no combination of those before.
  func check() throws(ConfigurationError) {
    guard scales.value?.isEmpty ?? true else { throw scales.refused("use null; a sample keeps its size") }
  }
}

/// `FlowMatchHeunDiscreteScheduler`.
private struct HeunClass: DiffusersClass {
  static let names = ["FlowMatchHeunDiscreteScheduler"]
  static let takes = Churning.takes
  static let ownDeviations: [Deviation] = [.churnOffTheLine]

  let origin: Origin
  private let times: FlowTimes

  init(_ o: inout OptionReader) { (origin, times) = (o.origin, FlowTimes(fixed: &o)) }

  var allowsAnySteps: Bool { true }
  var trainingTimesteps: TrainingTimesteps { times.timesteps }

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    let grid = try times.grid(steps, run)
    return try origin.naming {
      try Recipe(Churning.sampler(FlowHeun(), run, isFlow: true), over: grid, reading: Prediction.flow)
    }
  }

  func setting(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Setting {
    try times.setting(steps, run)
  }

  func timesteps(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Double] {
    try setting(steps, run, in: torch).heunTimesteps
  }

  /// Heun's steps from x̂ = x + s_noise·√(σ̂² − σ²)·z, each back from where it began. The noise that the
  /// second evaluation adds is subtracted again.
  func faithful(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    let setting = try setting(steps, run, in: torch)
    let grid = setting.grid { NoiseLevel(signal: 1 - Double($0), noise: Double($0)) }
    let moves = grid.intervals.enumerated().flatMap { i, interval -> [Move] in
      let (from, to, sigma) = (interval.from, interval.to, setting.sigmas[i])
      let (raised, noise) = Churning(run: run).raised(sigma, evaluations: 2 * grid.steps - 1, in: torch)
      let length = Double(setting.sigmas[i + 1] - raised)
      let first = LinearForm.sample + noise * .noise + length * Double(sigma / raised) * .output
      let start = Move(at: from, to: to.level, estimate: .x0, next: first)
      guard to.level.noise > 0 else { return [start] }
      let slope = (LinearForm.sample(ago: 1) - .estimate(ago: 1)) / Double(raised)
      let second = LinearForm.made + length / 2 * (LinearForm.output - slope)
      return [start, Move(at: to, to: to.level, estimate: .x0, next: second)]
    }
    try origin.checkStart(moves)
    return Recipe(moves, start: grid.points[0].level, over: grid, reading: Prediction.flow)
  }

  func deviations(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Deviation] {
    let setting = try setting(steps, run, in: torch)
    let churns = Churning(run: run).deviations(setting)
    return times.deviations(steps, run, setting) + churns + (churns.isEmpty ? [] : [.churnOffTheLine])
  }
}

extension DiffusersConfiguration.Class {
  public static let flowMatchEulerDiscrete = Self(EulerClass.self)
  public static let flowMatchLCM = Self(LCMClass.self)
  public static let flowMatchHeunDiscrete = Self(HeunClass.self)
}

extension Deviation {
  public static let churnOffTheLine = Deviation(
    "churnOffTheLine",
    what:
      "Noise is added to a sample of rectified flow, (1 − σ)·x0 + σ·epsilon, as if it were x0 + σ·epsilon: it is at σ̂ then, but has the signal of "
      + "σ. On the straight line σ/(1 − σ) grows by 1 + γ and the sample is scaled to the signal of σ̂; where there is no signal, none is "
      + "added. N, by which `s_churn` is divided, counts evaluations.",
    place: "FlowMatchHeun, `s_churn` above 0",
    effect: "With N = 10 and `s_churn` 3 the first step begins at σ̂ = 1.16, where there is no level.")
  public static let noiseForData = Deviation(
    "noiseForData",
    what:
      "Inverted sigmas are those of the data; the step that draws all noise anew takes them for those of the noise, in x̂0 = x − σ·v and in "
      + "(1 − σ')·x̂0 + σ'·z.",
    place: "FlowMatchEuler with `stochastic_sampling` and FlowMatchLCM, `invert_sigmas`",
    effect: "The last step, at σ' = 1, makes noise alone.")
}
