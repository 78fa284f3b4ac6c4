/// DPM-Solver++ with several steps, of order 1 to 3: the ODE in lambda = ln(signal/noise), where its linear part is solved exactly.
///
///     x' = noise'/noise·x − signal'·(e^(−h) − 1)·D,    h = lambda' − lambda
///     D  = x̂0                                          order 1
///     D  = x̂0 + h/(2·h₋)·(x̂0 − x̂0₋)                    order 2, midpoint; ₋ marks the step before
///     x' = noise'/noise·x + signal'·∫₀ʰ e^(τ − h)·P(τ) dτ    order 2, Heun, and 3; P is the polynomial through the last x̂0
///
/// The first steps have fewer steps before them, and the last, to clean data, has h = ∞; they are of lower order.
///
/// Source: Lu et al. 2022, https://arxiv.org/abs/2211.01095, equation 7 and algorithm 2.
public struct DPMSolverPlusPlus: Sampler {
  /// 1, 2 or 3.
  public var order: Int
  /// The rule of the steps of order 2.
  public var solverType: SolverType
  /// Whether steps of order 3 take half of the polynomial's second difference, as the authors' code and diffusers do. Their error then
  /// falls with order 2.
  public var halvesCurvature: Bool
  /// Whether the order is never more than the steps that are left.
  public var lowersFinalOrder: Bool

  /// DPM-Solver++(2M), or another order of it.
  public init(
    order: Int = 2, solverType: SolverType = .midpoint, halvesCurvature: Bool = false, lowersFinalOrder: Bool = false
  ) {
    self.order = order
    self.solverType = solverType
    self.halvesCurvature = halvesCurvature
    self.lowersFinalOrder = lowersFinalOrder
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] { try multistep.moves(over: grid) }

  var multistep: ExponentialMultistep {
    ExponentialMultistep(
      name: "DPMSolverPlusPlus", order: order, estimate: .x0, solverType: solverType,
      curvature: halvesCurvature ? .halved : .whole,
      lowersFinalOrder: lowersFinalOrder)
  }
}
