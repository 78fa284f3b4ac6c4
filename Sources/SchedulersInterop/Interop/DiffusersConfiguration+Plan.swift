import Schedulers

extension DiffusersConfiguration {
  /// The schedule that the network was trained with.
  ///
  /// - Parameter fidelity: `.corrected` for the formula in Double; `.diffusers` for diffusers' float32 ᾱ, kept exactly.
  /// - Throws: `ConfigurationError` if the class does not have the schedule, or the numbers make none.
  public func schedule(fidelity: Fidelity = .corrected) throws(ConfigurationError) -> NoiseSchedule {
    try naming {
      switch fidelity {
      case .diffusers: return try NoiseSchedule(alphaBars: tables().alphaBars.map(Double.init))
      case .corrected:
        guard family.hasTable else { throw ConfigurationError.continuous(className: className) }
        let schedule = try namedSchedule()
        return boolean("rescale_betas_zero_snr") ? try schedule.rescaledToZeroTerminalSNR() : schedule
      }
    }
  }

  private func namedSchedule() throws -> NoiseSchedule {
    let count = try trainingTimesteps()
    if let betas = try trainedBetas(count: count) { return try NoiseSchedule(betas: betas) }
    let (start, end) = (number("beta_start")!, number("beta_end")!)
    switch try betaFormula() {
    case .linear: return try NoiseSchedule(.linear(start: start, end: end), timesteps: count)
    case .scaledLinear: return try NoiseSchedule(.scaledLinear(start: start, end: end), timesteps: count)
    case .sigmoid: return try NoiseSchedule(.sigmoid(start: start, end: end), timesteps: count)
    case .alphaBar(.cosine): return try NoiseSchedule(.cosine(), timesteps: count)
    case .alphaBar(let formula): return try NoiseSchedule(betas: formula.betas(timesteps: count))
    }
  }

  /// The points at which the network is called, noisiest first, and the end.
  ///
  /// Under `.diffusers` the points are diffusers' and need not descend. The samples of Euler, ancestral Euler, Heun and LMS are
  /// x0 + σ·epsilon, the input scaled; those of the others are variance preserving.
  ///
  /// - Throws: `ConfigurationError` for what is not supported, or a number of steps outside 1 ... T.
  public func grid(
    steps: Int, fidelity: Fidelity = .corrected, step arguments: StepArguments = StepArguments()
  ) throws(ConfigurationError) -> SamplingGrid {
    _ = try checked(steps: steps)
    switch fidelity {
    case .corrected: return try correctedGrid(steps: steps, step: arguments)
    case .diffusers:
      let moves = try faithfulMoves(steps: steps, step: arguments).moves
      // Heun's second evaluation of an interval arrives where it is.
      let points = moves.filter { $0.query.level != $0.arrival || !isHeun }.map(\.query)
      return SamplingGrid(unchecked: points + [SamplingGrid.Point(timestep: -1, level: moves[moves.count - 1].arrival)])
    }
  }

  /// The plan of a run.
  ///
  /// - Parameters:
  ///   - steps: the number of inference steps, 1 ... T. Heun calls the network nearly twice as often.
  ///   - fidelity: `.corrected` for the mathematics, `.diffusers` for what diffusers does.
  ///   - arguments: the extra arguments of diffusers' `step`.
  /// - Throws: `ConfigurationError` for a value that would change the numbers and is not supported, and where the numbers do not exist.
  public func plan(
    steps: Int, fidelity: Fidelity = .corrected, step arguments: StepArguments = StepArguments()
  ) throws(ConfigurationError) -> SamplingPlan {
    try check(arguments)
    let clipping = try clipping()
    let moves: Moves
    switch fidelity {
    case .corrected: moves = try correctedMoves(steps: steps, step: arguments)
    case .diffusers: moves = try faithfulMoves(steps: steps, step: arguments)
    }
    let grid = SamplingGrid(unchecked: [.clean])
    if family == .edm {
      return try naming { try moves.plan(over: grid, predicting: edmReading(), clipping: clipping) }
    }
    if family == .consistency {
      let reading = AskedAsGiven(base: try consistencyFunction())
      return try naming { try moves.plan(over: grid, predicting: reading, clipping: clipping) }
    }
    let prediction = try prediction()
    if fidelity == .diffusers, schedulerClass == .ipndm || prediction == .v && isSolver && boolean("use_flow_sigmas") {
      return try planOnCircle(moves, clipping: clipping)
    }
    return try naming {
      try moves.plan(over: grid, predicting: prediction, clipping: clipping, learnsVariance: learnsVariance)
    }
  }

