/// Classifier-free guidance: from the unconditional output towards, and past, the conditional one.
///
///     F = F_unconditional + scale·(F_conditional − F_unconditional)
///
/// The output for a negative prompt can take the place of the unconditional one. With the output of
/// a weaker network for the same condition in its place, this is autoguidance: [Karras et al.
/// 2024](https://arxiv.org/abs/2406.02507).
///
/// Source: [Ho and Salimans 2022](https://arxiv.org/abs/2207.12598), equation 6, w = scale − 1.
public struct ClassifierFreeGuide: Guide {
  /// How far to go: 1 is the conditional output, more exaggerates the condition.
  public var scale: Double
  public var interval: GuidanceInterval

  public init(scale: Double, in interval: GuidanceInterval = .always) {
    (self.scale, self.interval) = (scale, interval)
  }

  public var isNeutral: Bool { scale == 1 }

  public func callAsFunction<Tensor: LinearSpace>(
    _ conditional: Tensor, _ unconditional: Tensor, at query: SamplingPlan.Query
  ) -> Tensor {
    guard acts(on: [conditional, unconditional], at: query) else { return conditional }
    return .sum([(scale, conditional), (1 - scale, unconditional)])
  }
}
