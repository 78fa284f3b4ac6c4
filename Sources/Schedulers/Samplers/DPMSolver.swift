/// DPM-Solver with several steps, of order 1 to 3: DPM-Solver++ with noise in the place of data.
///
///     x' = signal'/signal·x − noise'·(e^h − 1)·D,    h = lambda' − lambda
///     D  = ε̂                               order 1
///     D  = ε̂ + h/(2·h₋)·(ε̂ − ε̂₋)           order 2, midpoint
///     x' = signal'/signal·x − noise'·∫₀ʰ e^(h − τ)·P(τ) dτ    order 2, Heun, and 3
///
/// where P is the polynomial through the last ε̂. With `eta` above 0 the part of ε̂ is multiplied
/// by 1 + eta, and noise'·√(eta·(e^(2h) − 1))·z is added: SDE-DPM-Solver, of proposition 4.1 there.
/// The first steps and the last, to clean data, are of lower order. There is no step from a level
/// without signal.
///
/// Source: [Lu et al. 2022](https://arxiv.org/abs/2206.00927), equation 3.4; with several steps as
/// in <https://arxiv.org/abs/2211.01095>, algorithm 2.
public struct DPMSolver: EtaSampler {
  /// 1, 2 or 3.
  public var order: Int
  /// The rule of the steps of order 2.
  public var slopeRule: SlopeRule
  /// Whether steps of order 3 take half of the polynomial's second difference; see
  /// `DPMSolverPlusPlus`.
  public var matchesAuthorsCode: Bool
  /// Whether the order is never more than the steps that are left.
  public var lowersFinalOrder: Bool
  public var eta: Double

  public init(
    order: Int = 2, slopeRule: SlopeRule = .midpoint, matchesAuthorsCode: Bool = false, lowersFinalOrder: Bool = false,
    eta: Double = 0
  ) {
    (self.order, self.slopeRule, self.eta) = (order, slopeRule, eta)
    (self.matchesAuthorsCode, self.lowersFinalOrder) = (matchesAuthorsCode, lowersFinalOrder)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...3))
    try validateEta()
    return ExponentialMultistep(
      order: order, estimate: .epsilon, slopeRule: slopeRule, eta: eta, matchesAuthorsCode: matchesAuthorsCode,
      lowersFinalOrder: lowersFinalOrder
    ).moves(over: grid)
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "dpm2m", title: "DPM-Solver 2M", sampler: DPMSolver(), order: 2, source: "https://arxiv.org/abs/2206.00927",
      use: "in comparisons with `dpm++2m`: it extrapolates epsilon"),
    .init(
      name: "dpm3m", title: "DPM-Solver 3M", sampler: DPMSolver(order: 3), order: 3,
      source: "https://arxiv.org/abs/2206.00927", use: "the same"),
  ]
}
