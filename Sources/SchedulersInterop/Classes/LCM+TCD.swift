import Schedulers

/// What LCM and TCD share, whose networks answer with the end of the ODE.
struct Distilled {
  let table: Betas
  let originalSteps: Given<Int>
  let output: Output
  let timestepScaling: Given<Double>

  init(_ o: inout OptionReader) {
    table = Betas(&o, start: 0.00085, end: 0.012, schedule: "scaled_linear", canRescale: true)
    originalSteps = o.integer("original_inference_steps", 50)
    output = Output(&o, clips: false, thresholds: true)
    timestepScaling = o.number("timestep_scaling", 10)
    // Options that have no effect on the steps.
    _ = (o.boolean("set_alpha_to_one", true), Spacing(&o, "leading"))
  }
}

protocol DistilledClass: DiscreteClass { var distilled: Distilled { get } }

extension DistilledClass {
  var table: Betas { distilled.table }
  var output: Output { distilled.output }
  var spacing: Spacing? { nil }

  func grid(_ run: Run) throws -> SamplingGrid {
    // For its errors, which name the option.
    _ = try setting(run)
    let (schedule, original) = (try table.schedule(), distilled.originalSteps.value)
    return try SamplingGrid(schedule, steps: run.steps, spacing: .distilled(originalSteps: original))
  }

  /// N of the timesteps that the network was distilled at.
  func setting(_ run: Run) throws -> Setting {
    let total = try table.timesteps.count()
    let original = try distilled.originalSteps.within(1...total, "it must be in 1 ... \(total)")
    try require(
      run.steps <= original,
      .steps(run.steps, "there must be at most \(distilled.originalSteps.name) of them, \(original)"))
    // numpy.linspace without its end, and the floor of it.
    let step = Double(original) / Double(run.steps)
    return Setting(
      timesteps: (0..<run.steps).map { i in Double((original - Int(Double(i) * step)) * (total / original) - 1) })
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try timestepDeviations(run, setting.timesteps)
  }
}

struct LCMScheduler: DistilledClass {
  let distilled: Distilled
  init(_ o: inout OptionReader) { distilled = Distilled(&o) }

  private func scaling() throws -> Double {
    let scaling = distilled.timestepScaling
    guard scaling.value > 0, scaling.value <= 1e9 else { throw scaling.refused("it must be above 0 and at most 1e9") }
    return scaling.value
  }

  func sampler(_ run: Run) throws -> any Sampler { LCM(timestepScaling: try scaling()) }

  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, timesteps, scaling) = (try Discrete(self, run), try setting(run).timesteps, Float(try scaling()))
    let moves = try timesteps.enumerated().map { i, timestep in
      let bar = try discrete.alphaBar(timestep, step: i)
      try discrete.checkSignal(bar, timestep: timestep, step: i)
      let scaled = Float(timestep) * scaling
      let skip = 0.25 / (scaled * scaled + 0.25)
      let out = scaled / run.root(scaled * scaled + 0.25)
      let denoised = Double(out) * LinearForm.estimate() + Double(skip) * .sample
      let isLast = i + 1 == timesteps.count
      let next = try isLast ? 1 : discrete.alphaBar(timesteps[i + 1], step: i)
      return Move(
        at: discrete.point(timestep, bar), to: discrete.level(next), estimate: .x0,
        next: isLast ? denoised : Double(run.root(next)) * denoised + Double(run.root(1 - next)) * .noise)
    }
    return try recipe(moves, discrete)
  }
}

struct TCDScheduler: DistilledClass {
  static let takes: Set<RunArguments.Key> = [.eta]
  static let usualEta = 0.3

  let distilled: Distilled
  init(_ o: inout OptionReader) { distilled = Distilled(&o) }

  /// It has the options of clipping for nothing.
  func clipping() throws -> Clipping { .none }
  func sampler(_ run: Run) throws -> any Sampler { TCD(eta: run.eta ?? Self.usualEta) }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try timestepDeviations(run, setting.timesteps) + [.endsAtFirstTimestep]
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, timesteps) = (try Discrete(self, run), try setting(run).timesteps)
    let eta = try Discrete.checked(run.eta ?? Self.usualEta, of: "TCD")
    let moves = try timesteps.enumerated().map { i, timestep in
      let bar = try discrete.divisor(timestep, step: i)
      let isLast = i + 1 == timesteps.count
      let previous = isLast ? 0 : timesteps[i + 1]
      let lower = try discrete.alphaBar(Double((Float(1 - eta) * Float(previous)).rounded(.down)), step: i)
      let next = try discrete.alphaBar(previous, step: i)
      let from = discrete.point(timestep, bar)
      let epsilon = (LinearForm.sample - from.level.signal * .estimate()) / from.level.noise
      var form = Double(run.root(lower)) * .estimate() + Double(run.root(1 - lower)) * epsilon
      if eta > 0, !isLast { form = Double(run.root(next / lower)) * form + Double(run.root(1 - next / lower)) * .noise }
      return Move(at: from, to: discrete.level(isLast ? lower : next), estimate: .x0, next: form)
    }
    return try recipe(moves, discrete)
  }
}

extension Deviation {
  public static let endsAtFirstTimestep = Deviation(
    "endsAtFirstTimestep",
    "The last step goes to the level of timestep 0, where some noise is left, not to clean data; `set_alpha_to_one` "
      + "has no effect.", place: "TCD", effect: "The result keeps √(1 − ᾱ₀) of noise, 0.029 with the default betas.")
}
