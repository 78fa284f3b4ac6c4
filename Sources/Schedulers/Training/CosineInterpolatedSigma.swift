/// Noise levels for training on a continuum: uniform times of a cosine schedule, shifted by the
/// picture's size, between the shifts for two sizes.
///
///     σ_r(u) = σ_data/r·tan(u·atan(r·σ_max/σ_data) + (1 − u)·atan(r·σ_min/σ_data))
///     σ(u)   = σ_low(u)^u·σ_high(u)^(1 − u)
///
/// where r is the size at which noise should look alike, one of two, divided by the picture's.
///
/// - Accuracy: ln σ within 16·2⁻⁵² and its own rounding.
///
/// Source: [Hoogeboom et al. 2023](https://arxiv.org/abs/2301.11093), section 3.1; k-diffusion's
/// `rand_cosine_interpolated`, whose u runs from the largest sigma to the smallest.
public struct CosineInterpolatedSigma: SigmaDistribution {
  /// The width of the pictures.
  public let size: Double
  /// The widths at which noise should look alike: near the largest sigma, and near the smallest.
  public let noiseSizes: (low: Double, high: Double)
  /// σ_data, the deviation of the data.
  public let sigmaData: Double
  /// The smallest sigma and the largest.
  public let range: ClosedRange<Double>

  /// The distribution for pictures of a width.
  ///
  /// - Throws: `TimestepSamplingError` if a size, σ_data or a bound is not above 0 and finite.
  public init(
    size: Double, noiseSizes: (low: Double, high: Double), sigmaData: Double = 1,
    range: ClosedRange<Double> = 1e-3...1e3
  ) throws(TimestepSamplingError) {
    for (name, value) in [
      ("size", size), ("the low size of noise", noiseSizes.low), ("the high size of noise", noiseSizes.high),
      ("sigmaData", sigmaData),
    ] {
      try checkParameter(name, value, value > 0 && value.isFinite, "above 0 and finite")
    }
    try checkSigmas(range)
    (self.size, self.noiseSizes, self.sigmaData, self.range) = (size, noiseSizes, sigmaData, range)
  }

  public func sigma(at share: Double) -> Double {
    let (low, high) = (logSigma(at: share, noiseSize: noiseSizes.low), logSigma(at: share, noiseSize: noiseSizes.high))
    return Math.exp(share * low + (1 - share) * high)
  }

  /// ln σ_r.
  private func logSigma(at share: Double, noiseSize: Double) -> Double {
    let (numerator, denominator) = (noiseSize, size * sigmaData)
    // The angle and what it lacks of a right angle, both without cancellation.
    func mix(_ part: (Double) -> Double) -> Double {
      share * part(range.upperBound) + (1 - share) * part(range.lowerBound)
    }
    let angle = mix { Math.atan2(numerator * $0, denominator) }
    let rest = mix { Math.atan2(denominator, numerator * $0) }
    return Math.log(denominator * Math.sin(angle) / (numerator * Math.sin(rest)))
  }

  public static func == (a: CosineInterpolatedSigma, b: CosineInterpolatedSigma) -> Bool {
    a.size == b.size && a.noiseSizes == b.noiseSizes && a.sigmaData == b.sigmaData && a.range == b.range
  }

  public func hash(into hasher: inout Hasher) {
    for number in [size, noiseSizes.low, noiseSizes.high, sigmaData] { hasher.combine(number) }
    hasher.combine(range)
  }
}
