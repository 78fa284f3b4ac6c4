import Schedulers

/// What LCM and TCD share, whose networks answer with the end of the ODE.
struct Distilled {
  let table: Betas
  let originalSteps: Given<Int>
  let timestepScaling: Given<Double>
  let output: Output

  init(_ o: inout OptionReader) {
    table = Betas(&o, start: 0.00085, end: 0.012, schedule: "scaled_linear", canRescale: true)
    originalSteps = o.integer("original_inference_steps", 50)
    var output = Output(&o)
    output.readClipping(&o, false)
    output.readThresholding(&o)
    self.output = output
    timestepScaling = o.number("timestep_scaling", 10)
    // Options that have no effect on the steps.
    _ = o.boolean("set_alpha_to_one", true)
    _ = Spacing(&o, "leading")
  }

  func grid(_ steps: Int) throws(ConfigurationError) -> SamplingGrid {
    // For its errors, which name the option.
    _ = try timesteps(steps)
    let schedule = try table.schedule()
    return try originalSteps.origin.naming {
      try SamplingGrid(schedule, steps: steps, spacing: .distilled(originalSteps: originalSteps.value))
    }
  }

  /// N of the timesteps that the network was distilled at.
  func timesteps(_ steps: Int) throws(ConfigurationError) -> [Double] {
    let total = try table.timesteps.count()
    let original = try originalSteps.within(1...total, "it must be in 1 ... \(total)")
    guard steps <= original else {
      throw originalSteps.origin.steps(steps, "there must be at most \(originalSteps.name) of them, \(original)")
    }
    // numpy.linspace without its end, and the floor of it.
    let step = Double(original) / Double(steps)
    return (0..<steps).map { i in Double((original - Int(Double(i) * step)) * (total / original) - 1) }
  }
}

/// `LCMScheduler`.
struct LCMScheduler: TableClass {
  static let names = ["LCMScheduler"]

  let origin: Origin
  private let distilled: Distilled

  init(_ o: inout OptionReader) { (origin, distilled) = (o.origin, Distilled(&o)) }

  var table: Betas { distilled.table }

  private func scaling() throws(ConfigurationError) -> Double {
    let scaling = distilled.timestepScaling
    guard scaling.value > 0, scaling.value <= 1e9 else { throw scaling.refused("it must be above 0 and at most 1e9") }
    return scaling.value
  }

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    let grid = try distilled.grid(steps)
    return try origin.naming {
      try Recipe(
        LCM(timestepScaling: scaling()), over: grid, reading: distilled.output.prediction(),
        clipping: distilled.output.clipping())
    }
  }

  func setting(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Setting {
    Setting(timesteps: try distilled.timesteps(steps))
  }

  func faithful(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    let (prediction, clipping) = (try distilled.output.prediction(), try distilled.output.clipping())
    let discrete = try Discrete(table, origin: origin, prediction: prediction, clipping: clipping, in: torch)
    let (setting, scaling) = (try setting(steps, run, in: torch), Float(try scaling()))
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let bar = try discrete.alphaBar(timestep, step: i)
      try discrete.checkSignal(bar, timestep: timestep, step: i)
      let scaled = Float(timestep) * scaling
      let skip = 0.25 / (scaled * scaled + 0.25)
      let out = scaled / torch.root(scaled * scaled + 0.25)
      let denoised = Double(out) * LinearForm.estimate() + Double(skip) * .sample
      let isLast = i + 1 == setting.timesteps.count
      let next = try isLast ? 1 : discrete.alphaBar(setting.timesteps[i + 1], step: i)
      moves.append(
        Move(
          at: SamplingGrid.Point(timestep: timestep, level: discrete.level(bar)), to: discrete.level(next),
          estimate: .x0,
          next: isLast
            ? denoised : Double(torch.root(next)) * denoised + Double(torch.root(1 - next)) * .noise))
    }
    try origin.checkStart(moves)
    return Recipe(moves, start: try discrete.start(setting), reading: prediction, clipping: clipping)
  }

  func deviations(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Deviation] {
    _ = try table.tables(in: torch)
    return try Discrete.deviations(
      steps, setting(steps, run, in: torch), table, spacing: nil,
      prediction: (try? distilled.output.prediction()) ?? .v)
  }
}

/// `TCDScheduler`.
struct TCDScheduler: TableClass {
  static let names = ["TCDScheduler"]
  static let takes: Set<RunArguments.Key> = [.eta]
  static let ownDeviations: [Deviation] = [.endsAtFirstTimestep]

  let origin: Origin
  private let distilled: Distilled

  init(_ o: inout OptionReader) { (origin, distilled) = (o.origin, Distilled(&o)) }

  var table: Betas { distilled.table }

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    let grid = try distilled.grid(steps)
    // It has the options of clipping for nothing.
    return try origin.naming {
      try Recipe(TCD(eta: run.eta ?? 0.3), over: grid, reading: distilled.output.prediction())
    }
  }

  func setting(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Setting {
    Setting(timesteps: try distilled.timesteps(steps))
  }

  /// The last step goes to timestep 0.
  func faithful(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    let prediction = try distilled.output.prediction()
    let discrete = try Discrete(table, origin: origin, prediction: prediction, clipping: .none, in: torch)
    let setting = try setting(steps, run, in: torch)
    let eta = try Discrete.checked(run.eta ?? 0.3, of: "TCD", origin)
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let bar = try discrete.alphaBar(timestep, step: i)
      try discrete.check(bar, timestep: timestep, step: i)
      let isLast = i + 1 == setting.timesteps.count
      let previous = isLast ? 0 : setting.timesteps[i + 1]
      let lower = try discrete.alphaBar(Double((Float(1 - eta) * Float(previous)).rounded(.down)), step: i)
      let next = try discrete.alphaBar(previous, step: i)
      let from = discrete.level(bar)
      let epsilon = (LinearForm.sample - from.signal * .estimate()) / from.noise
      var form = Double(torch.root(lower)) * .estimate() + Double(torch.root(1 - lower)) * epsilon
      if eta > 0, !isLast {
        form = Double(torch.root(next / lower)) * form + Double(torch.root(1 - next / lower)) * .noise
      }
      moves.append(
        Move(
          at: SamplingGrid.Point(timestep: timestep, level: from), to: discrete.level(isLast ? lower : next),
          estimate: .x0, next: form))
    }
    try origin.checkStart(moves)
    return Recipe(moves, start: try discrete.start(setting), reading: prediction)
  }

  func deviations(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Deviation] {
    _ = try table.tables(in: torch)
    return try Discrete.deviations(
      steps, setting(steps, run, in: torch), table, spacing: nil,
      prediction: (try? distilled.output.prediction()) ?? .v) + [.endsAtFirstTimestep]
  }
}

extension DiffusersConfiguration.Class {
  public static let lcm = Self(LCMScheduler.self)
  public static let tcd = Self(TCDScheduler.self)
}

extension Deviation {
  public static let endsAtFirstTimestep = Deviation(
    "endsAtFirstTimestep",
    what:
      "The last step goes to the level of timestep 0, where some noise is left, not to clean data; `set_alpha_to_one` has no effect.",
    place: "TCD", effect: "The result keeps √(1 − ᾱ₀) of noise, 0.029 with the default betas.")
}
