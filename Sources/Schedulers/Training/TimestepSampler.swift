/// Which timesteps a batch is trained at.
///
/// ```swift
/// let sampler = Stratified(try TimestepDistribution.uniform(timesteps: 1000))
/// var generator = PhiloxGenerator(seed: 42)
/// for draw in sampler.draw(count: 64, using: &generator) {
///   loss += draw.weight * squaredError(at: schedule[draw.timestep])
/// }
/// ```
///
/// The same generator gives the same draws.
public protocol TimestepSampler: Sendable {
  /// How probable each timestep is, and what it weighs. In a batch of many draws, the mean of
  /// weight·f(timestep) tends to Σ p_t·w_t·f(t).
  var distribution: TimestepDistribution { get }

  /// The timesteps of a batch, 0 or more; each draw takes one number of the generator.
  func draw(count: Int, using generator: inout some RandomNumberGenerator) -> [TimestepDraw]
}

/// A timestep to train at.
public struct TimestepDraw: Hashable, Codable, Sendable {
  /// The timestep, in 0 ..< T.
  public let timestep: Int
  /// What the loss is to be multiplied by.
  public let weight: Double

  public init(timestep: Int, weight: Double) { (self.timestep, self.weight) = (timestep, weight) }
}

extension TimestepSampler {
  /// Independent draws from the distribution.
  public func draw(count: Int, using generator: inout some RandomNumberGenerator) -> [TimestepDraw] {
    checkCount(count)
    let distribution = distribution
    return (0..<count).map { _ in distribution.draw(at: generator.uniform()) }
  }

  func checkCount(_ count: Int) { stop(unless: count >= 0, "\(count) timesteps cannot be drawn; ask for 0 or more") }
}
