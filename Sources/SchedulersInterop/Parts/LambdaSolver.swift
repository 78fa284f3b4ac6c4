import Schedulers

/// What the classes share that solve in lambda, on variance-preserving samples or on rectified
/// flow.
struct LambdaSolver {
  let table: Betas
  let output: Output
  let lowersFinalOrder: Given<Bool>
  var choices: SigmaChoices
  var shifting: FlowShifting
  let spacing: Spacing
  /// Whether the run ends at timestep 0 instead of clean data; nil for a class that always does.
  var ending: NamedChoice<Bool>?
  /// The least lambda of the timesteps that a run uses.
  private var leastLambda: Given<Double>?
  /// Whether the network's output has a second half.
  private(set) var learnsVariance = false
  /// Whether the run goes from data to noise.
  var ascends = false
  /// Whether runs on chosen sigmas end where they are already.
  var idlesOnChoices = true
  /// What is done to the fractional timesteps of a choice.
  var roundsTowardZero = false

  /// Reads what all of them have, in the order of their constructors but for the order of the
  /// solver.
  ///
  /// - Parameters:
  ///   - lowersFinalOrder: its default.
  ///   - spaces: whether the class has `timestep_spacing`.
  ///   - shiftsDynamically: whether the class has a shift by mu.
  init(
    _ o: inout OptionReader, lowersFinalOrder: Bool = true, canRescale: Bool = false, spaces: Bool = true,
    shiftsDynamically: Bool = true, hasTerminal: Bool = false, declaresEnds: Bool = false, hasLu: Bool = false
  ) {
    table = Betas(&o, canRescale: canRescale, keepsSignal: true)
    output = Output(
      &o, ["epsilon": .epsilon, "sample": .x0, "v_prediction": .v, "flow_prediction": .flow], thresholds: true)
    self.lowersFinalOrder = o.boolean("lower_order_final", lowersFinalOrder)
    choices = SigmaChoices(&o, declaresEnds: declaresEnds, hasLu: hasLu, hasFlow: true)
    shifting = FlowShifting(&o, "flow_shift", isDynamic: shiftsDynamically, hasTerminal: hasTerminal)
    shifting.needsMu = false
    spacing = spaces ? Spacing(&o, "linspace") : Spacing(fixed: .linspace)
  }

  /// Adds `lambda_min_clipped`.
  mutating func readLeastLambda(_ o: inout OptionReader) { leastLambda = o.number("lambda_min_clipped", -.infinity) }

  /// Adds `variance_type`, which says whether a network of epsilon has a second half, about the
  /// variance.
  mutating func readVariance(_ o: inout OptionReader) {
    let isLearned = ["learned", "learned_range"].contains(o.text("variance_type", nil).value)
    learnsVariance = isLearned && output.name == "epsilon"
  }

  var usesFlow: Bool { choices.contains(.flow) }
  func endsAtLeastNoise() throws -> Bool { try ending?.get() ?? true }

  func prediction() throws -> Prediction {
    let prediction = try output.prediction()
    guard prediction != .flow || usesFlow else { throw output.refused("use it with use_flow_sigmas") }
    return prediction
  }

  /// Throws for rectified flow's prediction, which diffusers does not take with all options.
  func refuseFlow(_ circumstance: String) throws {
    if try prediction() == .flow { throw output.refused("diffusers does not take it \(circumstance)") }
  }

  // diffusers

