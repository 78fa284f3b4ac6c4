import Schedulers

/// What the classes share whose samples are x0 + σ·epsilon, at sigmas of a table or between its
/// ends.
struct Exploding {
  let table: Betas
  let choices: SigmaChoices
  let spacing: Spacing
  /// In what fractional timesteps are kept where they are spaced.
  var fractions = Spacing.Fractions.float32
  /// In what the timesteps of chosen sigmas are kept.
  var chosenFractions = Spacing.Fractions.float32
  /// Whether those of Karras' sigmas are rounded.
  var roundsKarras = false
  /// Whether the run ends at the least noise; nil for a class whose runs end at clean data.
  var ending: NamedChoice<Bool>?

  func endsAtLeastNoise() throws -> Bool { try ending?.get() ?? false }

  /// diffusers' timesteps and sigmas.
  ///
  /// - Parameter isLogLinear: whether sigmas are in equal steps of ln σ, one more than the steps.
  func setting(_ run: Run, isLogLinear: Bool = false) throws -> Setting {
    let (table, steps) = (try table.tables(in: run.torch).sigmas, run.steps)
    let given = try given(run, of: table.count, isExact: false)
    var timesteps = try given ?? spacing.timesteps(steps, of: table.count, fractions: fractions)
    var sigmas = timesteps.map { NumPy.interpolate($0, in: table) }
    if isLogLinear {
      let (start, end) = (NumPy.log(table[table.count - 1]), NumPy.log(table[0]))
      sigmas = Torch.linspace(Double(start), Double(end), steps + 1).map { Double(Float(Math.exp(Double($0)))) }
    }
    if let choice = try choices.choice() {
      let (ends, logarithms) = (choices.ends, table.map(NumPy.log))
      let (most, least) = (ends.most ?? sigmas[0], ends.least ?? sigmas[sigmas.count - 1])
      sigmas = SigmaChoices.sigmas(choice, count: steps, from: most, to: least, exponent: run.karrasExponent)
      timesteps = sigmas.map { SigmaChoices.timestep(of: $0, in: logarithms) }
      if roundsKarras, choice == .karras { timesteps = timesteps.map { $0.rounded(.toNearestOrEven) } }
      if chosenFractions == .float32 { timesteps = timesteps.map { Double(Float($0)) } }
    }
    try checkDivisors(sigmas, timesteps: timesteps)
    return Setting(timesteps: timesteps, sigmas: sigmas.map { Float($0) } + [try endsAtLeastNoise() ? table[0] : 0])
  }

  /// Given timesteps in float32, if no sigmas are chosen.
  ///
  /// - Parameter isExact: whether they are the mathematics', which knows the levels of whole ones.
  private func given(_ run: Run, of total: Int, isExact: Bool) throws -> [Double]? {
    guard let timesteps = try run.arguments.timesteps(of: total, areWhole: isExact, mustFall: isExact) else {
      return nil
    }
    try choices.refuse(run, .timesteps)
    return timesteps.map { Double(Float($0)) }
  }

  /// diffusers' setting for given sigmas, of which the last is the end.
  func setting(sigmas: [Float], _ run: Run) throws -> Setting {
    let logarithms = try table.tables(in: run.torch).sigmas.map(NumPy.log)
    for (i, sigma) in sigmas.enumerated() {
      try require(
        sigma.isFinite && (sigma > 0 || sigma == 0 && i == sigmas.count - 1),
        .argument(
          "sigmas[\(i)]", Double(sigma), "it must be above 0 and finite; the last, where the run ends, may be 0"))
    }
    let timesteps = sigmas.dropLast().map { Double(Float(SigmaChoices.timestep(of: $0, in: logarithms))) }
    return Setting(timesteps: timesteps, sigmas: sigmas)
  }

