/// Linear multistep (Adams–Bashforth) on the probability-flow ODE dx̄/dσ = ε̂, with x̄ = x/signal.
///
///     x̄' = x̄ + ∫ P(σ) dσ from σ to σ',    P the polynomial through the last ε̂
///
/// The polynomial is integrated exactly. The first steps, with fewer ε̂ before them, are of lower
/// order; the last, to clean data, is as the others. There is no step from a level without signal.
///
/// Source: [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `sample_lms`.
public struct LMS: Sampler {
  /// 1 to 4.
  public var order: Int

  public init(order: Int = 4) { self.order = order }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...4))
    return grid.intervals.enumerated().map { i, interval in
      let (from, to) = (interval.from.level.exact, interval.to.level.exact)
      let run = to.sigma - from.sigma
      let ago = (0..<min(order, i + 1)).lazy
      let nodes = ShortList(ago.map { (grid.points[i - $0].level.exact.sigma - from.sigma) / run })
      let weights = Interpolation.weights(of: nodes, moments: ShortList(ago.map { 1 / DoubleDouble(Double($0 + 1)) }))
      let mean = LinearForm.sum(Interpolation.factors(weights, at: nodes), ago.map { .estimate(ago: $0) })
      return Move(
        at: interval.from, to: interval.to.level, estimate: .epsilon,
        next: to.signal * (LinearForm.sample / from.signal + run * mean))
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "lms", title: "Linear multistep, order 4", sampler: LMS(), order: 4,
    source: "https://github.com/crowsonkb/k-diffusion", use: "with many calls")
}
