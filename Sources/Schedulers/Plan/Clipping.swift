/// What is done to x̂0 before a sampler uses it.
public enum Clipping: Hashable, Sendable {
  /// Nothing.
  case none
  /// Each value is brought into the range. NaN stays NaN.
  case range(ClosedRange<Double>)
  /// Dynamic thresholding: with s the `ratio` quantile of |x̂0| over one sample, brought into 1 ... `maximum`, each value is brought
  /// into −s ... s and divided by s. A sample with a NaN becomes NaN.
  ///
  /// Source: Saharia et al. 2022, https://arxiv.org/abs/2205.11487, section 2.3; quantile by linear interpolation, and `maximum` (1 or
  /// more, 1 being plain clipping) as in diffusers.
  case dynamic(ratio: Double = 0.995, maximum: Double = 1)

  func validate() throws(PlanError) {
    switch self {
    case .none: break
    case .range(let range):
      guard range.lowerBound.isFinite, range.upperBound.isFinite else {
        throw .option(
          "range", range.lowerBound.isFinite ? range.upperBound : range.lowerBound, sampler: "clipping",
          allowed: "finite numbers")
      }
    case .dynamic(let ratio, let maximum):
      guard ratio > 0, ratio <= 1 else { throw .option("ratio", ratio, sampler: "dynamic clipping", allowed: "(0, 1]") }
      guard maximum >= 1, maximum.isFinite else {
        throw .option("maximum", maximum, sampler: "dynamic clipping", allowed: "[1, ∞)")
      }
    }
  }
}

extension Clipping: Codable {}
