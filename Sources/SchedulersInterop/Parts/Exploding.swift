import Schedulers

/// What the classes share whose samples are x0 + σ·epsilon, at sigmas of a table or between its ends.
struct Exploding {
  static let deviations: [Deviation] = [.initialScaleWithoutData, .subsampledEnds]

  let table: Betas
  let choices: SigmaChoices
  let spacing: Spacing
  /// In what fractional timesteps are kept where they are spaced.
  var fractions = Spacing.Fractions.float32
  /// In what the timesteps of chosen sigmas are kept.
  var chosenFractions = Spacing.Fractions.float32
  /// Whether those of Karras' sigmas are rounded.
  var roundsKarras = false
  /// Whether the run ends at the least noise instead of clean data.
  var endsAtLeastNoise = false

  /// diffusers' sigmas in equal steps of ln σ, one more than the steps, whatever the timesteps.
  static func logLinear(_ table: [Float], steps: Int) -> [Double] {
    let (start, end) = (NumPy.log(table[table.count - 1]), NumPy.log(table[0]))
    return Torch.linspace(Double(start), Double(end), steps + 1).map { Double(Float(Math.exp(Double($0)))) }
  }

  /// diffusers' timesteps and sigmas.
  func setting(_ run: Run, isLogLinear: Bool = false) throws -> Setting {
    let (table, steps) = (try table.tables(in: run.torch).sigmas, run.steps)
    var timesteps = try spacing.timesteps(steps, of: table.count, fractions: fractions)
    var sigmas = isLogLinear ? Self.logLinear(table, steps: steps) : timesteps.map { NumPy.interpolate($0, in: table) }
    if let choice = try choices.choice() {
      let ends = choices.ends
      sigmas = SigmaChoices.sigmas(
        choice, count: steps, from: ends.most ?? sigmas[0], to: ends.least ?? sigmas[sigmas.count - 1])
      let logarithms = table.map(NumPy.log)
      timesteps = sigmas.map { SigmaChoices.timestep(of: $0, in: logarithms) }
      if roundsKarras, choice == .karras { timesteps = timesteps.map { $0.rounded(.toNearestOrEven) } }
      if chosenFractions == .float32 { timesteps = timesteps.map { Double(Float($0)) } }
    }
    try checkDivisors(sigmas, timesteps: timesteps)
    return Setting(timesteps: timesteps, sigmas: sigmas.map { Float($0) } + [endsAtLeastNoise ? table[0] : 0])
  }

  /// The exact grid, on which samples are x0 + σ·epsilon unless a point has no signal.
  ///
  /// - Parameters:
  ///   - isLogLinear: whether sigmas lie in equal steps of ln σ.
  ///   - isContinuous: whether the network is told ln(σ)/4.
  func grid(_ run: Run, isLogLinear: Bool = false, isContinuous: Bool = false) throws -> SamplingGrid {
    let (schedule, steps) = (try table.schedule(), run.steps)
    return try spacing.naming {
      var grid: SamplingGrid
      if let chosen = try choices.exactGrid(schedule, steps: steps) {
        grid = chosen
      } else if isLogLinear {
        grid = try SamplingGrid(schedule, steps: steps, spacing: .exponential)
      } else {
        grid = try SamplingGrid(schedule, steps: steps, spacing: spacing.exact())
      }
      grid = try ended(grid, atLeastNoise: endsAtLeastNoise, schedule)
      guard grid.points.allSatisfy({ $0.level.signal > 0 }) else { return grid }
      let points = grid.points.map { point in
        let sigma = point.level.sigma
        return SamplingGrid.Point(
          timestep: isContinuous && sigma > 0 ? Math.log(sigma) / 4 : point.timestep, sigma: sigma)
      }
      return try SamplingGrid(points: points, schedule: schedule)
    }
  }

  /// The deviations of the grid and the start.
  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let (total, steps) = (try table.timesteps.count(), run.steps)
    let (timesteps, sigmas) = (setting.timesteps, setting.sigmas)
    var found: [Deviation] = [.float32Tables]
    if !choices.isMade {
      found += try spacing.deviations(steps, of: total, timesteps: timesteps, fractions: fractions, isSigmaBased: true)
    }
    let kind = try spacing.kind()
    if steps == 1, kind == .linspace, total > 1 { found.append(.oneStepFromTheEnd) }
    if timesteps.contains(where: { $0 >= Double(total) }) { found.append(.timestepPastTheEnd) }
    // The sigma of 2⁻²⁴, but for roundings.
    if table.isRescaled, sigmas.contains(where: { $0 > 4095 }) { found.append(.almostZeroSNR) }
    if kind != .leading { found.append(.initialScaleWithoutData) }
    if choices.isMade, !sigmas.isEmpty {
      let table = try table.tables(in: run.torch).sigmas
      let (most, least) = (choices.ends.most ?? Double(table.last!), choices.ends.least ?? Double(table[0]))
      let ends = [(sigmas[0], most)] + (steps > 1 ? [(sigmas[steps - 1], least)] : [])
      if ends.contains(where: { abs(Double($0) / $1 - 1) > 0x1p-16 }) { found.append(.subsampledEnds) }
    }
    if choices.betaDeviates(steps) { found.append(.betaOverSigmas) }
    if roundsKarras, choices.contains(.karras) { found.append(.roundedSigmaTimesteps) }
    if timesteps.count > 1, timesteps[0] == timesteps[1] { found.append(.duplicateStart) }
    if endsAtLeastNoise, setting.isIdleAtEnd { found.append(.idleLastStep) }
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
  ///
  /// - Parameter moves: the steps over the points.
  func recipe(_ run: Run, moves: (SamplingGrid) throws -> [Move]) throws -> Recipe {
    let setting = try setting(run)
    try setting.check()
    let grid = SamplingGrid(
      unchecked: zip(setting.timesteps + [-1], setting.sigmas).map { timestep, sigma in
        SamplingGrid.Point(timestep: timestep, sigma: Double(sigma))
      })
    let moves = try moves(grid)
    try checkStart(moves)
    // With linspace and trailing spacing diffusers multiplies the first noise by σ, as if there were no
    // data in it.
    let start = NoiseLevel(
      signal: try exploding.spacing.kind() == .leading ? 1 : 0, noise: Double(setting.sigmas.max() ?? 0))
    return Recipe(
      moves, start: start, over: Self.asksTwice ? grid : nil, reading: try reading(), clipping: try clipping())
  }
}

