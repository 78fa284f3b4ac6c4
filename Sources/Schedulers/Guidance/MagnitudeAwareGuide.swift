/// MaMBO-G: guidance whose scale falls towards 1 where it would change much, as it does early on.
///
///     F = F_u + w·(F_c − F_u)
///     w = 1 + (scale − 1)·exp(−damping·‖F_c − F_u‖/‖F_u‖), in each sample
///
/// Source: <https://arxiv.org/abs/2508.03442>, by `MagnitudeAwareGuidance` of diffusers 0.42.1,
/// which calls `damping` alpha.
public struct MagnitudeAwareGuide: Guide {
  /// How far to go where the outputs hardly differ.
  public var scale: Double
  /// How fast the scale falls; 0 is classifier-free guidance.
  public var damping: Double
  public var interval: GuidanceInterval

  public init(scale: Double, damping: Double = 8, in interval: GuidanceInterval = .always) {
    (self.scale, self.damping, self.interval) = (scale, damping, interval)
  }

  public var isNeutral: Bool { scale == 1 }

  public func callAsFunction<Tensor: InnerProductSpace>(
    _ conditional: Tensor, _ unconditional: Tensor, at query: SamplingPlan.Query
  ) -> Tensor {
    guard acts(on: [conditional, unconditional], at: query) else { return conditional }
    let difference = Tensor.combination([(1, conditional), (-1, unconditional)])
    let scales = zip(difference.norms, unconditional.norms).map { difference, size in
      difference == 0 ? scale : 1 + (scale - 1) * Math.exp(-damping * difference / size)
    }
    return .combination(bySample: [(scales, conditional), (scales.map { 1 - $0 }, unconditional)])
  }
}
