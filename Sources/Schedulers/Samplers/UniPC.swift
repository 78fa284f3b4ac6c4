/// UniPC: a multistep predictor, and a corrector by the next evaluation, at no further call.
///
///     x'  = step with x̂0 held + signal'·∫₀¹ H·e^(−H(1−s))·(P(s) − x̂0) ds
///     x'ᶜ = the same with Pᶜ, which goes through x̂0' too
///
/// with H = h = lambda' − lambda. P goes through the last `order` values of x̂0 and Pᶜ through one
/// more. Where there is one value beside x̂0, the integral of the slope is B(h)/2: h/2 for bh1 and
/// (1 − e^(−h))/2 for bh2; with more, B(h) drops out. The network sees x', the predicted sample.
///
/// The paper solves R·a·B(h) = φ for a, and adds −noise'·B(h)·Σ aₘ·Dₘ/rₘ to the step with E = ε̂
/// held. For E = x̂0, signal' stands for noise' and −h for h: its h is −H of `ExponentialStep`. In
/// its letters, with P(s) = E + Σⱼ cⱼ·sʲ and the moments Mⱼ = ∫₀¹ H·e^(−H(1−s))·sʲ ds,
///
///     rₘ         = (λₘ − lambda)/(lambda' − lambda)    the s of the m-th other value
///     Dₘ/rₘ      = (Eₘ − E)/rₘ = Σⱼ cⱼ·rₘ^(j−1)        its divided difference with E
///     φⱼ/h^(j−1) = h·j!·ϕⱼ₊₁(h) = −Mⱼ
///     Σₘ rₘ^(j−1)·aₘ·B(h) = −Mⱼ                        row j of R·a·B(h) = φ
///
/// The rows times cⱼ add up to −B(h)·Σ aₘ·Dₘ/rₘ = Σⱼ cⱼ·Mⱼ, the integral of P − E.
/// `ExponentialStep` takes the same integral of the same P in Newton's form, and solves nothing.
/// With one other value the paper has a₁ = ½: −B(h)/2 for M₁, the h/2 and (1 − e^(−h))/2 above.
///
/// The error falls with the corrector's order, one more than the predictor's. The first steps and
/// the last, to clean data, are of lower order. A start without signal, where h is ∞, needs bh2.
///
/// Source: [Zhao et al. 2023](https://arxiv.org/abs/2302.04867), algorithms 1 and 2; in x̂0,
/// appendix.
public struct UniPC: Sampler {
  /// B(h) of the paper.
  public enum Step: String, Hashable, Codable, Sendable, CaseIterable {
    /// B(h) = h.
    case bh1
    /// B(h) = e^h − 1, which is e^(−h) − 1 in the terms of x̂0.
    case bh2
  }

  /// The order of the predictor: 1, 2 or 3.
  public var order: Int
  public var step: Step
  /// What is interpolated: x̂0, or ε̂ with signal and noise exchanged, from a start with signal.
  public var estimate: Estimate
  /// The steps, counted from 0, whose result is not corrected.
  public var uncorrectedSteps: Set<Int>
  /// Whether steps are corrected at all.
  public var corrects: Bool
  /// Whether the order is never more than the steps that are left.
  public var lowersFinalOrder: Bool

  public init(
    order: Int = 2, step: Step = .bh2, estimate: Estimate = .x0, corrects: Bool = true,
    uncorrectedSteps: Set<Int> = [], lowersFinalOrder: Bool = false
  ) {
    (self.order, self.step) = (order, step)
    (self.estimate, self.corrects) = (estimate, corrects)
    (self.uncorrectedSteps, self.lowersFinalOrder) = (uncorrectedSteps, lowersFinalOrder)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...3))
    return solver.moves(over: grid)
  }

  /// The steps of a UniPC whose order is in its range.
  package var solver: ExponentialPredictorCorrector {
    ExponentialPredictorCorrector(
      estimate: estimate, predictorOrder: order, correctorOrder: corrects ? order + 1 : 0,
      uncorrectedSteps: uncorrectedSteps, lowersFinalOrder: lowersFinalOrder,
      slopeIntegral: { (step == .bh1 ? $0.scale * $0.exponent : $0.heldFactor) * 0.5 })
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "unipc", title: "UniPC-2", sampler: UniPC(), order: 3, source: "https://arxiv.org/abs/2302.04867",
      use: "with 5 to 15 calls: a corrector raises the order, and costs no call"),
    .init(
      name: "unipc3", title: "UniPC-3", sampler: UniPC(order: 3), order: 4, source: "https://arxiv.org/abs/2302.04867",
      use: "without guidance"),
  ]
}
