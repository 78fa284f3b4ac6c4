/// DPM-Solver++ with several steps, of order 1 to 3, in lambda = ln(signal/noise).
///
///     x' = noise'/noise·x − signal'·(e^(−h) − 1)·D,    h = lambda' − lambda
///     D  = x̂0                             order 1
///     D  = x̂0 + h/(2·h₋)·(x̂0 − x̂0₋)       order 2, midpoint
///     x' = noise'/noise·x + signal'·∫₀ʰ e^(τ − h)·P(τ) dτ    order 2, Heun, and 3
///
/// where ₋ marks the step before, and P is the polynomial through the last x̂0. The first steps have
/// fewer steps before them, and the last, to clean data, has h = ∞; they are of lower order.
///
/// `ExponentialStep` has these formulas in Newton's form. In the authors' letters, with r₀ = h₋/h
/// and r₁ = h₋₋/h, the last values of x̂0 lie at s = 0, −r₀ and −(r₀ + r₁), and a step of order 3 is
///
///     D1_0 = (x̂0 − x̂0₋)/r₀,  D1_1 = (x̂0₋ − x̂0₋₋)/r₁    divided differences of two
///     D2   = (D1_0 − D1_1)/(r₀ + r₁)                  the divided difference of all
///     D1   = D1_0 + r₀·D2                             P(s) = x̂0 + D1·s + D2·s²
///     x'   = noise'/noise·x + signal'·(M₀·x̂0 + M₁·D1 + M₂·D2)
///
/// P is Newton's x̂0 + D1_0·s + D2·s·(s + r₀) multiplied out, and M₀ = 1 − e^(−h), M₁ = 1 − M₀/h
/// and M₂ = 1 − 2·M₁/h are the moments. The midpoint rule of order 2 has M₀/2 for M₁. The authors'
/// code of order 3 has M₂/2 for M₂, as if D2 were a second derivative.
///
/// With eta above 0 it is SDE-DPM-Solver++, on the reverse SDE with fresh noise in each step:
///
///     x' = noise'/noise·e^(−eta·h)·x
///        + signal'·∫₀ʰ (1 + eta)·e^((1 + eta)(τ − h))·P(τ) dτ
///        + noise'·√(1 − e^(−2·eta·h))·z
///
/// where the midpoint rule takes P to have its value at the middle everywhere. The error in the
/// variance of the samples falls with order 2 then for polynomials through two points and through
/// three, since x̂0 is not smooth along a noisy path.
///
/// Source: [Lu et al. 2022](https://arxiv.org/abs/2211.01095), algorithm 2, and SDE-DPM-Solver++;
/// with eta, [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `sample_dpmpp_2m_sde`.
/// k-diffusion's `sample_dpmpp_3m_sde` integrates slopes exactly and halves the second difference:
/// it is `DPMSolverPlusPlus(order: 3, eta: 1, slopeRule: .exact, matchesAuthorsCode: true)`.
public struct DPMSolverPlusPlus: EtaSampler {
  /// 1, 2 or 3.
  public var order: Int
  public var eta: Double
  /// The rule of the steps of order 2.
  public var slopeRule: SlopeRule
  /// Whether steps of order 3 take half of the polynomial's second difference, as the authors'
  /// code, diffusers and k-diffusion do. Their error then falls with order 2.
  public var matchesAuthorsCode: Bool
  /// Whether the order is never more than the steps that are left.
  public var lowersFinalOrder: Bool

  /// DPM-Solver++(2M), or another order of it, or with `eta` in (0, 1] its form for the SDE.
  public init(
    order: Int = 2, eta: Double = 0, slopeRule: SlopeRule = .midpoint, matchesAuthorsCode: Bool = false,
    lowersFinalOrder: Bool = false
  ) {
    (self.order, self.eta, self.slopeRule) = (order, eta, slopeRule)
    (self.matchesAuthorsCode, self.lowersFinalOrder) = (matchesAuthorsCode, lowersFinalOrder)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    try check("order", Double(order), .closed(1...3))
    return ExponentialMultistep(
      order: order, estimate: .x0, slopeRule: slopeRule, eta: eta,
      matchesAuthorsCode: matchesAuthorsCode, lowersFinalOrder: lowersFinalOrder
    ).moves(over: grid)
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "dpm++1", title: "DPM-Solver++, order 1", sampler: DPMSolverPlusPlus(order: 1), order: 1,
      source: "https://arxiv.org/abs/2211.01095", use: "in comparisons with the next line"),
    .init(
      name: "dpm++2m", title: "DPM-Solver++ 2M", sampler: DPMSolverPlusPlus(), order: 2,
      source: "https://arxiv.org/abs/2211.01095", use: "first: good pictures in 15 to 30 calls"),
    .init(
      name: "dpm++3m", title: "DPM-Solver++ 3M", sampler: DPMSolverPlusPlus(order: 3), order: 3,
      source: "https://arxiv.org/abs/2211.01095", use: "with 20 calls and more, and little guidance"),
    .init(
      name: "dpm++2m-sde", title: "SDE-DPM-Solver++ 2M", sampler: DPMSolverPlusPlus(eta: 1), order: 2,
      source: "https://arxiv.org/abs/2211.01095", use: "as the first, where noise is wanted"),
    .init(
      name: "dpm++3m-sde", title: "SDE-DPM-Solver++ 3M", sampler: DPMSolverPlusPlus(order: 3, eta: 1), order: 2,
      source: "https://arxiv.org/abs/2211.01095", use: "the same with more calls"),
    .init(
      name: "dpm++3m-sde-k", title: "DPM++ 3M SDE of k-diffusion",
      sampler: DPMSolverPlusPlus(order: 3, eta: 1, slopeRule: .exact, matchesAuthorsCode: true), order: 2,
      source: "https://github.com/crowsonkb/k-diffusion",
      use: "to reproduce pictures of k-diffusion, ComfyUI and others"),
  ]
}
