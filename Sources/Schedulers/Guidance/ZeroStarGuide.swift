/// CFG-Zero*: guidance from the multiple of the unconditional output that is nearest to the
/// conditional one, and no step at all in the first calls. For rectified flow.
///
///     F = s·F_u + scale·(F_c − s·F_u),   s = ⟨F_c, F_u⟩/(‖F_u‖² + 10⁻⁸) in each sample
///
/// Source: [Fan et al. 2025](https://arxiv.org/abs/2503.18886). The 10⁻⁸ is not in the paper, but
/// in its authors' code, <https://github.com/WeichenFan/CFG-Zero-star>, and in diffusers 0.42.1.
public struct ZeroStarGuide: Guide {
  /// How far to go: 1 is the conditional output.
  public var scale: Double
  /// The first calls of a run for which the answer is 0, so that a velocity moves nothing.
  public var zeroSteps: Int
  public var interval: GuidanceInterval

  public init(scale: Double, zeroSteps: Int = 1, in interval: GuidanceInterval = .always) {
    (self.scale, self.zeroSteps, self.interval) = (scale, zeroSteps, interval)
  }

  public var isNeutral: Bool { scale == 1 && zeroSteps <= 0 }

  public func isActive(at query: SamplingPlan.Query) -> Bool {
    query.step < zeroSteps || scale != 1 && interval.contains(query)
  }

  public func callAsFunction<Tensor: InnerProductSpace>(
    _ conditional: Tensor, _ unconditional: Tensor, at query: SamplingPlan.Query
  ) -> Tensor {
    guard acts(on: [conditional, unconditional], at: query) else { return conditional }
    guard query.step >= zeroSteps else { return .combination([(0, conditional)]) }
    let shares = Tensor.shares(of: conditional, along: unconditional, softening: 1e-8)
    return .combination(
      bySample: [(shares.map { _ in scale }, conditional), (shares.map { (1 - scale) * $0 }, unconditional)])
  }
}
