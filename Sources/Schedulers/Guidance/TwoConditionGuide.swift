/// Guidance by two conditions with a scale each, as a picture to edit and a text that says how.
///
///     F = F_∅ + firstScale·(F_first − F_∅) + scale·(F_both − F_first)
///
/// Source: [Brooks et al. 2023 (InstructPix2Pix)](https://arxiv.org/abs/2211.09800), where the
/// picture is the first condition; in this form its pipeline in diffusers 0.42.1.
public struct TwoConditionGuide: Guide {
  /// How far to go from the first condition alone to both.
  public var scale: Double
  /// How far to go from no condition to the first.
  public var firstScale: Double
  public var interval: GuidanceInterval

  public init(scale: Double, firstScale: Double, in interval: GuidanceInterval = .always) {
    (self.scale, self.firstScale, self.interval) = (scale, firstScale, interval)
  }

  public var isNeutral: Bool { scale == 1 && firstScale == 1 }

  /// - Parameters:
  ///   - both: the output for both conditions.
  ///   - first: for the first alone.
  ///   - neither: for none.
  ///   - query: what the network was told.
  public func callAsFunction<Tensor: LinearSpace>(
    _ both: Tensor, first: Tensor, neither: Tensor, at query: SamplingPlan.Query
  ) -> Tensor {
    guard acts(on: [both, first, neither], at: query) else { return both }
    return .sum([(scale, both), (firstScale - scale, first), (1 - firstScale, neither)])
  }
}
