/// How much data and how much noise a sample holds: x = signal·x0 + noise·epsilon.
///
/// Every process of the field is a path through such pairs: variance preserving (signal² + noise² =
/// 1), variance exploding (signal = 1), rectified flow (signal + noise = 1). Schedules produce
/// levels, samplers go from level to level, and nothing else passes between them.
///
/// - `signal`: √ᾱ in Ho et al. 2020, α in Kingma et al. 2021 and Lu et al. 2022; 0 or more.
/// - `noise`: √(1−ᾱ) in Ho et al. 2020, σ in Kingma et al. 2021 and Lu et al. 2022; 0 or more.
///
/// Source: Kingma et al. 2021, https://arxiv.org/abs/2107.00630, equation 1.
public struct NoiseLevel: Hashable, Codable, Sendable {
  /// The factor of the data x0, √ᾱ.
  public let signal: Double
  /// The factor of the standard normal noise epsilon, √(1−ᾱ).
  public let noise: Double

  /// A level with the given factors.
  ///
  /// - Precondition: both are finite, neither is negative, and they are not both zero.
  public init(signal: Double, noise: Double) {
    stop(
      unless: Self.isValid(signal: signal, noise: noise),
      "a noise level needs finite factors, not negative and not both zero; got signal \(signal), noise \(noise)")
    (self.signal, self.noise) = (signal, noise)
  }

  /// The variance-preserving level with a given `sigma`: signal = 1/√(1+σ²), noise = σ/√(1+σ²).
  ///
  /// - Parameter sigma: noise/signal, from 0 (data) to +∞ (noise alone).
  /// - Accuracy: both factors within 2 ulps.
  public static func variancePreserving(sigma: Double) -> NoiseLevel {
    stop(unless: sigma >= 0, "sigma must be 0 or more; got \(sigma)")
    if sigma > 1 {
      let inverse = 1 / sigma
      let noise = 1 / (1 + inverse * inverse).squareRoot()
      return NoiseLevel(signal: inverse * noise, noise: noise)
    }
    let signal = 1 / (1 + sigma * sigma).squareRoot()
    return NoiseLevel(signal: signal, noise: sigma * signal)
  }

  /// Data without noise: x = x0.
  public static let clean = NoiseLevel(signal: 1, noise: 0)

  /// noise/signal, the σ of Karras et al. 2022; +∞ where there is no signal.
  public var sigma: Double { noise / signal }
  /// The signal-to-noise ratio, signal²/noise².
  public var snr: Double { (signal / noise) * (signal / noise) }

  /// ln(signal/noise), half the log-SNR; −∞ for noise alone and +∞ for data alone.
  ///
  /// - Accuracy: within 2 ulps of the logarithm of the stored pair, near its zero too.
  public var lambda: Double {
    let ratio = signal / noise
    return ratio > 0.5 && ratio < 2 ? Math.log1p((signal - noise) / noise) : Math.log(ratio)
  }

  /// ln(signal²/noise²) = 2·lambda.
  public var logSNR: Double { 2 * lambda }

  /// The level of a sample multiplied by a factor.
  public func scaled(by factor: Double) -> NoiseLevel {
    factor == 1 ? self : NoiseLevel(signal: factor * signal, noise: factor * noise)
  }

  static func isValid(signal: Double, noise: Double) -> Bool {
    signal >= 0 && noise >= 0 && signal.isFinite && noise.isFinite && signal + noise > 0
  }

  private enum CodingKeys: CodingKey { case signal, noise }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let signal = try container.decode(Double.self, forKey: .signal)
    let noise = try container.decode(Double.self, forKey: .noise)
    guard Self.isValid(signal: signal, noise: noise) else {
      throw container.error(
        .signal, "signal \(signal), noise \(noise): both must be finite, not negative and not both zero")
    }
    self.init(signal: signal, noise: noise)
  }
}

extension KeyedDecodingContainer {
  /// The error of a value that does not fit.
  func error(_ key: Key, _ text: String) -> DecodingError {
    .dataCorruptedError(forKey: key, in: self, debugDescription: text)
  }
}
