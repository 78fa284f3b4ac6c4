/// Improved pseudo numerical methods: DDIM's step with a combination of the last ε̂, up to four.
///
///     x' = signal'/signal·(x − noise·e) + noise'·e
///     e = ε̂;  (3ε̂ − ε̂₁)/2;  (23ε̂ − 16ε̂₁ + 5ε̂₂)/12;  (55ε̂ − 59ε̂₁ + 37ε̂₂ − 9ε̂₃)/24
///
/// where ε̂ₖ is that of k steps before. The factors are those of Adams and Bashforth for equal steps
/// in the variable of integration, which DDIM's are not: the error falls with order 2. There is no
/// step from a level without signal.
///
/// Source: [Liu et al. 2022](https://arxiv.org/abs/2202.09778), equations 11 and 12; with lower
/// orders to warm up, iPNDM of [Zhang and Chen 2023](https://arxiv.org/abs/2204.13902).
public struct IPNDM: Sampler {
  /// The number of ε̂ combined, 1 to 4.
  public var order: Int

  public init(order: Int = 4) { self.order = order }

  /// Of Adams and Bashforth, newest first, for one to four values.
  package static let factors: [[DoubleDouble]] = [
    ([1], 1), ([3, -1], 2), ([23, -16, 5], 12), ([55, -59, 37, -9], 24),
  ].map { numerators, denominator in numerators.map { DoubleDouble($0) / denominator } }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...4))
    return grid.intervals.enumerated().map { i, interval in
      let factors = Self.factors[min(order, i + 1) - 1]
      let combined = LinearForm.sum(factors, factors.indices.map { .estimate(ago: $0) })
      let (from, to) = (interval.from.level, interval.to.level)
      return Move(at: interval.from, to: to, estimate: .epsilon, next: Euler.step(from: from, to: to, noise: combined))
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "ipndm", title: "iPNDM, 4 steps", sampler: IPNDM(), order: 2, source: "https://arxiv.org/abs/2202.09778",
    use: "where a configuration asks for it")
}
