/// DPM-Solver-Fast: as many steps of order 3 as the calls allow, each of the same length in lambda,
/// then one or two of lower order.
///
///     orders = 3, 3, …, 3, n mod 3    for n calls
///     orders = 3, 3, …, 3, 2, 1       where 3 divides n
///
/// The n calls go from the first point of the grid to the last one with noise; where those lie
/// between does not matter, as the method lays its own. From there, one call more leads to clean
/// data. A step of order 2 has its second call at ½, one of order 3 at ⅓ and ⅔, and the steps are
/// those of `DPMSolverSinglestep` with DPM-Solver's epsilon. There is none from a level without
/// signal.
///
/// Source: [Lu et al. 2022](https://arxiv.org/abs/2206.00927), section 3.4 and appendix D.3;
/// [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `sample_dpm_fast`.
public struct DPMSolverFast: Sampler {
  public init() {}

  public func moves(over grid: SamplingGrid) -> [Move] {
    let points = grid.points
    guard grid.steps > 0 else { return [] }
    let last = points[grid.steps].level.noise > 0 ? grid.steps : grid.steps - 1
    var moves = last > 0 ? fast(points[0], points[last], calls: last, grid.timestepScale) : []
    if last < grid.steps { moves += Heun.step(from: points[last], to: points[grid.steps]) }
    return moves
  }

  private func fast(
    _ first: SamplingGrid.Point, _ last: SamplingGrid.Point, calls: Int, _ scale: TimestepScale
  ) -> [Move] {
    let orders = Self.orders(calls: calls)
    let (start, end) = (first.level.exact.sigma, last.level.exact.sigma)
    /// The point so far in lambda, in parts of which there are six to a step.
    func point(_ sixths: Int) -> SamplingGrid.Point {
      if sixths == 0 { return first }
      if sixths == 6 * orders.count { return last }
      let share = DoubleDouble(Double(sixths)) / Double(6 * orders.count)
      return scale.point(sigma: start * (end / start).power(share), between: first, and: last)
    }
    return orders.enumerated().flatMap { k, order in
      let inner = (0..<order).map { point(6 * k + 6 * $0 / order) }
      let stages = ExponentialStages(estimate: .epsilon, points: inner, end: point(6 * k + 6).level)
      return stages.moves(inner.indices.map { $0 == 0 ? .held : .line(to: $0, order == 2 ? .midpoint : .exact) })
    }
  }

  /// The orders of the steps, whose sum is the number of calls.
  private static func orders(calls: Int) -> [Int] {
    let threes = calls / 3
    return calls % 3 == 0
      ? Array(repeating: 3, count: threes - 1) + [2, 1] : Array(repeating: 3, count: threes) + [calls % 3]
  }

  static let entry = SamplerCatalog.Entry(
    name: "dpm-fast", title: "DPM-Solver-Fast", sampler: DPMSolverFast(), order: 2,
    source: "https://arxiv.org/abs/2206.00927", use: "to reproduce DPM fast of k-diffusion and its programs")
}
