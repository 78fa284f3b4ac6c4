// The solvers in lambda: DPM-Solver with several steps, DEIS and UniPC, with the orders that diffusers gives their steps.

extension DiffusersConfiguration {
  /// The steps over a grid, for a class that `isSolver`.
  ///
  /// - Throws: `ConfigurationError` for an order or a name that there is not, and under `.diffusers` where diffusers' step is NaN.
  func solverMoves(_ grid: SamplingGrid, fidelity: Fidelity) throws(ConfigurationError) -> [Move] {
    if schedulerClass == .saSolver { return try saSolverMoves(grid, fidelity: fidelity) }
    let order = integer("solver_order")
    guard (1...3).contains(order) else { throw unsupported("solver_order", remedy: "use 1, 2 or 3") }
    if schedulerClass == .dpmSolverSinglestep { return try singlestepMoves(grid, order: order, fidelity: fidelity) }
    guard schedulerClass == .uniPC else {
      let solver = try multistep(fidelity: fidelity)
      if isInverse, fidelity == .corrected { return try inversionMoves(grid, solver, order: order) }
      let orders = try orderLimits(grid.steps).enumerated().map { i, limit in
        grid.points[i + 1].level.noise > 0 ? min(order, limit, i + 1) : 1
      }
      if fidelity == .diffusers, schedulerClass == .deis { return deisMoves(grid, orders: orders) }
      if fidelity == .diffusers {
        for (i, order) in orders.enumerated() { try check(solver, grid, step: i, order: order) }
      }
      return orders.enumerated().map { i, order in solver.move(grid.points, from: i, order: order) }
    }
    let solver = try uniPC(order: order)
    if fidelity == .diffusers {
      try check(solver, grid)
      if !boolean("predict_x0"), try prediction() == .flow {
        throw unsupported("prediction_type", remedy: "diffusers does not take it without predict_x0")
      }
    }
    return try naming { try solver.moves(over: grid) }
  }

  /// diffusers' integrals of 1, s and s², of which float32 leaves little where steps are short. A run towards noise takes them times
  /// the largest x̂0, at its end.
  private func float32Moments(_ step: ExponentialStep) -> [Double] {
    let run = rounded(step.to).lambda - rounded(step.from).lambda
    let h = step.estimate == .x0 ? run : -run
    let change = Float(Math.exp(Double(-h))) - 1
    return [-change, change / h + 1, -2 * ((change + h) / (h * h) - 0.5)].map { Double($0) }
  }

  /// The steps from data to the noise at the start of a grid, the last of order 1 where that has no data.
  private func inversionMoves(
    _ grid: SamplingGrid, _ solver: ExponentialMultistep, order: Int
  ) throws(ConfigurationError) -> [Move] {
    let limits = try orderLimits(grid.steps)
    return DPMSolverInversion.moves(over: grid, by: solver) { i, to in to.signal > 0 ? min(order, limits[i]) : 1 }
  }

  /// What the last steps of DPM-Solver and DEIS have for their order at most.
  func orderLimits(_ steps: Int) throws(ConfigurationError) -> [Int] {
    let isShort = boolean("lower_order_final") && steps < 15
    let isLastFirst =
      schedulerClass == .deis ? isShort : try (!endsAtLeastNoise() && !isInverse) || boolean("euler_at_final") || isShort
    return (0..<steps).map { $0 == steps - 1 && isLastFirst ? 1 : $0 == steps - 2 && isShort ? 2 : 3 }
  }

  /// DPM-Solver or DEIS by the options' names. Each class takes the names of the others for its own default.
  func multistep(fidelity: Fidelity) throws(ConfigurationError) -> ExponentialMultistep {
    if schedulerClass == .deis {
      try choice("algorithm_type", ["deis": (), "dpmsolver": (), "dpmsolver++": ()])
      try choice("solver_type", ["logrho": (), "midpoint": (), "heun": (), "bh1": (), "bh2": ()])
      return ExponentialMultistep(name: className, order: 3, estimate: .epsilon)
    }
    let type: SolverType = try choice(
      "solver_type", ["midpoint": .midpoint, "heun": .heun, "logrho": .midpoint, "bh1": .midpoint, "bh2": .midpoint])
    let (estimate, eta) = try algorithm()
    guard !isInverse || eta == 0 else {
      throw unsupported(
        "algorithm_type", remedy: "use dpmsolver++ or dpmsolver; no noise is drawn on the way from data to noise")
    }
    if fidelity == .diffusers, estimate == .epsilon, try prediction() == .flow {
      throw unsupported("prediction_type", remedy: "diffusers does not take it with this algorithm_type")
    }
    if fidelity == .diffusers, !isInverse, try !endsAtLeastNoise(), string("algorithm_type")?.hasSuffix("++") == false {
      throw unsupported("final_sigmas_type", remedy: "diffusers takes sigma_min alone with this algorithm_type")
    }
    let curvature: Curvature = fidelity == .corrected ? .whole : estimate == .x0 && eta > 0 ? .missigned : .halved
    var solver = ExponentialMultistep(
      name: className, order: 3, estimate: estimate, solverType: type, eta: eta, curvature: curvature)
    if isInverse, fidelity == .diffusers { solver.roundedMoments = float32Moments }
    return solver
  }

