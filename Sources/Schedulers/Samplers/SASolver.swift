/// SA-Solver: multistep predictor and corrector on a reverse SDE with as much noise as is wanted.
///
///     x'  = noise'/noise·e^(−τ²·h)·x + signal'·∫₀¹ H·e^(−H(1−s))·P(s) ds
///         + noise'·√(1 − e^(−2·τ²·h))·z
///     x'ᶜ = the same, from the same z, with Pᶜ, which goes through x̂0' too
///
/// with h = lambda' − lambda and H = (1 + τ²)·h.
///
/// P goes through the last `predictorOrder` values of x̂0 and Pᶜ through `correctorOrder` with
/// x̂0'. τ = 0 solves the ODE, with the predictor of `DPMSolverPlusPlus` by the exact rule unless
/// `matchesAuthorsCode`; τ = 1 is the reverse SDE. The first steps and the last have lower order.
///
/// Source: [Xue et al. 2023](https://arxiv.org/abs/2309.05019), equations 15 and 18, in x̂0.
public struct SASolver: Sampler {
  /// The values of x̂0 in the prediction: 1 to 4.
  public var predictorOrder: Int
  /// Those in the correction, the newest included: 2 to 4, or 0 for no correction.
  public var correctorOrder: Int
  /// τ, the amount of noise: 0 or more.
  public var tau: Double
  /// The sigmas from which steps draw noise; all if `nil`. The paper leaves noise out at both ends.
  public var noisySigmas: ClosedRange<Double>?
  /// Whether the slope of a line counts as if it had the weight H/2, which differs by O(h²), as in
  /// the authors' code and diffusers. It has none from a level without signal.
  public var matchesAuthorsCode: Bool
  /// Whether the order is never more than the steps that are left.
  public var lowersFinalOrder: Bool
  /// Whether the network is asked at the corrected sample too, and that answer remembered: two
  /// calls a step (predict, evaluate, correct, evaluate) for less error in each.
  public var evaluatesCorrection: Bool

  public init(
    predictorOrder: Int = 2, correctorOrder: Int = 2, tau: Double = 1, noisySigmas: ClosedRange<Double>? = nil,
    matchesAuthorsCode: Bool = false, lowersFinalOrder: Bool = false, evaluatesCorrection: Bool = false
  ) {
    (self.predictorOrder, self.correctorOrder) = (predictorOrder, correctorOrder)
    (self.tau, self.noisySigmas) = (tau, noisySigmas)
    (self.matchesAuthorsCode, self.lowersFinalOrder) = (matchesAuthorsCode, lowersFinalOrder)
    self.evaluatesCorrection = evaluatesCorrection
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("predictorOrder", Double(predictorOrder), .closed(1...4))
    let orders = PlanError.Allowed(text: "2 ... 4, or 0 for none") { [0, 2, 3, 4].contains($0) }
    try check("correctorOrder", Double(correctorOrder), orders)
    try check("tau", tau, .notNegative)
    return ExponentialPredictorCorrector(
      estimate: .x0, predictorOrder: predictorOrder, correctorOrder: correctorOrder, lowersFinalOrder: lowersFinalOrder,
      etas: grid.intervals.map { noisySigmas?.contains($0.from.level.sigma) ?? true ? tau * tau : 0 },
      evaluatesCorrection: evaluatesCorrection,
      slopeIntegral: { matchesAuthorsCode ? $0.scale * $0.exponent * 0.5 : nil }
    ).moves(over: grid)
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "sa-solver", title: "SA-Solver", sampler: SASolver(), order: 2, source: "https://arxiv.org/abs/2309.05019",
      use: "with 20 calls and more, where noise is wanted, in an amount of one's choice"),
    .init(
      name: "sa-solver-pece", title: "SA-Solver, evaluated twice",
      sampler: SASolver(evaluatesCorrection: true), order: 2,
      source: "https://arxiv.org/abs/2309.05019", use: "the same with two calls a step"),
  ]
}
