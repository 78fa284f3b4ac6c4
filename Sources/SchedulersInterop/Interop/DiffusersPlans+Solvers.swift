import Schedulers

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
      let orders = try orders(grid, order: order)
      if fidelity == .diffusers, schedulerClass == .deis { return deisMoves(grid, orders: orders) }
      if fidelity == .diffusers {
        for (i, order) in orders.enumerated() { try check(solver, grid, step: i, order: order) }
      }
      return orders.enumerated().map { i, order in solver.move(grid.points, from: i, order: order) }
    }
    let uniPC = try uniPC(order: order)
    if fidelity == .diffusers {
      try check(uniPC, grid)
      if !boolean("predict_x0"), try prediction() == .flow {
        throw unsupported("prediction_type", remedy: "diffusers does not take it without predict_x0")
      }
    }
    var solver = uniPC.solver
    // diffusers corrects the sample from where the step before it began.
    if fidelity == .diffusers { solver.predicted = .made }
    return solver.moves(over: grid)
  }

  /// The orders of DPM-Solver's or DEIS' steps.
  private func orders(_ grid: SamplingGrid, order: Int) throws(ConfigurationError) -> [Int] {
    try orderLimits(grid.steps).enumerated().map { i, limit in
      grid.points[i + 1].level.noise > 0 ? min(order, limit, i + 1) : 1
    }
  }

  /// What float32 leaves uncertain of each step, for a class that `isSolver`, under `.diffusers`.
  func solverRoundings(_ grid: SamplingGrid) throws(ConfigurationError) -> [[Rounding]] {
    if schedulerClass == .saSolver { return saRoundings(grid) }
    let order = integer("solver_order")
    if schedulerClass == .uniPC {
      let solver = try uniPC(order: order)
      return solver.solver.roundings(over: grid) { step, values, isCorrected in
        // The one held first.
        let ordered = isCorrected ? [values[1], values[0]] + values.dropFirst(2) : values
        return uniPCRoundings(step, ordered, isLinear: solver.solverType == .bh1)
      }
    }
    let solver = try multistep(fidelity: .diffusers)
    if schedulerClass == .dpmSolverSinglestep {
      return try singlestepOrders(grid.steps, order: order).enumerated().map { i, highest in
        let order = min(highest, i + 1)
        return roundings(grid, from: i - order + 1, to: i + 1, solver, values: Array((i - order + 1...i)), seen: i)
      }
    }
    let orders = try orders(grid, order: order)
    if schedulerClass == .deis { return deisRoundings(grid, orders: orders) }
    return orders.enumerated().map { i, order in
      roundings(grid, from: i, to: i + 1, solver, values: (0..<order).map { i - $0 }, seen: i)
    }
  }

  /// What is uncertain of a step between two points of a grid by the polynomial through the estimates of some of its points.
  private func roundings(
    _ grid: SamplingGrid, from: Int, to: Int, _ solver: ExponentialMultistep, values points: [Int], seen i: Int
  ) -> [Rounding] {
    let isMidpoint = solver.solverType == .midpoint
    let isSingle = schedulerClass == .dpmSolverSinglestep
    var values = points.map { (form: LinearForm.estimate(ago: i - $0), level: grid.points[$0].level) }
    // The midpoint rule has no integral that cancels, but for the line of single steps of order 3.
    if isMidpoint, values.count == 2 { return [] }
    if isMidpoint, isSingle, values.count == 3 { values.remove(at: 1) }
    guard values.count > 1 else { return [] }
    let step = ExponentialStep(
      estimate: solver.estimate, from: grid.points[from].level, to: grid.points[to].level, eta: solver.eta)
    let scale = solver.estimate == .x0 ? step.to.signal : (1 + solver.eta) * step.to.noise
    // Single steps take twice the second difference.
    let factors = [1, isSingle ? 2.0 : 1]
    let errors = SolverRoundings.moments(exponent: step.exponent)
    return zip(step.powers(values), zip(factors, errors)).map { Rounding(form: $0, bound: scale * $1.0 * $1.1) }
  }

  private func uniPCRoundings(
    _ step: ExponentialStep, _ values: [(form: LinearForm, level: NoiseLevel)], isLinear: Bool
  ) -> [Rounding] {
    let count = values.count - 1
    // A single weight is one half.
    guard count > 1 else { return [] }
    let scale = step.estimate == .x0 ? step.to.signal : step.to.noise
    let errors = SolverRoundings.uniPC(exponent: -step.exponent, isLinear: isLinear, count: count)
    let change = step.change(values).estimates
    let others = values.dropFirst().map { value in
      (
        node: abs((value.level.lambda - step.from.lambda) / (step.to.lambda - step.from.lambda)),
        factor: abs(change[value.form.estimates.count - 1])
      )
    }
    return zip(step.powers(values), errors).enumerated().map { i, power in
      let terms = others.reduce(0) { $0 + $1.factor * Math.pow($1.node, Double(i + 1)) }
      return Rounding(form: power.0, bound: scale * power.1 + SolverRoundings.elimination(count) * terms)
    }
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
      return ExponentialMultistep(order: 3, estimate: .epsilon)
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
    return ExponentialMultistep(
      order: 3, estimate: estimate, solverType: type, eta: eta, curvature: curvature)
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
    let length = float32Length(from: grid.points[i].level, to: grid.points[i + 1].level)
    guard length != 0 || order < (solver.solverType == .heun ? 2 : 3) else {
      throw notANumber(i, grid, "the step goes nowhere, and diffusers divides by its length; use lower_order_final")
    }
    guard length >= 0 || solver.eta == 0 else {
      throw notANumber(
        i, grid, "sigma rises by a rounding, and diffusers takes the root of a negative number; use final_sigmas_type zero")
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
    } else if order == 3, float32Length(from: grid.points[last].level, to: grid.points[last + 1].level) == 0 {
      throw notANumber(last, grid, "the step goes nowhere, and diffusers divides by its length; use lower_order_final")
    }
  }

  /// h, which diffusers takes from two logarithms in float32 and which may be 0 or negative there.
  func float32Length(from: NoiseLevel, to: NoiseLevel) -> Float { rounded(to).lambda - rounded(from).lambda }

  private func notANumber(_ step: Int, _ grid: SamplingGrid, _ reason: String) -> ConfigurationError {
    .notFinite(step: step, timestep: grid.points[step].timestep, className: className, reason: reason)
  }
}
