/// A bin on the upper side of a Gaussian, or around its mean, and the logarithm of its probability.
///
/// In deviations from the mean, the bin goes from a to b, with the centre z = (a + b)/2 ≥ 0 and
/// half the width w; b is ∞ where it is open. With φ the density of the normal distribution and Q
/// its upper tail, P = Q(a) − Q(b), and φ(b)/φ(a) = e^−2p where p = z·w:
///
///     ∂ln P/∂mean         = H·(1 − e^−2p)/deviation
///     ∂ln P/∂ln deviation = H·(a − b·e^−2p),           H = φ(a)/P
///
/// No single form of P keeps its digits everywhere. These four are tried in turn:
///
/// 1. The density changes little over the bin (w < 0.7 and p < ½): φ(z)·2w times a series.
/// 2. The mean is in the bin (a ≤ 0): 1 less both tails; two error functions where those pass ½.
/// 3. In reach of Double (a < 12): ½·erfc(a/√2) − ½·erfc(b/√2), with a ratio below 0.37.
/// 4. Far out: φ(a)·(M(a) − e^−2p·M(b)) with M = Q/φ the Mills ratio, by its asymptotic series.
///
/// Source: Abramowitz and Stegun 1964, 7.1.23 for the Mills ratio, 22.9.17 for the series.
struct GaussianBin {
  private let logDeviation, halfWidth: Double
  /// 1/deviation.
  private let scale: Double
  private let a, b, z, w, p: Double

  /// - Parameters:
  ///   - distance: of the bin's centre from the mean, 0 or more unless the bin is open.
  ///   - isOpen: whether the bin reaches to ∞.
  init(distance: DoubleDouble, halfWidth: DoubleDouble, isOpen: Bool, logDeviation: Double) {
    self.logDeviation = logDeviation
    self.halfWidth = halfWidth.high
    scale = min(Math.exp(-logDeviation), .greatestFiniteMagnitude)
    // Near the mean, edges are differences of near numbers, which a small deviation magnifies.
    a = (distance - halfWidth).high * scale
    b = isOpen ? .infinity : (distance + halfWidth).high * scale
    z = isOpen ? .infinity : distance.high * scale
    w = halfWidth.high * scale
    p = isOpen ? .infinity : z * w
  }

  var logProbability: DiscretizedGaussian.LogProbability {
    if w < 0.7, p < 0.5 { return narrow() }
    if a <= 0 { return aroundMean() }
    if a < 12 {
      let probability = StandardNormal.above(a) - StandardNormal.above(b)
      return made(Math.log(probability), ratio: StandardNormal.density(a) / probability)
    }
    let mills = Self.mills(a) - Math.exp(-2 * p) * Self.mills(b)
    return made(Math.log(StandardNormal.peak * mills) - a * a / 2, ratio: 1 / mills)
  }

  private func aroundMean() -> DiscretizedGaussian.LogProbability {
    let missing = StandardNormal.above(-a) + StandardNormal.above(b)
    let probability = missing < 0.5 ? 1 - missing : (Math.erf(-a * Self.rootHalf) + Math.erf(b * Self.rootHalf)) / 2
    return made(
      missing < 0.5 ? Math.log1p(-missing) : Math.log(probability), ratio: StandardNormal.density(a) / probability)
  }

  /// With the value and H.
  private func made(_ value: Double, ratio: Double) -> DiscretizedGaussian.LogProbability {
    if ratio == 0 { return .init(value: value, meanGradient: 0, logDeviationGradient: 0) }
    let decay = Math.exp(-2 * p)
    let far = decay == 0 ? 0 : b * decay
    return .init(
      value: value, meanGradient: ratio * -Math.expm1(-2 * p) * scale, logDeviationGradient: ratio * (a - far))
  }

  /// P = φ(z)·2w·S, where S is the mean of e^(−zy − y²/2) = Σ Heₙ(z)·(−y)ⁿ/n! over y in [−w, w]:
  /// its even terms, divided by n + 1. There φ(a) and φ(b) are φ(z)·e^(−w²/2 ± p).
  private func narrow() -> DiscretizedGaussian.LogProbability {
    var (even, odd, sum, n) = (1.0, p, 1.0, 2.0)
    // Both factors are at most ½: after two small terms come smaller ones, in all below 2⁻⁵⁵.
    while abs(even) + abs(odd) > 0x1p-52 {
      even = (p * odd - w * w * even) / n
      sum += even / (n + 1)
      odd = (p * even - w * w * odd) / (n + 1)
      n += 2
    }
    let growth = Math.expm1(p)
    let sinh = (growth + growth / (growth + 1)) / 2
    let cosh = growth + 1 - sinh
    let weight = Math.exp(-w * w / 2) / sum
    let shape = p == 0 ? 1 : sinh / p
    // A width that vanishes beside the deviation has a logarithm nevertheless.
    let logWidth =
      w.isNormal
      ? Math.log(2 * StandardNormal.peak * sum * w) : Math.log(2 * StandardNormal.peak * sum * halfWidth) - logDeviation
    return .init(
      value: logWidth - z * z / 2, meanGradient: weight * shape * z * scale,
      logDeviationGradient: weight * (z * z * shape - cosh))
  }
}

extension GaussianBin {
  private static let rootHalf = 0.5.squareRoot()

  /// Q(x)/φ(x) = 1/x·(1 − 1/x² + 1·3/x⁴ − 1·3·5/x⁶ + …) for x ≥ 12: the first of the terms left out
  /// is 1·3·…·33/12³⁴ = 2⁻⁵⁹, and the error is below it.
  private static func mills(_ x: Double) -> Double {
    let square = 1 / (x * x)
    var sum = 1.0
    for n in stride(from: 31.0, through: 1, by: -2) { sum = 1 - n * square * sum }
    return sum / x
  }
}
