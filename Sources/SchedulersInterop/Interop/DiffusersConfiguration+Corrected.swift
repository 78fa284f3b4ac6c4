import Schedulers

// The mathematics of a configuration: this library's own grids and samplers.

extension DiffusersConfiguration {
  func correctedGrid(steps: Int, step arguments: StepArguments) throws(ConfigurationError) -> SamplingGrid {
    switch family {
    case .angular: return SamplingGrid(unchecked: try ipndmPoints(steps: steps, fidelity: .corrected))
    case .flow: return try flowGrid(steps: steps, arguments)
    case .edm: return try edmGrid(steps: steps)
    case .consistency: return try consistencyGrid(steps: steps)
    case .solver where boolean("use_flow_sigmas"):
      _ = try sigmaChoice()
      return try flowGrid(steps: steps, arguments)
    // For its errors, which name the option.
    case .distilled: _ = try distilledTimesteps(steps: checked(steps: steps))
    case .discrete, .exploding, .solver: break
    }
    let schedule = try schedule()
    return try naming {
      let grid: SamplingGrid
      let choice = try sigmaChoice()
      if let spacing = choice?.spacing {
        let table = schedule.sigmas
        let (least, most) = (bound("sigma_min") ?? table[0], bound("sigma_max") ?? table[table.count - 1])
        guard least <= most else { throw unsupported("sigma_min", remedy: "it must be below the largest sigma, \(most)") }
        grid = try SamplingGrid(schedule, steps: steps, spacing: spacing, range: least...most)
      } else if choice == .beta {
        grid = try SamplingGrid(schedule, timesteps: betaTimesteps(schedule, steps: steps))
      } else if try isLogLinear() {
        grid = try SamplingGrid(schedule, steps: steps, spacing: .exponential)
      } else {
        grid = try SamplingGrid(unclipped(schedule), steps: steps, spacing: spacing())
      }
      let points = try ended(grid.points, at: schedule[0])
      return try SamplingGrid(points: isExploding(points) ? points.map { try exploding($0) } : points, schedule: schedule)
    }
  }

  private func spacing() throws(ConfigurationError) -> TimestepSpacing {
    if family == .distilled { return .distilled(originalSteps: integer("original_inference_steps")) }
    switch try timestepSpacing() {
    case .leading: return .leading(offset: stepsOffset)
    case .trailing: return .trailing
    case .linspace: return .linspace
    }
  }

  /// The beta distribution over the timesteps, those of the file's ends if it has some.
  private func betaTimesteps(_ schedule: NoiseSchedule, steps: Int) throws -> [Int] {
    let scale = TimestepScale(schedule)
    func timestep(_ name: String) -> Int? { bound(name).map { Int(scale.timestep(sigma: $0).rounded(.toNearestOrEven)) } }
    let count = try unclipped(schedule).timesteps
    let (first, last) = (timestep("sigma_min") ?? 0, min(timestep("sigma_max") ?? count - 1, count - 1))
    guard last - first + 1 >= steps else {
      throw ConfigurationError.steps(
        steps, className: className, reason: "between sigma_min and sigma_max are \(last - first + 1) timesteps; widen them")
    }
    return try TimestepSpacing.beta().timesteps(steps: steps, of: last - first + 1).map { $0 + first }
  }

  /// The part of the schedule whose lambda is not below `lambda_min_clipped`.
  private func unclipped(_ schedule: NoiseSchedule) throws -> NoiseSchedule {
    guard let least = number("lambda_min_clipped"), least > -.infinity else { return schedule }
    let count = schedule.logSNR.prefix { $0 / 2 >= least }.count
    guard count > 0 else { throw unsupported("lambda_min_clipped", remedy: "lower it; every timestep is below it") }
    return try schedule.prefix(count)
  }

  /// Points that end at the level of timestep 0 where that is asked for, unless the run has been there already.
  private func ended(_ points: [SamplingGrid.Point], at level: NoiseLevel) throws(ConfigurationError) -> [SamplingGrid.Point] {
    guard try endsAtLeastNoise(), points.count > 1 else { return points }
    // The same sigma through another spacing is off by its rounding.
    guard points[points.count - 2].level.sigma > level.sigma * (1 + 0x1p-40) else { return points }
    return points.dropLast() + [SamplingGrid.Point(timestep: 0, level: level)]
  }