  /// diffusers' timesteps and sigmas.
  ///
  /// - Parameter flow: the sigmas of rectified flow.
  func setting(_ run: Run, flow: (() throws -> [Double])? = nil) throws -> Setting {
    if run.timesteps != nil { try choices.refuse(run, .timesteps) }
    let (tables, steps) = (try table.tables(in: run.torch), run.steps)
    let (table, last) = (tables.sigmas, try lastTimestep(tables))
    // One more is chosen, and the last left out.
    var timesteps =
      try run.arguments.timesteps(of: table.count, mustFall: false)
      ?? spacing.timesteps(steps, chosen: steps + 1, of: table.count, last: last, ascends: ascends)
    var sigmas = timesteps.map { NumPy.interpolate($0, in: table) }
    var rounding: FloatingPointRoundingRule?
    let choice = try choices.choice()
    if choice == .flow {
      sigmas = try flow?() ?? flowSigmas(steps, mu: run.mu)
      timesteps = sigmas.map { $0 * Double(table.count) }
      rounding = .towardZero
    } else if let choice {
      let logarithms = table.map(NumPy.log)
      if choice == .lu {
        let (most, least) = (Double(logarithms[logarithms.count - 1]), Double(logarithms[0]))
        sigmas = NumPy.linspace(0, 1, steps).map { Math.exp(most + $0 * (least - most)) }
      } else {
        let (ends, given) = (choices.ends, run.sigmas)
        let (least, most) = (given?.first ?? Double(table[0]), given?.last ?? Double(table[table.count - 1]))
        sigmas = SigmaChoices.sigmas(
          choice, count: steps, from: ends.most ?? (ascends ? least : most), to: ends.least ?? (ascends ? most : least),
          exponent: run.karrasExponent)
      }
      if usesFlow {
        sigmas = sigmas.map { $0 / ($0 + 1) }
        timesteps = sigmas.map { $0 * Double(table.count) }
      } else {
        timesteps = sigmas.map { SigmaChoices.timestep(of: $0, in: logarithms) }
      }
      rounding = !usesFlow && !roundsTowardZero && (choice == .karras || choice == .lu) ? .toNearestOrEven : .towardZero
    }
    // Of equal timesteps the first alone stays, but all of their sigmas; then they are cut off.
    if ascends {
      var seen: Set<Double> = []
      let rounded = rounding == .towardZero ? timesteps : timesteps.map { $0.rounded(.toNearestOrEven) }
      timesteps = rounded.filter { seen.insert($0).inserted }
    }
    if let rounding { timesteps = timesteps.map { $0.rounded(rounding) } }
    let isZero = try !endsAtLeastNoise() && !ascends
    let isIdle = choice != nil && idlesOnChoices
    let end = isZero ? 0 : isIdle ? Float(sigmas[sigmas.count - 1]) : table[ascends ? last - 1 : 0]
    try checkDivisors(sigmas, timesteps: timesteps)
    if choice == .flow, end >= 1, let ending {
      throw ending.given.refused("use zero; the betas give a last sigma of \(end), outside 0 ..< 1")
    }
    return Setting(timesteps: timesteps.map { Double(Float($0)) }, sigmas: sigmas.map { Float($0) } + [end])
  }

  /// The number of timesteps whose lambda is not below `lambda_min_clipped`.
  private func lastTimestep(_ tables: DiffusersConfiguration.Tables) throws -> Int {
    guard let leastLambda else { return tables.alphaBars.count }
    func log(_ x: Float) -> Float { Float(Math.log(Double(tables.torch.root(x)))) }
    let least = Float(leastLambda.value)
    let last = tables.alphaBars.count - tables.alphaBars.count { log($0) - log(1 - $0) < least }
    guard last > 0 else { throw leastLambda.refused("lower it; every timestep is below it") }
    return last
  }

  /// The sigmas of rectified flow, in NumPy's arithmetic.
  private func flowSigmas(_ steps: Int, mu: Double?) throws -> [Double] {
    if mu != nil, let type = shifting.isExponential, type.name == "linear" {
      throw type.given.refused("use exponential; diffusers' class takes mu for an exponent alone")
    }
    let shift = try shifting.factor(mu: mu)
    let line = NumPy.linspace(1, 1 / Double(try table.timesteps.count()), steps + 1)
    return line.dropFirst().reversed().map { time in shift * (1 - time) / (1 + (shift - 1) * (1 - time)) }
  }

  func level(_ sigma: Float) -> NoiseLevel {
    usesFlow
      ? NoiseLevel(signal: Double(max(1 - sigma, 0)), noise: Double(sigma)) : .variancePreserving(sigma: Double(sigma))
  }

  func levels(_ run: Run) -> Float32Levels {
    Float32Levels(path: usesFlow ? .straight : .variancePreserving, torch: run.torch)
  }

  // The mathematics

  func grid(_ run: Run) throws -> SamplingGrid {
    let (choice, steps) = (try choices.choice(), run.steps)
    if choice == .flow {
      let (shift, mu) = try shifting.exact(mu: run.mu)
      let spacing = FlowSpacing(
        times: .equal, shift: shift, last: nil, terminal: try shifting.last(),
        respacing: nil, timesteps: Double(try table.timesteps.count()), isReversed: false)
      return try shifting.naming {
        try run.sigmas.map { try SamplingGrid(flow: spacing, times: $0, mu: mu) }
          ?? SamplingGrid(flow: spacing, steps: steps, mu: mu)
      }
    }
    let schedule = try table.schedule()
    if choice == .karras, usesFlow {
      // At the sigmas of the other path, noise over signal.
      return try choices.exactGrid(schedule, steps: steps)!.onStraightLine(timesteps: schedule.timesteps)
    }
    return try spacing.naming {
      let unclipped = try unclipped(schedule)
      let given = try run.arguments.timesteps(of: schedule.timesteps)?.map { Int($0) }
      let grid =
        try given.map { try SamplingGrid(schedule, timesteps: $0) }
        ?? choices.exactGrid(schedule, steps: steps, of: unclipped.timesteps)
        ?? SamplingGrid(unclipped, steps: steps, spacing: spacing.exact())
      return try ended(grid, atLeastNoise: !ascends && endsAtLeastNoise(), schedule)
    }
  }

