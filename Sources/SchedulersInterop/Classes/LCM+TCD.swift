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

protocol DistilledClass: DiscreteClass {
  /// Whether `original_inference_steps`, given for a run, means every timestep.
  static var takesEach: Bool { get }
  var distilled: Distilled { get }
}

extension DistilledClass {
  static var ownArguments: Set<RunArguments.Key> { [.timesteps, .originalSteps, .strength] }
  static var looksForStart: Bool { true }
  var table: Betas { distilled.table }
  var output: Output { distilled.output }
  var spacing: Spacing? { nil }

  func grid(_ run: Run) throws -> SamplingGrid {
    let timesteps = try setting(run).timesteps.map { Int($0) }
    return try SamplingGrid(table.schedule(), timesteps: timesteps)
  }

  /// N of the timesteps that the network was distilled at; of a part of them with a strength. Given
  /// ones may be any.
  func setting(_ run: Run) throws -> Setting {
    let (total, strength) = (try table.timesteps.count(), run.strength ?? 1)
    if let given = try run.arguments.timesteps(of: total) {
      let left = Int(Double(given.count) * strength)
      try require(
        left > 0,
        .argument(
          RunArguments.Key.strength.rawValue, strength, "it leaves none of \(given.count) timesteps; use a larger one"))
      return Setting(timesteps: Array(given.suffix(left)))
    }
    let original = try originalSteps(run, of: total)
    // Told for a run, TCD's are all timesteps.
    let isEach = Self.takesEach && run.originalSteps != nil
    let (count, stride) =
      isEach ? (Int(Double(total) * strength), 1) : (Int(Double(original) * strength), total / original)
    try require(
      run.steps <= min(count, original),
      .steps(
        run.steps,
        "there must be at most \(distilled.originalSteps.name)"
          + (run.strength == nil ? " of them, \(original)" : " · strength of them, \(min(count, original))")))
    // numpy.linspace without its end, and the floor of it.
    let step = Double(count) / Double(run.steps)
    return Setting(
      timesteps: (0..<run.steps).map { i in
        let left = count - Int(Double(i) * step)
        return Double(isEach ? left - 1 : left * stride - 1)
      })
  }

  /// Whether a run of so many steps comes to its end. Of given timesteps that a strength cuts,
  /// diffusers waits for the number of all.
  func endsClean(_ run: Run, _ count: Int) -> Bool { run.timesteps == nil || run.first + count == run.steps }

  private func originalSteps(_ run: Run, of total: Int) throws -> Int {
    let remedy = "it must be in 1 ... \(total)"
    guard let given = run.originalSteps else { return try distilled.originalSteps.within(1...total, remedy) }
    try require(
      (1...total).contains(given), .argument(RunArguments.Key.originalSteps.rawValue, Double(given), remedy))
    return given
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try timestepDeviations(run, setting.timesteps)
  }
}

struct LCMScheduler: DistilledClass {
  static let takes = ownArguments
  static let takesEach = false

  let distilled: Distilled
  init(_ o: inout OptionReader) { distilled = Distilled(&o) }

  private func scaling() throws -> Double {
    let scaling = distilled.timestepScaling
    guard scaling.value > 0, scaling.value <= 1e9 else { throw scaling.refused("it must be above 0 and at most 1e9") }
    return scaling.value
  }

  func sampler(_ run: Run) throws -> any Sampler { LCM(timestepScaling: try scaling()) }

  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, timesteps, scaling) = (try Discrete(self, run), try begun(run).timesteps, Float(try scaling()))
    let moves = try timesteps.enumerated().map { i, timestep in
      let bar = try discrete.alphaBar(timestep, step: i)
      try discrete.checkSignal(bar, timestep: timestep, step: i)
      let scaled = Float(timestep) * scaling
      let skip = 0.25 / (scaled * scaled + 0.25)
      let out = scaled / run.root(scaled * scaled + 0.25)
      let denoised = Double(out) * LinearForm.estimate() + Double(skip) * .sample
      let isLast = endsClean(run, timesteps.count) && i + 1 == timesteps.count
      let next = try isLast ? 1 : discrete.alphaBar(i + 1 < timesteps.count ? timesteps[i + 1] : timestep, step: i)
      return Move(
        at: discrete.point(timestep, bar), to: discrete.level(next), estimate: .x0,
        next: isLast ? denoised : Double(run.root(next)) * denoised + Double(run.root(1 - next)) * .noise)
    }
    return try recipe(moves, discrete, of: run)
  }
}

struct TCDScheduler: DistilledClass {
  static let takes = ownArguments.union([.eta])
  static let takesEach = true
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
    let (discrete, timesteps) = (try Discrete(self, run), try begun(run).timesteps)
    let eta = try Discrete.checked(run.eta ?? Self.usualEta, of: "TCD")
    let moves = try timesteps.enumerated().map { i, timestep in
      let bar = try discrete.divisor(timestep, step: i)
      let isLast = endsClean(run, timesteps.count) && i + 1 == timesteps.count
      let previous = i + 1 < timesteps.count ? timesteps[i + 1] : 0
      let lower = try discrete.alphaBar(Double((Float(1 - eta) * Float(previous)).rounded(.down)), step: i)
      let next = try discrete.alphaBar(previous, step: i)
      let from = discrete.point(timestep, bar)
      let epsilon = (LinearForm.sample - from.level.signal * .estimate()) / from.level.noise
      var form = Double(run.root(lower)) * .estimate() + Double(run.root(1 - lower)) * epsilon
      if eta > 0, !isLast { form = Double(run.root(next / lower)) * form + Double(run.root(1 - next / lower)) * .noise }
      return Move(at: from, to: discrete.level(isLast ? lower : next), estimate: .x0, next: form)
    }
    return try recipe(moves, discrete, of: run)
  }
}

extension Deviation {
  public static let endsAtFirstTimestep = Deviation(
    "endsAtFirstTimestep",
    "The last step goes to the level of timestep 0, where some noise is left, not to clean data; `set_alpha_to_one` "
      + "has no effect.", place: "TCD", effect: "The result keeps √(1 − ᾱ₀) of noise, 0.029 with the default betas.")
}