  /// The exact grid, on which samples are x0 + σ·epsilon unless a point has (almost) no signal.
  ///
  /// - Parameter isContinuous: whether the network is told ln(σ)/4.
  func grid(_ run: Run, isLogLinear: Bool = false, isContinuous: Bool = false) throws -> SamplingGrid {
    let (schedule, steps) = (try table.schedule(), run.steps)
    return try spacing.naming {
      var grid: SamplingGrid
      if let sigmas = run.sigmas {
        grid = try SamplingGrid(schedule, sigmas: sigmas)
        if let last = sigmas.last, last > 0 {
          let end = SamplingGrid.Point(timestep: -1, level: grid.points[sigmas.count - 1].level)
          grid = try SamplingGrid(points: grid.points.dropLast(2) + [end], schedule: schedule)
        }
      } else {
        let given = try given(run, of: schedule.timesteps, isExact: true)?.map { Int($0) }
        grid =
          try given.map { try SamplingGrid(schedule, timesteps: $0) } ?? choices.exactGrid(schedule, steps: steps)
          ?? (isLogLinear
            ? SamplingGrid(schedule, steps: steps, spacing: .exponential)
            : SamplingGrid(schedule, steps: steps, spacing: spacing.exact()))
        grid = try ended(grid, atLeastNoise: endsAtLeastNoise(), schedule)
      }
      guard grid.points.allSatisfy(\.hasExploding) else { return grid }
      let points = grid.points.map { point in
        let sigma = point.level.sigma
        return point.exploding(timestep: isContinuous && sigma > 0 ? Math.log(sigma) / 4 : point.timestep)
      }
      return try SamplingGrid(points: points, schedule: schedule)
    }
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let (total, steps, kind) = (try table.timesteps.count(), run.steps, try spacing.kind())
    let (timesteps, sigmas) = (setting.timesteps, setting.sigmas)
    var found: [Deviation] = [.float32Tables]
    if !choices.isMade, !run.hasGivenTimes {
      found += try spacing.deviations(steps, of: total, timesteps: timesteps, fractions: fractions, isSigmaBased: true)
    }
    if steps == 1, kind == .linspace, total > 1, !run.hasGivenTimes { found.append(.oneStepFromTheEnd) }
    found += setting.deviations(total, table, choices, steps)
    if kind != .leading { found.append(.initialScaleWithoutData) }
    if choices.isMade, !sigmas.isEmpty, !run.hasGivenTimes {
      let table = try table.tables(in: run.torch).sigmas
      let (most, least) = (choices.ends.most ?? Double(table.last!), choices.ends.least ?? Double(table[0]))
      let ends = [(sigmas[0], most)] + (steps > 1 ? [(sigmas[steps - 1], least)] : [])
      if ends.contains(where: { abs(Double($0) / $1 - 1) > 0x1p-16 }) { found.append(.subsampledEnds) }
    }
    if roundsKarras, choices.contains(.karras) { found.append(.roundedSigmaTimesteps) }
    if try endsAtLeastNoise(), setting.isIdleAtEnd { found.append(.idleLastStep) }
    return found
  }
}

/// A class whose samples are x0 + σ·epsilon.
protocol ExplodingClass: TableClass {
  var exploding: Exploding { get }
  var output: Output { get }
}

extension ExplodingClass {
  var table: Betas { exploding.table }
  func reading() throws -> any OutputReading { try output.prediction() }
  func clipping() throws -> Clipping { try output.clipping() }
  func grid(_ run: Run) throws -> SamplingGrid { try exploding.grid(run) }
  func setting(_ run: Run) throws -> Setting { try exploding.setting(run) }
  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] { try exploding.deviations(run, setting) }

  /// A run of diffusers, whose samples are given to the network as 1/√(1+σ²) of them.
  func recipe(_ run: Run, moves: (SamplingGrid) throws -> [Move]) throws -> Recipe {
    let setting = try begun(run)
    try setting.check()
    let grid = SamplingGrid(
      unchecked: zip(setting.timesteps + [-1], setting.sigmas).map { .init(timestep: $0, sigma: Double($1)) })
    let moves = try moves(grid)
    // With linspace and trailing spacing the first noise is multiplied by σ, as if it held no data.
    let start = NoiseLevel(
      signal: try exploding.spacing.kind() == .leading ? 1 : 0, noise: Double(setting.sigmas.max() ?? 0))
    return try recipe(moves, of: run, start: start, over: Self.asksTwice ? grid : nil)
  }
}

