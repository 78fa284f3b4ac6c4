/// DPM-Solver++ and DPM-Solver with single steps: one of order k spans k intervals of the grid.
///
///     u  = step with E held, to the first point in between
///     x' = step with E held + S·∫₀¹ H·e^(−H(1−s))·(P(s) − E) ds
///
/// with P through E and the E′, E″ found in between, S and H as in `DPMSolverPlusPlus` for E = x̂0
/// and as in `DPMSolver` for E = ε̂. By the midpoint rule, P has its value at the middle everywhere
/// in steps of order 2; in steps of order 3, P is the line through E and E″, as good as the
/// parabola where the points are equally spaced in lambda, and of order 2 elsewhere.
///
/// Between two steps nothing is remembered. What remains of the grid after steps of full order is a
/// step of lower order; a step to clean data, where h is infinite, is by itself and of order 1, and
/// so is one from a level without signal, which ε̂ does not have.
///
/// Source: [Lu et al. 2022](https://arxiv.org/abs/2206.00927), algorithms 1 and 2;
/// <https://arxiv.org/abs/2211.01095>, algorithm 1.
public struct DPMSolverSinglestep: Sampler {
  /// 1, 2 or 3.
  public var order: Int
  /// What is interpolated: x̂0 for DPM-Solver++, ε̂ for DPM-Solver.
  public var estimate: Estimate
  /// How the polynomial is integrated.
  public var slopeRule: SlopeRule

  /// DPM-Solver++(2S), or another order of it, or of DPM-Solver.
  public init(order: Int = 2, estimate: Estimate = .x0, slopeRule: SlopeRule = .midpoint) {
    (self.order, self.estimate, self.slopeRule) = (order, estimate, slopeRule)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...3))
    let levels = SolverLevel.levels(of: grid.points)
    var start = 0
    return (0..<grid.steps).map { i in
      let (from, to) = (grid.points[i], grid.points[i + 1])
      let isAlone = to.level.noise == 0 || grid.points[start].level.signal == 0
      if i == start + order || isAlone { start = i }
      // What the polynomial of the step so far added is taken out, and that of the new one put in.
      let before = i > start ? change(levels, from: start, to: i, ago: 1) : LinearForm()
      let held = ExponentialStep(estimate: estimate, from: levels[i], to: levels[i + 1])
        .held(.estimate(ago: i - start), sample: .sample - before)
      return Move(
        at: from, to: to.level, estimate: estimate, next: held + change(levels, from: start, to: i + 1, ago: 0))
    }
  }

  /// What the polynomial through points `start` ..< `end` adds, as seen `ago` evaluations after.
  private func change(_ levels: [SolverLevel], from start: Int, to end: Int, ago: Int) -> LinearForm {
    let step = ExponentialStep(estimate: estimate, from: levels[start], to: levels[end])
    var values = (start..<end).map { (ago: ago + end - 1 - $0, level: levels[$0]) }
    if slopeRule == .midpoint, values.count == 3 { values.remove(at: 1) }
    return step.change(values, slope: step.slope(by: slopeRule, order: end - start))
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
