/// The probability that a Gaussian gives to one level of a pixel, for the last term of the bound.
///
/// Pixels are whole numbers scaled to [−1, 1], 2/(levels − 1) apart. The bin of a level x is x ±
/// 1/(levels − 1), and those of the ends reach to −∞ and ∞. So all probabilities add up to 1.
///
/// ```swift
/// let gaussian = DiscretizedGaussian()
/// let likelihood = gaussian.logProbability(
///   of: x0, mean: mean, logDeviation: logVariance / 2)
/// ```
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), section 3.3, equation 13;
/// guided-diffusion's `discretized_gaussian_log_likelihood`.
public struct DiscretizedGaussian: Hashable, Sendable {
  /// How the cumulative distribution function of the normal distribution is computed.
  public enum CDF: String, Hashable, Codable, CaseIterable, Sendable {
    /// By the error function, in a form of its own wherever a probability is close to 0 or 1.
    case exact
    /// ½ + ½·tanh(√(2/π)·(x + 0.044715·x³)), with probabilities of at least 1e-12 and no gradient
    /// below, as guided-diffusion has it. It is off by up to 1.8e-4, gives the tail beyond 4
    /// deviations about half of its probability, and that beyond 6.3 none.
    case tanh
  }

  /// The logarithm of a probability in nats, with its derivatives.
  public struct LogProbability: Hashable, Sendable {
    /// The logarithm of the probability, at most 0.
    public let value: Double
    /// The derivative with respect to the mean.
    public let meanGradient: Double
    /// The derivative with respect to the logarithm of the standard deviation.
    public let logDeviationGradient: Double
  }

  /// How many values a pixel has.
  public let levels: Int
  public let cdf: CDF
  /// 1/(levels − 1).
  let halfWidth: DoubleDouble
  /// Beyond it on either side is an end level; 0.999 for 256 levels, as Ho et al. have it.
  private let end: Double

  /// The distribution over the levels of a pixel, 2 or more.
  public init(levels: Int = 256, cdf: CDF = .exact) {
    stop(unless: levels >= 2, "a pixel of \(levels) levels has no bins; it takes 2 or more")
    (self.levels, self.cdf) = (levels, cdf)
    halfWidth = DoubleDouble(1) / Double(levels - 1)
    end = 1 - 0.255 * halfWidth.high
  }

  /// The logarithm of the probability of one level, in nats.
  ///
  /// - Parameters:
  ///   - x: the level, in [−1, 1].
  ///   - mean: the mean of the Gaussian, finite.
  ///   - logDeviation: the natural logarithm of its standard deviation, finite.
  /// - Returns: the logarithm and its derivatives. The exact logarithm is −∞ only where its true
  ///   value is below −1e300, and NaN for a NaN alone.
  /// - Accuracy: with u = 2⁻⁵³ and a the distance from the mean to the nearer edge of the bin, in
  ///   deviations and negative where the mean is in the bin, the exact logarithm L is within
  ///   32·u·max(1, −ln abs(L))·abs(L). Its derivatives have a relative error of at most (32 +
  ///   5·a²)·u, and 32·u where a is above 12; for that by the log deviation, which changes its sign
  ///   near a = 1, this is the fraction of 4·(1 + a²) that its error may be.
  public func logProbability(of x: Double, mean: Double, logDeviation: Double) -> LogProbability {
    let isHigh = x > end
    let isEnd = isHigh || x < -end
    if cdf == .tanh {
      let upper = isHigh ? nil : (x - mean) + halfWidth.high
      let lower = isEnd && !isHigh ? nil : (x - mean) - halfWidth.high
      return .tanh(from: lower, to: upper, logDeviation: logDeviation)
    }
    // The Gaussian is symmetric: a bin below the mean is turned over to the side above.
    let offset = DoubleDouble(sum: x, -mean)
    let isTurned = isEnd ? !isHigh : offset.high < 0
    let bin = GaussianBin(
      distance: isTurned ? -offset : offset, halfWidth: halfWidth, isOpen: isEnd, logDeviation: logDeviation)
    let made = bin.logProbability
    return LogProbability(
      value: made.value, meanGradient: isTurned ? -made.meanGradient : made.meanGradient,
      logDeviationGradient: made.logDeviationGradient)
  }
}
