extension DiffusersConfiguration {
  /// The schedule that the network was trained with.
  ///
  /// - Parameter fidelity: `.corrected` for the formula in Double; `.diffusers` for diffusers' float32 ᾱ, kept exactly.
  /// - Throws: `ConfigurationError` if the class does not have the schedule, or the numbers make none.
  public func schedule(fidelity: Fidelity = .corrected) throws(ConfigurationError) -> NoiseSchedule {
    do {
      switch fidelity {
      case .diffusers: return try NoiseSchedule(alphaBars: tables().alphaBars.map(Double.init))
      case .corrected:
        guard schedulerClass != .ipndm else { throw ConfigurationError.continuous(className: className) }
        let schedule = try namedSchedule()
        return boolean("rescale_betas_zero_snr") ? try schedule.rescaledToZeroTerminalSNR() : schedule
      }
    } catch let error as ScheduleError {
      throw .schedule(error)
    } catch {
      throw error as! ConfigurationError
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
  public func grid(steps: Int, fidelity: Fidelity = .corrected) throws(ConfigurationError) -> SamplingGrid {
    _ = try checked(steps: steps)
    switch fidelity {
    case .corrected: return try correctedGrid(steps: steps)
    case .diffusers:
      let moves = try faithfulMoves(steps: steps, step: StepArguments()).moves
      // Heun's second evaluation of an interval arrives where it is.
      let points = moves.filter { $0.query.level != $0.arrival || schedulerClass != .heunDiscrete }.map(\.query)
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
    let (prediction, clipping) = (try prediction(), try clipping())
    let moves: Moves
    switch fidelity {
    case .corrected: moves = try correctedMoves(steps: steps, step: arguments)
    case .diffusers: moves = try faithfulMoves(steps: steps, step: arguments)
    }
    do {
      return try moves.plan(
        over: SamplingGrid(unchecked: [.clean]), predicting: prediction, clipping: clipping, learnsVariance: learnsVariance)
    } catch { throw .plan(error) }
  }

  /// The timesteps in the order in which the network is told them; Heun's with its repeats.
  ///
  /// - Throws: `ConfigurationError` for what is not supported, or a number of steps outside 1 ... T.
  public func timesteps(steps: Int, fidelity: Fidelity = .corrected) throws(ConfigurationError) -> [Double] {
    switch fidelity {
    case .corrected:
      return try correctedMoves(steps: steps, step: StepArguments()).moves.map(\.query.timestep)
    case .diffusers:
      let timesteps = try setting(steps: steps).timesteps
      guard schedulerClass == .heunDiscrete else { return timesteps }
      return Array(timesteps.prefix(1)) + timesteps.dropFirst().flatMap { [$0, $0] }
    }
  }

  /// diffusers' sigmas for a number of steps in float32, that of the end last; without Heun's repeats.
  ///
  /// - Returns: nothing for DDPM, DDIM, DDIM inverse and IPNDM, which have none.
  /// - Throws: `ConfigurationError` for what is not supported, or a number of steps outside 1 ... T.
  public func sigmas(steps: Int) throws(ConfigurationError) -> [Float] {
    try setting(steps: steps).sigmas
  }

  /// Whether the network's output has a second half, about the variance.
  private var learnsVariance: Bool {
    let isLearned = ["learned", "learned_range"].contains(string("variance_type"))
    return isLearned && (schedulerClass == .ddpm || string("prediction_type") == "epsilon")
  }

  private func check(_ arguments: StepArguments) throws(ConfigurationError) {
    if schedulerClass != .ddim {
      guard arguments.eta == 0 else {
        throw .argument("eta", value: arguments.eta, className: className, remedy: "only DDIM has it")
      }
      guard !arguments.usesClippedModelOutput else {
        throw .argument("use_clipped_model_output", value: 1, className: className, remedy: "only DDIM has it")
      }
    }
    guard arguments.churn == 0 else {
      throw .argument("s_churn", value: arguments.churn, className: className, remedy: "use 0")
    }
    guard schedulerClass == .lms || arguments.order == StepArguments().order else {
      throw .argument("order", value: Double(arguments.order), className: className, remedy: "only LMSDiscreteScheduler has it")
    }
  }
}
