/// A moving average whose profile over training is a power of time, however long training lasts.
///
///     p(τ) = (γ + 1)·τ^γ/t^(γ + 1)    for τ in 0 ... t
///
/// The updates average ← d·average + (1 − d)·latest with d = (1 − 1/t)^(γ + 1) have this profile
/// exactly: the k-th tensor counts by the integral of p from k − 1 to k.
///
/// From snapshots of averages with two γ, the average of any γ can be made after training:
///
/// ```swift
/// let kept = try [0.05, 0.1].map { try PowerAverage(relativeDeviation: $0) }
/// var averages = kept.map { ExponentialAverage(.power($0), of: network.weights) }
/// // … save both now and then, with the step; then
/// let wanted = try PowerAverage(relativeDeviation: 0.07)
/// let weights = try wanted.weights(at: 1000, from: snapshots)
/// ```
///
/// Source: [Karras et al. 2024](https://arxiv.org/abs/2312.02696), section 3 and appendix C.
public struct PowerAverage: Hashable, Codable, Sendable {
  /// γ, 0 or more.
  public let exponent: Double

  /// The average of a γ.
  ///
  /// - Throws: `AverageError` unless γ is in 0 ... 1e6.
  public init(exponent: Double) throws(AverageError) {
    guard exponent >= 0, exponent <= 1e6 else { throw .parameter("exponent", exponent, allowed: "in 0 ... 1e6") }
    self.exponent = exponent
  }

  /// The average whose profile has a standard deviation of σ_rel·t.
  ///
  ///     σ_rel = √(γ + 1)/((γ + 2)·√(γ + 3))
  ///
  /// - Parameter relativeDeviation: σ_rel; 0.05 and 0.1 are EDM2's.
  /// - Throws: `AverageError` unless it is in 1e-6 ... 1/√12, the deviation of γ = 0.
  /// - Accuracy: γ within 2⁻⁴⁸·(γ + 1).
  public init(relativeDeviation: Double) throws(AverageError) {
    let largest = Self.deviation(0)
    guard relativeDeviation >= 1e-6, relativeDeviation <= largest else {
      throw .parameter("relativeDeviation", relativeDeviation, allowed: "in 1e-6 ... \(largest)")
    }
    // The deviation falls with γ, from one end to below the other.
    var (low, high) = (0.0, 1e6)
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { break }
      if Self.deviation(middle) > relativeDeviation { low = middle } else { high = middle }
    }
    exponent = low
  }

  /// σ_rel.
  public var relativeDeviation: Double { Self.deviation(exponent) }

  private static func deviation(_ exponent: Double) -> Double {
    ((exponent + 1) / (exponent + 3)).squareRoot() / (exponent + 2)
  }

  /// d of an update.
  ///
  /// - Parameter step: t, which of all updates it is, from 1 on.
  public func decay(at step: Int) -> Double {
    stop(unless: step >= 1, "the update number \(step) must be 1 or more")
    return step == 1 ? 0 : Math.exp((exponent + 1) * Math.log1p(-1 / Double(step)))
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    do { try self.init(exponent: container.decode(Double.self, forKey: .exponent)) } catch let error as AverageError {
      throw container.error(.exponent, "\(error)")
    }
  }
}

/// Why there is no such average.
public enum AverageError: Error, Hashable, Sendable {
  /// A parameter that is out of its range.
  case parameter(String, Double, allowed: String)
  /// Snapshots of which one follows from the others, so that no weights are theirs.
  case snapshots(count: Int)
}

extension AverageError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .parameter(let name, let value, let allowed): "\(name) \(value.plain) must be \(allowed)"
    case .snapshots(let count):
      "\(count) snapshots do not determine weights; give one or more, each of another exponent or step"
    }
  }
}
