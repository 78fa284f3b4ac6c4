/// DPM-Solver++ and DPM-Solver with single steps: one of order k spans k intervals of the grid.
///
///     u  = step with E held, to the first point in between
///     x' = step with E held + S·∫₀¹ H·e^(−H(1−s))·(P(s) − E) ds
///
/// with P through E and the E′, E″ found in between, S and H as in `DPMSolverPlusPlus` for E = x̂0
/// and as in `DPMSolver` for E = ε̂, and with their noise for eta above 0, which each interval adds
/// for itself. By the midpoint rule, P has its value at the middle everywhere
/// in steps of order 2; in steps of order 3, P is the line through E and E″, as good as the
/// parabola where the points are equally spaced in lambda, and of order 2 elsewhere.
///
/// Between two steps nothing is remembered. What remains of the grid after steps of full order is a
/// step of lower order; a step to clean data, where h is infinite, is by itself and of order 1, and
/// so is one from a level without signal, which ε̂ does not have.
///
/// Source: [Lu et al. 2022](https://arxiv.org/abs/2206.00927), algorithms 1 and 2;
/// <https://arxiv.org/abs/2211.01095>, algorithm 1.
public struct DPMSolverSinglestep: EtaSampler {
  /// 1, 2 or 3.
  public var order: Int
  /// What is interpolated: x̂0 for DPM-Solver++, ε̂ for DPM-Solver.
  public var estimate: Estimate
  /// How the polynomial is integrated.
  public var slopeRule: SlopeRule
  public var eta: Double

  /// DPM-Solver++(2S), or another order of it, or of DPM-Solver, or with `eta` up to 1 on the SDE.
  public init(order: Int = 2, estimate: Estimate = .x0, slopeRule: SlopeRule = .midpoint, eta: Double = 0) {
    (self.order, self.estimate, self.slopeRule, self.eta) = (order, estimate, slopeRule, eta)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...3))
    try validateEta()
    var (moves, start) = ([Move](), 0)
    while start < grid.steps {
      // A step to clean data is by itself, and so is one from a level without signal.
      let isAlone = grid.points[start].level.signal == 0 || grid.points[start + 1].level.noise == 0
      var end = isAlone ? start + 1 : min(start + order, grid.steps)
      if !isAlone, end > start + 1, grid.points[end].level.noise == 0 { end -= 1 }
      let points = Array(grid.points[start..<end])
      let stages = ExponentialStages(estimate: estimate, points: points, end: grid.points[end].level, eta: eta)
      moves += stages.moves(points.indices.map(stage))
      start = end
    }
    return moves
  }

  /// The polynomial of a call: through all values so far, or by the midpoint rule two of them.
  private func stage(_ k: Int) -> ExponentialStages.Stage {
    slopeRule == .midpoint && k > 0
      ? .line(to: k, k == 1 ? .midpoint : .exact) : ExponentialStages.Stage(nodes: Array(0...k), slopeRule: slopeRule)
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "dpm++2s", title: "DPM-Solver++ 2S", sampler: DPMSolverSinglestep(), order: 2,
      source: "https://arxiv.org/abs/2211.01095", use: "as `dpm++2m`, where nothing may be remembered between steps"),
    .init(
      name: "dpm++3s", title: "DPM-Solver++ 3S", sampler: DPMSolverSinglestep(order: 3), order: 3,
      source: "https://arxiv.org/abs/2211.01095", use: "the same, on grids with equal steps of lambda"),
    .init(
      name: "dpm2s", title: "DPM-Solver 2S", sampler: DPMSolverSinglestep(estimate: .epsilon), order: 2,
      source: "https://arxiv.org/abs/2206.00927", use: "in comparisons with `dpm++2s`"),
    .init(
      name: "dpm3s", title: "DPM-Solver 3S", sampler: DPMSolverSinglestep(order: 3, estimate: .epsilon), order: 3,
      source: "https://arxiv.org/abs/2206.00927", use: "to reproduce DPM-Solver's paper"),
  ]
}
