import Schedulers

// The steps of diffusers' schedulers. Levels come from its float32 tables; the previous timestep is the one that it takes.

extension DiffusersConfiguration {
  /// Moves made from a table of another library, and the level that they start from.
  struct Moves: Sampler {
    var moves: [Move]
    var start: NoiseLevel

    func moves(over grid: SamplingGrid) -> [Move] { moves }
    func start(of grid: SamplingGrid) -> NoiseLevel { start }
  }

  /// What diffusers does at each step.
  func faithfulMoves(steps: Int, step arguments: StepArguments) throws(ConfigurationError) -> Moves {
    let moves = try faithfulSteps(steps: steps, step: arguments)
    try checkStart(moves.moves.map(\.query.timestep))
    if processor == .unknown {
      // What is NaN on one make of processors is refused on all.
      var onAMD = self
      onAMD.processor = .amd
      _ = try onAMD.faithfulMoves(steps: steps, step: arguments)
    }
    return moves
  }

  private func faithfulSteps(steps: Int, step arguments: StepArguments) throws(ConfigurationError) -> Moves {
    switch family {
    case .angular: return try ipndmMoves(steps: steps, fidelity: .diffusers)
    case .flow: return try flowMoves(setting(steps: steps, step: arguments), arguments)
    case .edm: return try edmMoves(setting(steps: steps, step: arguments), arguments)
    case .consistency: return try consistencyMoves(setting(steps: steps, step: arguments))
    case .discrete, .exploding, .solver, .distilled: break
    }
    let tables = try tables()
    let setting =
      try family == .distilled
      ? setting(steps: steps, step: arguments) : setting(steps: checked(steps: steps), tables: tables, mu: arguments.mu)
    try checkSigmas(setting)
    switch schedulerClass {
    case .pndm: return try pndmMoves(setting, tables, steps: steps)
    case .lcm: return try lcmMoves(setting, tables)
    case .tcd: return try tcdMoves(setting, tables, eta: arguments.eta ?? 0.3)
    case .kdpm2Discrete, .kdpm2AncestralDiscrete:
      return Moves(moves: try kdpm2Moves(setting, tables), start: try start(setting))
    case .dpmSolverSDE:
      let moves = try dpmSDEMoves(setting, tables, noise: arguments.churnNoise)
      return Moves(moves: moves, start: try start(setting))
    case .ddpm: return try ddpmMoves(setting, tables)
    case .rePaint: return try rePaintMoves(setting, tables, arguments)
    case .ddim: return try ddimMoves(setting, tables, stride: tables.betas.count / steps, arguments)
    case .ddimInverse: return try ddimInverseMoves(setting, tables, stride: tables.betas.count / steps)
    case .eulerDiscrete:
      let grid = sigmaGrid(setting)
      let moves =
        arguments.churn > 0
        ? try churnedMoves(grid, sigmas: setting.sigmas, arguments) : Euler().moves(over: grid)
      return Moves(moves: moves, start: try start(setting))
    case .heunDiscrete:
      return Moves(moves: heunMoves(sigmaGrid(setting)), start: try start(setting))
    case .eulerAncestralDiscrete:
      return Moves(moves: try ancestralMoves(sigmaGrid(setting)), start: try start(setting))
    case .lms:
      return try naming {
        Moves(moves: try LMS(order: arguments.order).moves(over: sigmaGrid(setting)), start: try start(setting))
      }
    case .dpmSolverMultistep, .dpmSolverMultistepInverse, .dpmSolverSinglestep, .uniPC, .deis, .saSolver:
      let grid = solverGrid(setting)
      return Moves(moves: try solverMoves(grid, fidelity: .diffusers), start: grid.points[0].level)
    case .ipndm, .flowMatchEulerDiscrete, .flowMatchHeunDiscrete, .flowMatchLCM, .edmEuler, .edmDPMSolverMultistep,
      .consistency:
      preconditionFailure("the steps of \(className) are made above")
    }
  }

  private func solverGrid(_ setting: Setting) -> SamplingGrid {
    SamplingGrid(
      unchecked: zip(setting.timesteps + [-1], setting.sigmas).map { timestep, sigma in
        SamplingGrid.Point(timestep: timestep, level: level(sigma: sigma))
      })
  }

