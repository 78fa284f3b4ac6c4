/// Perp-Neg: negative prompts that take nothing away from the positive one.
///
///     F = F_∅ + scale·(p − Σ weight·(n − ⟨n, p⟩/‖p‖²·p))
///     p = F_positive − F_∅,   n = F_negative − F_∅
///
/// In each sample, only the part of a negative counts that is perpendicular to the positive.
///
/// Source: [Armandpour et al. 2023](https://arxiv.org/abs/2304.04968).
public struct PerpendicularNegativeGuide: Guide {
  /// How far to go. At 1 the negatives count still.
  public var scale: Double
  /// How much each negative counts.
  public var weights: [Double]
  public var interval: GuidanceInterval

  public init(scale: Double, weights: [Double] = [1], in interval: GuidanceInterval = .always) {
    (self.scale, self.weights, self.interval) = (scale, weights, interval)
  }

  public var isNeutral: Bool { scale == 1 && weights.allSatisfy { $0 == 0 } }

  /// - Parameters:
  ///   - positive: the output for the prompt.
  ///   - unconditional: for no prompt, not a negative one.
  ///   - negatives: for what is not wanted, one output for each weight.
  ///   - query: what the network was told.
  public func callAsFunction<Tensor: InnerProductSpace>(
    _ positive: Tensor, _ unconditional: Tensor, negatives: [Tensor], at query: SamplingPlan.Query
  ) -> Tensor {
    stop(
      unless: negatives.count == weights.count,
      "\(negatives.count) negative outputs for \(weights.count) weights; give one for each")
    guard acts(on: [positive, unconditional] + negatives, at: query) else { return positive }
    let p = Tensor.combination([(1, positive), (-1, unconditional)])
    var direction = p
    for (weight, negative) in zip(weights, negatives) {
      let n = Tensor.combination([(1, negative), (-1, unconditional)])
      let shares = Tensor.shares(of: n, along: p)
      direction = .combination(
        bySample: [
          (shares.map { _ in 1 }, direction), (shares.map { _ in -weight }, n), (shares.map { weight * $0 }, p),
        ])
    }
    return .combination([(1, unconditional), (scale, direction)])
  }
}
