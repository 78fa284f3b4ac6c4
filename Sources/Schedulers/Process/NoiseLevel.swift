/// How much data and how much noise a sample holds: x = signal·x0 + noise·epsilon.
///
/// Every process of the field is a path through such pairs: variance preserving (signal² + noise² =
/// 1), variance exploding (signal = 1), rectified flow (signal + noise = 1). Schedules produce
/// levels, samplers go from level to level, and nothing else passes between them.
///
/// - `signal`: √ᾱ in Ho et al. 2020, α in Kingma et al. 2021 and Lu et al. 2022; 0 or more.
/// - `noise`: √(1−ᾱ) in Ho et al. 2020, σ in Kingma et al. 2021 and Lu et al. 2022; 0 or more.
///
/// A level that a schedule or a grid makes knows what the rounding of its factors to Doubles left,
/// so that a plan is worked out from the exact process and rounded once. Levels are equal if their
/// factors are, whatever is known beyond them; what is known is saved with them.
///
/// Source: [Kingma et al. 2021](https://arxiv.org/abs/2107.00630), equation 1.
public struct NoiseLevel: Sendable {
  /// The factor of the data x0, √ᾱ.
  public let signal: Double
  /// The factor of the standard normal noise epsilon, √(1−ᾱ).
  public let noise: Double
  /// What the rounding of either left; 0 for levels of given factors.
  private let signalLow, noiseLow: Double

  /// A level with the given factors.
  ///
  /// - Precondition: both are finite, neither is negative, and they are not both zero.
  public init(signal: Double, noise: Double) {
    self.init(Exact(signal: DoubleDouble(signal), noise: DoubleDouble(noise)))
  }

  /// A level with factors that are known beyond a Double.
  package init(_ exact: Exact) {
    let (signal, noise) = (exact.signal.high, exact.noise.high)
    stop(
      unless: Self.isValid(signal: signal, noise: noise),
      "a noise level needs finite factors, not negative and not both zero; got signal \(signal), noise \(noise)")
    (self.signal, self.noise) = (signal, noise)
    (signalLow, noiseLow) = (exact.signal.low, exact.noise.low)
  }

  /// The variance-preserving level with a given `sigma`: signal = 1/√(1+σ²), noise = σ/√(1+σ²).
  ///
  /// - Parameter sigma: noise/signal, from 0 (data) to +∞ (noise alone).
  /// - Accuracy: both factors within 1 ulp.
  public static func variancePreserving(sigma: Double) -> NoiseLevel {
    stop(unless: sigma >= 0, "sigma must be 0 or more; got \(sigma)")
    return variancePreserving(sigma: DoubleDouble(sigma))
  }

  static func variancePreserving(sigma: DoubleDouble) -> NoiseLevel {
    if sigma.high > 1 {
      let inverse = 1 / sigma
      let noise = 1 / (1 + inverse * inverse).squareRoot()
      return NoiseLevel(Exact(signal: inverse * noise, noise: noise))
    }
    let signal = 1 / (1 + sigma * sigma).squareRoot()
    return NoiseLevel(Exact(signal: signal, noise: sigma * signal))
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
    factor == 1 ? self : NoiseLevel(Exact(signal: exact.signal * factor, noise: exact.noise * factor))
  }

  /// The factors alone.
  var rounded: NoiseLevel { NoiseLevel(signal: signal, noise: noise) }

  package static func isValid(signal: Double, noise: Double) -> Bool {
    signal >= 0 && noise >= 0 && signal.isFinite && noise.isFinite && signal + noise > 0
  }
}

extension NoiseLevel {
  /// The factors of a level and what follows from them, in about 32 digits.
  package struct Exact: Sendable {
    package var signal, noise: DoubleDouble

    package init(signal: DoubleDouble, noise: DoubleDouble) { (self.signal, self.noise) = (signal, noise) }

    package var sigma: DoubleDouble { noise / signal }
    package var lambda: DoubleDouble { (signal / noise).log() }
  }

  /// This level with what is known beyond its factors.
  package var exact: Exact {
    Exact(signal: DoubleDouble(signal, low: signalLow), noise: DoubleDouble(noise, low: noiseLow))
  }
}

extension NoiseLevel: CustomStringConvertible {
  /// The factors, as a level is made of them.
  public var description: String { "NoiseLevel(signal: \(signal), noise: \(noise))" }
}

extension NoiseLevel: Hashable {
  public static func == (a: NoiseLevel, b: NoiseLevel) -> Bool { a.signal == b.signal && a.noise == b.noise }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(signal)
    hasher.combine(noise)
  }
}

extension NoiseLevel: Codable {
  private enum CodingKeys: CodingKey { case signal, noise, signalLow, noiseLow }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(signal, forKey: .signal)
    try container.encode(noise, forKey: .noise)
    if signalLow != 0 { try container.encode(signalLow, forKey: .signalLow) }
    if noiseLow != 0 { try container.encode(noiseLow, forKey: .noiseLow) }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    /// A factor and what its rounding left, which does not change it.
    func factor(_ key: CodingKeys, _ lowKey: CodingKeys) throws -> DoubleDouble {
      let high = try container.decode(Double.self, forKey: key)
      let low = try container.decodeIfPresent(Double.self, forKey: lowKey) ?? 0
      guard low == 0 || high + low == high else {
        throw container.error(lowKey, "\(low) must be less than half of the last digit of \(high)")
      }
      return DoubleDouble(high, low: low)
    }
    let (signal, noise) = (try factor(.signal, .signalLow), try factor(.noise, .noiseLow))
    guard Self.isValid(signal: signal.high, noise: noise.high) else {
      throw container.error(
        .signal, "signal \(signal.high), noise \(noise.high): both must be finite, not negative and not both zero")
    }
    self.init(Exact(signal: signal, noise: noise))
  }
}

extension KeyedDecodingContainer {
  /// The error of a value that does not fit.
  func error(_ key: Key, _ text: String) -> DecodingError {
    .dataCorruptedError(forKey: key, in: self, debugDescription: text)
  }
}