extension Setting {
  /// Whether the last step goes nowhere. The same sigma through a spacing is off by its roundings,
  /// some ρ·2⁻²³ of Karras'. Steps are longer by far.
  var isIdleAtEnd: Bool {
    let last = timesteps.count - 1
    return sigmas.count > last + 1 ? sigmas[last] <= sigmas[last + 1] * (1 + 0x1p-16) : timesteps.last == 0
  }

  var continuous: Setting {
    Setting(timesteps: sigmas.dropLast().map { Double(0.25 * Float(Math.log(Double($0)))) }, sigmas: sigmas)
  }

  /// The deviations of sigmas of a table, or chosen between its ends.
  func deviations(_ total: Int, _ table: Betas, _ choices: SigmaChoices, _ steps: Int) -> [Deviation] {
    var found: [Deviation] = []
    if timesteps.contains(where: { $0 >= Double(total) }) { found.append(.timestepPastTheEnd) }
    // The sigma of 2⁻²⁴, but for roundings.
    if table.isRescaled, sigmas.contains(where: { $0 > 4095 }) { found.append(.almostZeroSNR) }
    if choices.betaDeviates(steps) { found.append(.betaOverSigmas) }
    if timesteps.count > 1, timesteps[0] == timesteps[1] { found.append(.duplicateStart) }
    return found
  }
}

extension SamplingGrid.Point {
  /// A point whose sample is x0 + σ·epsilon, and whose network was trained on 1/√(1+σ²) of it.
  init(timestep: Double, sigma: Double) {
    self.init(
      timestep: timestep, level: NoiseLevel(signal: 1, noise: sigma),
      inputScale: NoiseLevel.variancePreserving(sigma: sigma).signal)
  }
}

/// diffusers' float32 σ_up and σ_down of an ancestral step. The difference of squares loses what is
/// left of σ_down where σ is large.
///
/// - Parameter needsDown: whether the logarithm of σ_down is taken.
func ancestralSigmas(from: Float, to: Float, at step: Int, timestep: Double, needsDown: Bool, _ run: Run) throws -> (
  up: Float, down: Float
) {
  let up = run.root(to * to * (from * from - to * to) / (from * from))
  let down = run.root(to * to - up * up)
  try require(
    up.isFinite && down.isFinite && (down > 0 || !needsDown), step: step, timestep: timestep,
    "diffusers' sigma_down is \(down) from sigma \(from) to \(to); use more steps or another spacing")
  return (up, down)
}

/// The steps of a method that goes by a point between two sigmas; the last, to clean data, is
/// Euler's.
func midpointMoves(
  _ grid: SamplingGrid,
  _ body: (_ i: Int, _ interval: (from: SamplingGrid.Point, to: SamplingGrid.Point), _ from: Float, _ to: Float) throws
    -> [Move]
) throws -> [Move] {
  try grid.intervals.enumerated().flatMap { i, interval in
    let (from, to) = (interval.from.level, interval.to.level)
    if to.noise > 0 { return try body(i, interval, Float(from.noise), Float(to.noise)) }
    let next = Euler.step(from: from, to: to, denoised: .estimate())
    return [Move(at: interval.from, to: to, estimate: .x0, next: next)]
  }
}

extension Deviation {
  public static let initialScaleWithoutData = Deviation(
    "initialScaleWithoutData",
    "The first sample is sigma·z, as if there were no data in it; a sample at that level has the deviation √(1 + σ²).",
    place: "Euler, Euler ancestral, Heun and others of their family, `timestep_spacing: linspace` and `trailing`; "
      + "consistency models", effect: "√(1 + σ²)/σ, 1.00037 for sigma 36.9.")
  public static let subsampledEnds = Deviation(
    "subsampledEnds",
    "Karras', exponential and beta sigmas lie between the first and the last that `timestep_spacing` has chosen, not "
      + "between those of the schedule.",
    place: "Euler, Heun and others of their family, `use_karras_sigmas`, `use_exponential_sigmas` or `use_beta_sigmas`",
    effect: "With Stable Diffusion's betas, trailing spacing and N = 20 the last sigma is 0.223 instead of 0.029.")
}
