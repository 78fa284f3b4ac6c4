/// DPM-Solver++ on the reverse SDE: with several steps, of order 1 to 3, and fresh noise in each.
///
///     x' = noise'/noise·e^(−eta·h)·x + signal'·∫₀ʰ (1 + eta)·e^((1 + eta)(τ − h))·P(τ) dτ + noise'·√(1 − e^(−2·eta·h))·z
///
/// with h = lambda' − lambda and P the polynomial through the last x̂0; in steps of order 2 by the midpoint rule, the integral of its
/// slope is that of the value at the middle. The first steps and the last, to clean data, are of lower order. The error in the variance
/// of the samples falls with order 2 for polynomials through two points and through three, since x̂0 is not smooth along a noisy path.
///
/// diffusers 0.42.1 has the wrong sign before ½ in the third factor of order 3, which does not vanish with h; k-diffusion has the right one.
///
/// Source: Lu et al. 2022, https://arxiv.org/abs/2211.01095, SDE-DPM-Solver++; with eta and of order 3, Crowson 2022,
/// https://github.com/crowsonkb/k-diffusion, `sample_dpmpp_2m_sde` and `sample_dpmpp_3m_sde`.
public struct SDEDPMSolverPlusPlus: EtaSampler {
  /// 1, 2 or 3.
  public var order: Int
  public var eta: Double
  /// The rule of the steps of order 2.
  public var solverType: SolverType
  /// Whether steps of order 3 take half of the polynomial's second difference; see `DPMSolverPlusPlus`.
  public var halvesCurvature: Bool
  /// Whether the order is never more than the steps that are left.
  public var lowersFinalOrder: Bool

  /// SDE-DPM-Solver++ with several steps and `eta` in [0, 1]; 0 is `DPMSolverPlusPlus`.
  public init(
    order: Int = 2, eta: Double = 1, solverType: SolverType = .midpoint, halvesCurvature: Bool = false,
    lowersFinalOrder: Bool = false
  ) {
    self.order = order
    self.eta = eta
    self.solverType = solverType
    self.halvesCurvature = halvesCurvature
    self.lowersFinalOrder = lowersFinalOrder
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    return try ExponentialMultistep(
      name: "SDEDPMSolverPlusPlus", order: order, estimate: .x0, solverType: solverType, eta: eta,
      curvature: halvesCurvature ? .halved : .whole, lowersFinalOrder: lowersFinalOrder
    ).moves(over: grid)
  }
}