  /// The part of the schedule whose lambda is not below `lambda_min_clipped`.
  private func unclipped(_ schedule: NoiseSchedule) throws -> NoiseSchedule {
    guard let leastLambda, leastLambda.value > -.infinity else { return schedule }
    let count = schedule.logSNR.prefix { $0 / 2 >= leastLambda.value }.count
    guard count > 0 else { throw leastLambda.refused("lower it; every timestep is below it") }
    return try table.naming { try schedule.prefix(count) }
  }

  // Deviations

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let (total, steps, kind) = (try table.timesteps.count(), run.steps, try spacing.kind())
    var found: [Deviation] = [.float32Tables]
    if run.hasGivenTimes {
      // They are as they are given.
    } else if !choices.isMade {
      found += try spacing.deviations(
        steps, of: total, timesteps: ascends ? setting.timesteps.reversed() : setting.timesteps, fractions: .rounded,
        isSigmaBased: true)
      // One step begins at the end of linspace either way.
      if kind != .trailing, steps > 1 || kind != .linspace { found.append(.oneMorePoint) }
    } else {
      found.append(.roundedSigmaTimesteps)
    }
    found += setting.deviations(total, table, choices, steps)
    if usesFlow, (try? prediction()) == .v { found.append(.vOnStraightLines) }
    if !ascends, try endsAtLeastNoise(), setting.isIdleAtEnd { found.append(.idleLastStep) }
    return found
  }
}

/// A class that solves in lambda.
protocol LambdaClass: TableClass {
  var lambda: LambdaSolver { get }
  /// What is interpolated.
  func estimate() throws -> Estimate
  /// The exact steps over a grid.
  func moves(_ grid: SamplingGrid) throws -> [Move]
}

extension LambdaClass {
  var table: Betas { lambda.table }
  var takesMu: Bool { lambda.shifting.isDynamicOn }
  var learnsVariance: Bool { lambda.learnsVariance }
  func reading() throws -> any OutputReading { try lambda.prediction() }
  func clipping() throws -> Clipping { try lambda.output.clipping() }
  func grid(_ run: Run) throws -> SamplingGrid { try lambda.grid(run) }
  func setting(_ run: Run) throws -> Setting { try lambda.setting(run) }
  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] { try lambda.deviations(run, setting) }

  func sampler(_ run: Run) throws -> any Sampler { try sampler(run, over: begunGrid(run)) }
  func sampler(_ run: Run, over grid: SamplingGrid) throws -> any Sampler {
    FixedMoves(moves: try moves(grid), start: lambda.ascends ? DDIMInversion().start(of: grid) : nil)
  }

  func recipe(_ run: Run, moves: (SamplingGrid) throws -> [Move]) throws -> Recipe {
    let setting = try begun(run)
    try setting.check()
    let grid = setting.grid(lambda.level)
    let moves = try moves(grid)
    let prediction = try lambda.prediction()
    let reading: any OutputReading =
      try prediction == .v && lambda.usesFlow ? CircularV(isEpsilon: estimate() == .epsilon) : prediction
    return try recipe(moves, of: run, reading: reading)
  }
}

extension Deviation {
  public static let roundedSigmaTimesteps = Deviation(
    "roundedSigmaTimesteps",
    "The timesteps of Karras' sigmas are rounded, those of exponential ones and of the cosine schedule cut off, while "
      + "the sigmas stay; several steps may have one timestep.",
    place:
      "DPM-Solver and the other solvers, `use_karras_sigmas`, `use_exponential_sigmas` or another choice of sigmas; "
      + "KDPM2 and KDPM2 ancestral, `use_karras_sigmas`",
    effect:
      "Karras with N = 100 has the timestep 0 twice and asks about 95 different ones; exponential sigmas begin at 998.",
    issue: 4122)
  public static let oneMorePoint = Deviation(
    "oneMorePoint", "N + 1 timesteps are chosen and the least noisy is left out; the noisiest, of an inversion.",
    place: "DPM-Solver multistep, `timestep_spacing: linspace` and `leading`",
    effect: "Linspace with N = 10 ends at timestep 100 instead of 0.")
  public static let vOnStraightLines = Deviation(
    "vOnStraightLines",
    "x̂0 is read as signal·x − noise·v, which needs signal² + noise² = 1, while the samples are on straight lines with "
      + "signal + noise = 1.",
    place:
      "DPM-Solver multistep and singlestep, DEIS and UniPC, `use_flow_sigmas` with `prediction_type: v_prediction`",
    effect: "Half way x̂0 is half as large as it should be.")
}