extension Setting {
  /// Whether the last step goes nowhere. The same sigma through a spacing is off by its roundings, some
  /// ρ·2⁻²³ of Karras'. Steps are longer by far.
  var isIdleAtEnd: Bool {
    let last = timesteps.count - 1
    return sigmas.count > last + 1 ? sigmas[last] <= sigmas[last + 1] * (1 + 0x1p-16) : timesteps.last == 0
  }

  /// With ln(σ)/4 for timesteps.
  var continuous: Setting {
    Setting(timesteps: sigmas.dropLast().map { Double(0.25 * Float(Math.log(Double($0)))) }, sigmas: sigmas)
  }
}

extension SamplingGrid.Point {
  /// A point of an exploding process, whose sample is x0 + σ·epsilon and whose network was trained on
  /// 1/√(1+σ²) of it.
  init(timestep: Double, sigma: Double) {
    self.init(
      timestep: timestep, level: NoiseLevel(signal: 1, noise: sigma),
      inputScale: NoiseLevel.variancePreserving(sigma: sigma).signal)
  }
}

extension LinearForm {
  /// The same, from the sample as it was made, whoever has replaced it since.
  var fromMade: LinearForm {
    let factor = samples.first ?? 0
    return self - factor * .sample + factor * .made
  }
}

/// diffusers' float32 σ_up and σ_down of an ancestral step.
struct AncestralSigmas {
  let up: Float
  let down: Float

  /// The difference of squares loses what is left of σ_down where σ is large.
  ///
  /// - Parameter needsDown: whether the logarithm of σ_down is taken.
  init(from: Float, to: Float, at step: Int, timestep: Double, needsDown: Bool, _ run: Run) throws {
    up = run.root(to * to * (from * from - to * to) / (from * from))
    down = run.root(to * to - up * up)
    try require(
      up.isFinite && down.isFinite && (down > 0 || !needsDown),
      .notFinite(
        step: step, timestep: timestep,
        "diffusers' sigma_down is \(down) from sigma \(from) to \(to); use more steps or another spacing"))
  }
}

/// The steps of a method that makes those between two sigmas by a point between them; the last, to clean
/// data, is Euler's.
func midpointMoves(
  _ grid: SamplingGrid,
  _ body: (_ i: Int, _ interval: (from: SamplingGrid.Point, to: SamplingGrid.Point), _ from: Float, _ to: Float) throws
    -> [Move]
) throws -> [Move] {
  var moves: [Move] = []
  for (i, interval) in grid.intervals.enumerated() {
    let (from, to) = (Float(interval.from.level.noise), Float(interval.to.level.noise))
    if to > 0 {
      moves += try body(i, interval, from, to)
    } else {
      let next = Euler.step(from: interval.from.level, to: interval.to.level, denoised: .estimate())
      moves.append(Move(at: interval.from, to: interval.to.level, estimate: .x0, next: next))
    }
  }
  return moves
}

extension Deviation {
  public static let initialScaleWithoutData = Deviation(
    "initialScaleWithoutData",
    what:
      "The first sample is sigma·z, as if there were no data in it; a sample at that level has the deviation √(1 + σ²).",
    place:
      "Euler, Euler ancestral, Heun and others of their family, `timestep_spacing: linspace` and `trailing`; consistency models",
    effect: "√(1 + σ²)/σ, 1.00037 for sigma 36.9.")
  public static let subsampledEnds = Deviation(
    "subsampledEnds",
    what:
      "Karras', exponential and beta sigmas lie between the first and the last that `timestep_spacing` has chosen, not between those of "
      + "the schedule.",
    place: "Euler, Heun and others of their family, `use_karras_sigmas`, `use_exponential_sigmas` or `use_beta_sigmas`",
    effect: "With Stable Diffusion's betas, trailing spacing and N = 20 the last sigma is 0.223 instead of 0.029.")
}