  /// The timesteps in the order in which the network is told them; Heun's with its repeats.
  ///
  /// - Throws: `ConfigurationError` for what is not supported, or a number of steps outside 1 ... T.
  public func timesteps(
    steps: Int, fidelity: Fidelity = .corrected, step arguments: StepArguments = StepArguments()
  ) throws(ConfigurationError) -> [Double] {
    switch fidelity {
    case .corrected:
      return try correctedMoves(steps: steps, step: arguments).moves.map(\.query.timestep)
    case .diffusers:
      let timesteps = try setting(steps: steps, step: arguments).timesteps
      if [.pndm, .kdpm2Discrete, .kdpm2AncestralDiscrete, .dpmSolverSDE, .rePaint].contains(schedulerClass) {
        return try faithfulMoves(steps: steps, step: arguments).moves.map(\.query.timestep)
      }
      guard isHeun else { return timesteps }
      return Array(timesteps.prefix(1)) + timesteps.dropFirst().flatMap { [$0, $0] }
    }
  }

  /// diffusers' sigmas for a number of steps in float32, that of the end last; without Heun's repeats.
  ///
  /// - Returns: nothing for DDPM, DDIM, DDIM inverse and IPNDM, which have none.
  /// - Throws: `ConfigurationError` for what is not supported, or a number of steps outside 1 ... T.
  public func sigmas(steps: Int, step arguments: StepArguments = StepArguments()) throws(ConfigurationError) -> [Float] {
    try setting(steps: steps, step: arguments).sigmas
  }

  /// The plan of a network of v whose levels are not on the circle signal² + noise² = 1: those of rectified flow, and those that were rounded
  /// to float32. diffusers reads x̂0 as if they were, signal·x − noise·v.
  private func planOnCircle(_ moves: Moves, clipping: Clipping) throws(ConfigurationError) -> SamplingPlan {
    // Where epsilon is interpolated it is read as signal·v + noise·x, from which this x̂0 follows.
    let isEpsilon = schedulerClass != .deis && moves.moves[0].estimate == .epsilon
    return try naming {
      try moves.plan(over: SamplingGrid(unchecked: [.clean]), predicting: CircularV(isEpsilon: isEpsilon), clipping: clipping)
    }
  }

  /// v read as where signal² + noise² is 1.
  private struct CircularV: OutputReading {
    var isEpsilon: Bool

    var name: String { Prediction.v.name }
    func query(at point: SamplingGrid.Point) -> SamplingPlan.Query { point }
    func denoising(at query: SamplingPlan.Query, next: SamplingPlan.Query?) -> Readout? {
      let level = query.level
      let sample = isEpsilon && level.signal > 0 ? (1 - level.noise * level.noise) / level.signal : level.signal
      return Readout(sample: sample, output: -level.noise)
    }
  }

  private var isHeun: Bool { schedulerClass == .heunDiscrete || schedulerClass == .flowMatchHeunDiscrete }

  /// Whether the network's output has a second half, about the variance.
  private var learnsVariance: Bool {
    let isLearned = ["learned", "learned_range"].contains(string("variance_type"))
    return isLearned && (schedulerClass == .ddpm || string("prediction_type") == "epsilon")
  }

  private func check(_ arguments: StepArguments) throws(ConfigurationError) {
    if schedulerClass != .tcd, schedulerClass != .ddim, let eta = arguments.eta, eta != 0 {
      throw .argument("eta", value: eta, className: className, remedy: "only DDIM and TCD have it")
    }
    if schedulerClass != .ddim {
      guard !arguments.usesClippedModelOutput else {
        throw .argument("use_clipped_model_output", value: 1, className: className, remedy: "only DDIM has it")
      }
    }
    guard arguments.churn == 0 || hasChurn else {
      throw .argument(
        "s_churn", value: arguments.churn, className: className,
        remedy: "use 0; only EulerDiscreteScheduler, EDMEulerScheduler and FlowMatchHeunDiscreteScheduler add noise for it")
    }
    for (name, value) in [("s_churn", arguments.churn), ("s_noise", arguments.churnNoise)] {
      guard value >= 0, value <= Double(Float.greatestFiniteMagnitude) else {
        throw .argument(name, value: value, className: className, remedy: "it must be 0 or more and finite")
      }
    }
    for (name, value) in [("s_tmin", arguments.churnMinimum), ("s_tmax", arguments.churnMaximum)] {
      guard !value.isNaN else { throw .argument(name, value: value, className: className, remedy: "it must be a number") }
    }
    if let mu = arguments.mu {
      guard boolean("use_dynamic_shifting"), mu.isFinite else {
        throw .argument("mu", value: mu, className: className, remedy: "it is a number, for use_dynamic_shifting")
      }
    }
    try checkTaker(arguments)
    let (plain, isRePaint) = (StepArguments(), schedulerClass == .rePaint)
    for (name, value, usual) in [
      ("jump_length", arguments.jumpLength, plain.jumpLength), ("jump_n_sample", arguments.resamplings, plain.resamplings),
    ] {
      guard isRePaint || value == usual else {
        throw .argument(name, value: Double(value), className: className, remedy: "only RePaintScheduler has it")
      }
    }
    guard schedulerClass == .lms || arguments.order == StepArguments().order else {
      throw .argument("order", value: Double(arguments.order), className: className, remedy: "only LMSDiscreteScheduler has it")
    }
  }
}
