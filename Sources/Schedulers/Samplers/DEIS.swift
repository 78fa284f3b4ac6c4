/// Diffusion exponential integrator sampler: the polynomial in ln ρ through the last ε̂.
///
///     x̄' = x̄ + ∫ P(ln ρ) dρ from ρ to ρ',    with x̄ = x/signal, ρ = noise/signal
///
/// As ln ρ = −lambda, it has the steps of `DPMSolver` with the exact integrals. The first steps and
/// the last, to clean data, are of lower order. There is no step from a level without signal.
///
/// Source: [Zhang and Chen 2023](https://arxiv.org/abs/2204.13902); in ln ρ, diffusers' `logrho`.
public struct DEIS: Sampler {
  /// 1, 2 or 3.
  public var order: Int
  /// Whether the order is never more than the steps that are left.
  public var lowersFinalOrder: Bool

  public init(order: Int = 2, lowersFinalOrder: Bool = false) {
    (self.order, self.lowersFinalOrder) = (order, lowersFinalOrder)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...3))
    return ExponentialMultistep(order: order, estimate: .epsilon, lowersFinalOrder: lowersFinalOrder).moves(over: grid)
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "deis", title: "DEIS, order 2 in log rho", sampler: DEIS(), order: 2,
      source: "https://arxiv.org/abs/2204.13902", use: "where a configuration asks for it"),
    .init(
      name: "deis3", title: "DEIS, order 3 in log rho", sampler: DEIS(order: 3), order: 3,
      source: "https://arxiv.org/abs/2204.13902", use: "the same; it is `dpm3m`"),
  ]
}
