/// Noise levels for training on a continuum: ln σ has a logistic distribution, cut off at bounds.
///
///     σ(u) = e^location·(p/(1 − p))^scale,    p = (1 − u)·F(σ_min) + u·F(σ_max)
///     F(σ) = 1/(1 + (e^location/σ)^(1/scale))
///
/// With location 0 and scale 1, t = σ/(1 + σ) is uniform: the plain objective of rectified flow.
///
/// - Accuracy: ln σ within 2⁻⁵¹·(|location| + 37·scale), where nothing is cut off.
///
/// Source: k-diffusion's `rand_log_logistic`, <https://github.com/crowsonkb/k-diffusion>.
public struct LogLogisticSigma: SigmaDistribution {
  /// The median of ln σ, where nothing is cut off.
  public let location: Double
  /// The scale of ln σ; its deviation is π/√3 times this.
  public let scale: Double
  /// The smallest sigma and the largest, from 0 to ∞.
  public let range: ClosedRange<Double>
  /// F and 1 − F at the bounds.
  private let below, above: (low: Double, high: Double)

  /// The distribution of a location and a scale of ln σ.
  ///
  /// - Throws: `TimestepSamplingError` if the scale is not above 0, the bounds are one number,
  ///   negative, or leave nothing of the distribution between them, or a sigma could leave the
  ///   range of Double: for that, |location| + 37·scale must not pass 700.
  public init(
    location: Double = 0, scale: Double = 1, range: ClosedRange<Double> = 0...Double.infinity
  ) throws(TimestepSamplingError) {
    try checkParameter("scale", scale, scale > 0 && scale <= 18, "above 0 and at most 18")
    let largest = 700 - 37 * scale
    try checkParameter(
      "location", location, abs(location) <= largest, "in \(-largest) ... \(largest) at a scale of \(scale.plain)")
    func share(_ sigma: Double, sign: Double) -> Double {
      1 / (1 + Math.exp(-sign * (Math.log(sigma) - location) / scale))
    }
    below = (share(range.lowerBound, sign: 1), share(range.upperBound, sign: 1))
    above = (share(range.lowerBound, sign: -1), share(range.upperBound, sign: -1))
    try checkParameter("the smallest sigma", range.lowerBound, range.lowerBound >= 0, "0 or more")
    try checkParameter(
      "the largest sigma", range.upperBound, below.high > below.low || above.low > above.high,
      "such that sigmas are drawn between the smallest, \(range.lowerBound.plain), and it")
    (self.location, self.scale, self.range) = (location, scale, range)
  }

  public func sigma(at share: Double) -> Double {
    // Both are sums of positive numbers, which do not cancel.
    let p = (1 - share) * below.low + share * below.high
    let q = (1 - share) * above.low + share * above.high
    return Math.exp(location + scale * Math.log(p / q))
  }

  public static func == (a: LogLogisticSigma, b: LogLogisticSigma) -> Bool {
    (a.location, a.scale, a.range) == (b.location, b.scale, b.range)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(location)
    hasher.combine(scale)
    hasher.combine(range)
  }
}
