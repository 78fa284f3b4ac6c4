// The mathematics of a configuration: this library's own grids and samplers.

extension DiffusersConfiguration {
  func correctedGrid(steps: Int) throws(ConfigurationError) -> SamplingGrid {
    guard schedulerClass != .ipndm else { return SamplingGrid(unchecked: try ipndmPoints(steps: steps, fidelity: .corrected)) }
    let schedule = try schedule()
    let points: [SamplingGrid.Point]
    do {
      let grid: SamplingGrid
      if let spacing = try sigmaSpacing() {
        let table = schedule.sigmas
        let (least, most) = (number("sigma_min") ?? table[0], number("sigma_max") ?? table[table.count - 1])
        guard least <= most else { throw unsupported("sigma_min", remedy: "it must be below the largest sigma, \(most)") }
        grid = try SamplingGrid(schedule, steps: steps, spacing: spacing, range: least...most)
      } else if try isLogLinear() {
        grid = try SamplingGrid(schedule, steps: steps, spacing: .exponential)
      } else {
        grid = try SamplingGrid(unclipped(schedule), steps: steps, spacing: spacing())
      }
      points = try ended(grid.points, at: schedule[0])
      return try SamplingGrid(points: isExploding(points) ? points.map { try exploding($0) } : points)
    } catch let error as GridError {
      throw .grid(error)
    } catch {
      throw error as! ConfigurationError
    }
  }

  private func spacing() throws(ConfigurationError) -> TimestepSpacing {
    switch try timestepSpacing() {
    case .leading: .leading(offset: integer("steps_offset"))
    case .trailing: .trailing
    case .linspace: .linspace
    }
  }

  /// The part of the schedule whose lambda is not below `lambda_min_clipped`.
  private func unclipped(_ schedule: NoiseSchedule) throws -> NoiseSchedule {
    guard let least = number("lambda_min_clipped"), least > -.infinity else { return schedule }
    let count = schedule.logSNR.prefix { $0 / 2 >= least }.count
    guard count > 0 else { throw unsupported("lambda_min_clipped", remedy: "lower it; every timestep is below it") }
    return try NoiseSchedule(products: Array(schedule.products.prefix(count)))
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
    guard isSigmaBased, !isSolver else { return false }
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
    let grid = try grid(steps: steps)
    if isSolver { return Moves(moves: try solverMoves(grid, fidelity: .corrected), start: grid.points[0].level) }
    let sampler: any Sampler =
      switch schedulerClass {
      case .ddpm: DDPM(variance: try correctedVariance())
      case .ddim: DDIM(eta: arguments.eta)
      case .ddimInverse: DDIMInversion()
      case .eulerDiscrete: Euler()
      case .eulerAncestralDiscrete: EulerAncestral()
      case .heunDiscrete: Heun()
      case .lms: LMS(order: arguments.order)
      case .dpmSolverMultistep, .uniPC, .deis, .ipndm: preconditionFailure("the steps of \(className) are made above")
      }
    do { return Moves(moves: try sampler.moves(over: grid), start: sampler.start(of: grid)) } catch { throw .plan(error) }
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
