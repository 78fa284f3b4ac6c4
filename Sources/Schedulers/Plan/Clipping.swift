/// What is done to x̂0 before a sampler uses it.
public enum Clipping: Hashable, Codable, Sendable {
  /// Nothing.
  case none
  /// Each value is brought into the range. NaN stays NaN.
  case range(ClosedRange<Double>)
  /// Dynamic thresholding: values are brought into −s ... s and divided by s, the `ratio` quantile
  /// of |x̂0| over one sample, at least 1 and at most `maximum`. A sample with a NaN becomes NaN.
  ///
  /// `maximum` is above 0. With 1 this is plain clipping; below 1, s is `maximum` for every sample.
  ///
  /// Source: [Saharia et al. 2022](https://arxiv.org/abs/2205.11487), section 2.3; quantile by
  /// linear interpolation, and `maximum`, as in diffusers.
  case dynamic(ratio: Double = 0.995, maximum: Double = 1)

  package func validate() throws(PlanError) {
    switch self {
    case .none: break
    case .range(let range):
      for bound in [range.lowerBound, range.upperBound] where !bound.isFinite {
        throw .option("range", bound, of: "clipping", allowed: "finite numbers")
      }
    case .dynamic(let ratio, let maximum):
      guard ratio > 0, ratio <= 1 else { throw .option("ratio", ratio, of: "dynamic clipping", allowed: "(0, 1]") }
      guard maximum > 0, maximum.isFinite else {
        throw .option("maximum", maximum, of: "dynamic clipping", allowed: "(0, ∞)")
      }
    }
  }
}
