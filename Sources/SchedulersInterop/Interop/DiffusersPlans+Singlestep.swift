import Schedulers

// DPM-Solver with single steps: each of a list of orders, a step of order k from the sample of k − 1 evaluations ago.

extension DiffusersConfiguration {
  /// The steps over a grid. diffusers lowers the last orders where they do not come out even, or the run ends at clean data.
  func singlestepMoves(_ grid: SamplingGrid, order: Int, fidelity: Fidelity) throws(ConfigurationError) -> [Move] {
    let solver = try multistep(fidelity: .corrected)
    if fidelity == .diffusers {
      _ = try multistep(fidelity: .diffusers)
      guard solver.estimate == .x0 || !boolean("thresholding") else {
        throw unsupported("thresholding", remedy: "diffusers fails with it and algorithm_type dpmsolver")
      }
    }
    let orders = try singlestepOrders(grid.steps, order: order)
    var moves: [Move] = []
    for (i, highest) in orders.enumerated() {
      let (order, to) = (min(highest, i + 1), grid.points[i + 1])
      let start = i - order + 1
      let step = ExponentialStep(
        estimate: solver.estimate, from: grid.points[start].level, to: to.level, eta: solver.eta)
      var values = (start...i).map { (form: LinearForm.estimate(ago: i - $0), level: grid.points[$0].level) }
      // Of three, the line through the first and the last.
      if solver.solverType == .midpoint, order == 3 { values.remove(at: 1) }
      if fidelity == .diffusers { try check(step, order: order, at: i, grid) }
      let change = step.change(values) { weights, moments in
        if order == 2, solver.solverType == .midpoint { weights[1] = moments[0] / 2 }
        // As for several steps, but twice: the second difference is not halved here.
        if order == 3, solver.solverType == .heun, fidelity == .diffusers, solver.eta > 0 { weights[2] -= 2 }
      }
      let held = step.held(.estimate(ago: order - 1), sample: .sample(ago: order - 1))
      moves.append(Move(at: grid.points[i], to: to.level, estimate: solver.estimate, next: held + change))
    }
    return moves
  }

  /// Where diffusers divides by the length of a step that has none, or takes the root of a negative one.
  private func check(
    _ step: ExponentialStep, order: Int, at i: Int, _ grid: SamplingGrid
  ) throws(ConfigurationError) {
    let length = float32Length(from: step.from, to: step.to)
    let reason: String? =
      order > 1 && length == 0
      ? "the step goes nowhere, and diffusers divides by its length; use another spacing"
      : step.eta > 0 && length < 0 ? "sigma rises by a rounding, and diffusers takes the root of a negative number" : nil
    guard let reason else { return }
    throw .notFinite(step: i, timestep: grid.points[i].timestep, className: className, reason: reason)
  }

  /// `get_order_list`.
  func singlestepOrders(_ steps: Int, order: Int) throws(ConfigurationError) -> [Int] {
    let isZero = try !endsAtLeastNoise()
    guard (1...3).contains(order) else { throw unsupported("solver_order", remedy: "use 1, 2 or 3") }
    let block = Array(1...order)
    var orders = (0..<steps / order).flatMap { _ in block }
    if boolean("lower_order_final") || steps % order != 0 || isZero {
      let rest = steps % order == 0 && order > 1 ? order : steps % order
      orders = (0..<(steps - rest) / order).flatMap { _ in block }
      // What is left: a step of one order less, then one of order 1.
      if order == 3 { orders += rest == 3 ? [1, 2, 1] : Array(1...max(rest, 1)).prefix(rest) }
      if order == 2 { orders += Array(repeating: 1, count: rest) }
    }
    if isZero { orders[orders.count - 1] = 1 }
    return orders
  }
}