  /// What the roundings of diffusers' float32 leave uncertain of each step, beside those of a step's own few operations; nothing for classes
  /// whose coefficients do not cancel.
  ///
  /// - Throws: `ConfigurationError` where there is no plan.
  package func roundings(
    steps: Int, step arguments: StepArguments = StepArguments()
  ) throws(ConfigurationError) -> [[Rounding]] {
    switch family {
    case .solver: return try solverRoundings(solverGrid(setting(steps: steps, step: arguments)))
    case .edm where schedulerClass == .edmDPMSolverMultistep:
      return try solverRoundings(edmSolverGrid(setting(steps: steps, step: arguments)))
    default: return []
    }
  }

  /// Unless a pipeline says where it begins, diffusers looks for the first timestep, and takes the second of equal ones.
  private func checkStart(_ timesteps: [Double]) throws(ConfigurationError) {
    guard looksForStart, timesteps.dropFirst().contains(timesteps[0]) else { return }
    throw .notFinite(
      step: 0, timestep: timesteps[0], className: className,
      reason: "the first timestep occurs twice; diffusers starts at the second and fails at the end. Use other steps or spacing"
    )
  }

  /// Whether the class finds its place in the timesteps by their values; the others make a step from any timestep.
  private var looksForStart: Bool { family != .discrete }

  /// Every sigma must be a number above 0, but for the end's, which may be 0: betas can be such that they are not.
  private func checkSigmas(_ setting: Setting) throws(ConfigurationError) {
    for (i, sigma) in setting.sigmas.enumerated() {
      guard sigma > 0 || (sigma == 0 && i >= setting.timesteps.count), sigma.isFinite else {
        throw .notFinite(
          step: i, timestep: i < setting.timesteps.count ? setting.timesteps[i] : -1, className: className,
          reason: "its sigma is \(sigma); the betas leave no signal or add no noise")
      }
    }
  }

  /// The points of the samples x0 + σ·epsilon, of which the network is given 1/√(1+σ²).
  func sigmaGrid(_ setting: Setting) -> SamplingGrid {
    SamplingGrid(
      unchecked: zip(setting.timesteps + [-1], setting.sigmas).map { timestep, sigma in
        SamplingGrid.Point(timestep: timestep, sigma: Double(sigma))
      })
  }

  /// With linspace and trailing spacing diffusers multiplies the first noise by σ, as if there were no data in it.
  private func start(_ setting: Setting) throws(ConfigurationError) -> NoiseLevel {
    let largest = Double(setting.sigmas.max() ?? 0)
    return NoiseLevel(signal: try timestepSpacing() == .leading ? 1 : 0, noise: largest)
  }
}

extension SamplingGrid.Point {
  /// A point of an exploding process, whose sample is x0 + σ·epsilon and whose network was trained on 1/√(1+σ²) of it.
  init(timestep: Double, sigma: Double) {
    self.init(
      timestep: timestep, level: NoiseLevel(signal: 1, noise: sigma),
      inputScale: NoiseLevel.variancePreserving(sigma: sigma).signal)
  }
}

extension DiffusersConfiguration {
  /// Heun's method, whose second evaluations go back to where the step began: to the sample as it was made, less the first slope.
  private func heunMoves(_ grid: SamplingGrid) -> [Move] {
    grid.intervals.flatMap { from, to -> [Move] in
      var step = Heun.step(from: from, to: to)
      if step.count == 2 { step[1].next = step[1].next - .sample + .made }
      return step
    }
  }

  /// Ancestral Euler with diffusers' float32 σ_up and σ_down.
  private func ancestralMoves(_ grid: SamplingGrid) throws(ConfigurationError) -> [Move] {
    var moves: [Move] = []
    for (i, interval) in grid.intervals.enumerated() {
      let (from, to) = (Float(interval.from.level.noise), Float(interval.to.level.noise))
      let (up, down) = try ancestralSigmas(from, to, step: i, timestep: interval.from.timestep)
      let lower = NoiseLevel(signal: 1, noise: Double(down))
      let next = Euler.step(from: interval.from.level, to: lower, denoised: .estimate()) + Double(up) * .noise
      moves.append(Move(at: interval.from, to: interval.to.level, estimate: .x0, next: next))
    }
    return moves
  }
}