  /// What `algorithm_type` interpolates, and its share of fresh noise.
  private func algorithm() throws(ConfigurationError) -> (Estimate, Double) {
    switch schedulerClass {
    case .edmDPMSolverMultistep:
      try choice("algorithm_type", ["dpmsolver++": (.x0, 0), "sde-dpmsolver++": (.x0, 1), "deis": (.x0, 0)])
    case .dpmSolverSinglestep:
      try choice(
        "algorithm_type", ["dpmsolver++": (.x0, 0), "dpmsolver": (.epsilon, 0), "sde-dpmsolver++": (.x0, 1), "deis": (.x0, 0)])
    default:
      try choice(
        "algorithm_type",
        [
          "dpmsolver++": (.x0, 0), "dpmsolver": (.epsilon, 0), "sde-dpmsolver++": (.x0, 1), "sde-dpmsolver": (.epsilon, 1),
          "deis": (.x0, 0),
        ])
    }
  }

  private func uniPC(order: Int) throws(ConfigurationError) -> UniPC {
    let type: UniPC.SolverType = try choice(
      "solver_type", ["bh2": .bh2, "bh1": .bh1, "midpoint": .bh2, "heun": .bh2, "logrho": .bh2])
    guard case .list(let steps) = self["disable_corrector"] else { throw unsupported("disable_corrector", remedy: "use []") }
    let uncorrected = steps.compactMap { if case .integer(let step) = $0 { step } else { nil } }
    return UniPC(
      order: order, solverType: type, estimate: boolean("predict_x0") ? .x0 : .epsilon, uncorrectedSteps: Set(uncorrected),
      lowersFinalOrder: boolean("lower_order_final"))
  }

  /// Where diffusers has no formula, or divides by the length of a step that has none.
  private func check(
    _ solver: ExponentialMultistep, _ grid: SamplingGrid, step i: Int, order: Int
  ) throws(ConfigurationError) {
    let hasThird = solver.eta == 0 || (solver.estimate == .x0 && schedulerClass != .edmDPMSolverMultistep)
    guard order < 3 || hasThird else {
      throw unsupported("solver_order", remedy: "diffusers has no third order with this algorithm_type; use 2")
    }
    let isIdle = grid.points[i].level == grid.points[i + 1].level
    guard !isIdle || order < (solver.solverType == .heun ? 2 : 3) else {
      throw notANumber(i, grid, "the step goes nowhere, and diffusers divides by its length; use lower_order_final")
    }
  }

  /// Where UniPC's step to clean data or to where it is already is not finite.
  private func check(_ solver: UniPC, _ grid: SamplingGrid) throws(ConfigurationError) {
    let last = grid.steps - 1
    let order = solver.lowersFinalOrder ? 1 : min(solver.order, grid.steps)
    if grid.points[last + 1].level.noise == 0 {
      guard order == 1, solver.estimate == .x0, solver.solverType == .bh2 else {
        throw notANumber(
          last, grid, "it ends at clean data, which diffusers reaches with lower_order_final, predict_x0 and bh2 alone")
      }
    } else if order == 3, grid.points[last].level == grid.points[last + 1].level {
      throw notANumber(last, grid, "the step goes nowhere, and diffusers divides by its length; use lower_order_final")
    }
  }

  private func notANumber(_ step: Int, _ grid: SamplingGrid, _ reason: String) -> ConfigurationError {
    .notFinite(step: step, timestep: grid.points[step].timestep, className: className, reason: reason)
  }
}
