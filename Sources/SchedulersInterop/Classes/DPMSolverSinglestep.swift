import Schedulers

/// `DPMSolverSinglestepScheduler`: steps by a list of orders, of order k from the sample k − 1
/// evaluations ago.
struct DPMSolverSinglestepScheduler: LambdaClass {
  static let takes: Set<RunArguments.Key> = [.timesteps]

  var lambda: LambdaSolver
  private let multistep: Multistep

  init(_ o: inout OptionReader) {
    lambda = LambdaSolver(&o, lowersFinalOrder: false, spaces: false)
    multistep = Multistep(
      &o, without: ["sde-dpmsolver"], lowersFinalOrder: lambda.lowersFinalOrder, hasEulerAtFinal: false)
    lambda.ending = o.endsAtLeastNoise()
    lambda.readLeastLambda(&o)
    lambda.idlesOnChoices = false
    lambda.readVariance(&o)
  }

  func drawsAlways(_ run: Run) -> Bool { multistep.drawsAlways }
  func estimate() throws -> Estimate { try multistep.solver().estimate }

  func moves(_ grid: SamplingGrid) throws -> [Move] {
    try moves(grid, orders(grid.steps), by: multistep.solver()) { _, _, _ in }
  }

  private func solver() throws -> ExponentialMultistep {
    let solver = try multistep.faithfulSolver(lambda, ending: lambda.ending)
    if solver.estimate == .epsilon { try lambda.output.refuseThresholding("algorithm_type dpmsolver") }
    return solver
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (solver, levels) = (try solver(), lambda.levels(run))
    let orders = Array(try orders(run.steps).dropFirst(run.first))
    return try recipe(run) { grid in
      // As for several steps, but twice: the second difference is not halved here.
      try moves(grid, orders, by: solver, missigns: solver.eta > 0) { step, order, i in
        let (h, timestep) = (levels.length(from: step.from, to: step.to), grid.points[i].timestep)
        try require(
          order == 1 || h != 0, step: i, timestep: timestep,
          "the step goes nowhere, and diffusers divides by its length; use another spacing")
        try require(
          step.eta == 0 || h >= 0, step: i, timestep: timestep,
          "sigma rises by a rounding, and diffusers takes the root of a negative number")
      }
    }
  }

  /// The steps over a grid.
  ///
  /// - Parameter missigns: whether a half is subtracted from the second difference's integral where
  ///   it has to be added, and so all of it doubled.
  private func moves(
    _ grid: SamplingGrid, _ orders: [Int], by solver: ExponentialMultistep, missigns: Bool = false,
    check: (_ step: ExponentialStep, _ order: Int, _ i: Int) throws -> Void
  ) throws -> [Move] {
    let levels = SolverLevel.levels(of: grid.points)
    return try orders.enumerated().map { i, highest in
      let order = min(highest, i + 1)
      let start = i - order + 1
      let step = ExponentialStep(
        estimate: solver.estimate, from: levels[start], to: levels[i + 1], eta: solver.eta)
      var values = (start...i).map { (ago: i - $0, level: levels[$0]) }
      // Of three, the line through the first and the last.
      if solver.slopeRule == .midpoint, order == 3 { values.remove(at: 1) }
      try check(step, order, i)
      let slope = step.slope(by: solver.slopeRule, order: order)
      let change = step.change(values, slope: slope) { weights, _ in
        if order == 3, solver.slopeRule == .exact, missigns { weights[2] -= DoubleDouble(2) }
      }
      let held = step.held(.estimate(ago: order - 1), sample: .sample(ago: order - 1))
      return Move(at: grid.points[i], to: step.to, estimate: solver.estimate, next: held + change)
    }
  }

  /// `get_order_list`: the last orders are lowered where they are not even, or the run ends at
  /// clean data.
  private func orders(_ steps: Int) throws -> [Int] {
    let (isZero, order) = (try !lambda.endsAtLeastNoise(), try multistep.checkedOrder())
    func blocks(_ count: Int) -> [Int] { (0..<count / order * order).map { $0 % order + 1 } }
    var orders = blocks(steps)
    if lambda.lowersFinalOrder.value || steps % order != 0 || isZero {
      let rest = steps % order == 0 && order > 1 ? order : steps % order
      orders = blocks(steps - rest)
      // What is left: a step of one order less, then one of order 1.
      if order == 3 { orders += rest == 3 ? [1, 2, 1] : Array(1...max(rest, 1)).prefix(rest) }
      if order == 2 { orders += Array(repeating: 1, count: rest) }
    }
    if isZero { orders[orders.count - 1] = 1 }
    return orders
  }

  func roundings(_ run: Run) throws -> [[Rounding]] {
    let (grid, solver) = (try begun(run).grid(lambda.level), try solver())
    return try orders(run.steps).dropFirst(run.first).enumerated().map { i, highest in
      let start = i - min(highest, i + 1) + 1
      return SolverRoundings.multistep(
        grid, from: start, to: i + 1, solver, values: Array(start...i), seen: i, isSingle: true)
    }
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let missigns = (try? multistep.solver()).map { $0.eta > 0 && $0.slopeRule == .exact } ?? false
    return try lambda.deviations(run, setting)
      + (missigns && ((try? orders(run.steps)) ?? []).contains(3) ? [.missignedCurvature] : [])
  }
}