  /// Whether the samples are x0 + σ·epsilon: for the classes that do so in diffusers, unless there is a point without signal.
  private func isExploding(_ points: [SamplingGrid.Point]) -> Bool {
    guard family == .exploding else { return false }
    return points.allSatisfy { $0.level.signal > 0 }
  }

  private func exploding(_ point: SamplingGrid.Point) throws(ConfigurationError) -> SamplingGrid.Point {
    let sigma = point.level.sigma
    let timestep = try isContinuous() && sigma > 0 ? Math.log(sigma) / 4 : point.timestep
    return SamplingGrid.Point(timestep: timestep, sigma: sigma)
  }

  /// The class's method over a grid of its own spacing.
  func correctedMoves(steps: Int, step arguments: StepArguments) throws(ConfigurationError) -> Moves {
    guard schedulerClass != .ipndm else { return try ipndmMoves(steps: steps, fidelity: .corrected) }
    let grid = try grid(steps: steps, step: arguments)
    if isSolver || schedulerClass == .edmDPMSolverMultistep {
      let start = isInverse ? DDIMInversion().start(of: grid) : grid.points[0].level
      return Moves(moves: try solverMoves(grid, fidelity: .corrected), start: start)
    }
    let sampler: any Sampler =
      switch schedulerClass {
      case .ddpm: DDPM(variance: try correctedVariance())
      case .ddim: DDIM(eta: arguments.eta ?? 0)
      case .pndm: PNDM(skipsRungeKutta: boolean("skip_prk_steps"))
      case .lcm: LCM(timestepScaling: try timestepScaling())
      case .tcd: TCD(eta: arguments.eta ?? 0.3)
      case .kdpm2Discrete: KDPM2()
      case .kdpm2AncestralDiscrete: KDPM2(eta: 1)
      case .flowMatchEulerDiscrete where redrawsFlow, .flowMatchLCM: ConsistencyModel(leastSigma: 0)
      case .flowMatchHeunDiscrete: churned(FlowHeun(), arguments)
      case .consistency: ConsistencyModel(leastSigma: try consistencyFunction().leastSigma)
      case .dpmSolverSDE: DPMSolverSDE()
      case .rePaint: try rePaint(steps: steps, arguments)
      case .ddimInverse: DDIMInversion()
      case .eulerDiscrete, .edmEuler: churned(Euler(), arguments)
      case .flowMatchEulerDiscrete: Euler()
      case .eulerAncestralDiscrete: EulerAncestral()
      case .heunDiscrete: Heun()
      case .lms: LMS(order: arguments.order)
      case .dpmSolverMultistep, .dpmSolverMultistepInverse, .dpmSolverSinglestep, .uniPC, .deis, .saSolver, .ipndm,
        .edmDPMSolverMultistep:
        preconditionFailure("the steps of \(className) are made above")
      }
    let noise = try noiseFactor(arguments)
    return try naming {
      let moves = try sampler.moves(over: grid).map { move in
        var louder = move
        louder.next = move.next + (noise - 1) * move.next.noise * .noise
        return noise == 1 ? move : louder
      }
      return Moves(moves: moves, start: sampler.start(of: grid))
    }
  }

  /// What the noise of every step is multiplied by.
  private func noiseFactor(_ arguments: StepArguments) throws(ConfigurationError) -> Double {
    switch schedulerClass {
    case .consistency: try consistencyNoise()
    case .dpmSolverSDE: arguments.churnNoise
    default: 1
    }
  }

  private func correctedVariance() throws(ConfigurationError) -> Variance {
    try choice(
      "variance_type",
      [
        "fixed_small": .fixedSmall, "fixed_small_log": .fixedSmall, "fixed_large": .fixedLarge, "fixed_large_log": .fixedLarge,
        "learned": .learned, "learned_range": .learnedRange,
      ])
  }
}
