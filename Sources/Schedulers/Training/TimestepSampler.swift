/// Which timesteps a batch is trained at.
///
/// ```swift
/// let sampler: some TimestepSampler = Stratified(try TimestepDistribution.uniform(timesteps: 1000))
/// var generator = PhiloxGenerator(seed: 42)
/// for draw in sampler.draw(count: 64, using: &generator) {
///   loss += draw.weight * squaredError(at: schedule[draw.timestep])
/// }
/// ```
///
/// The same generator gives the same draws.
public protocol TimestepSampler: Sendable {
  /// How probable each timestep is, and what it weighs. In a batch of many draws, the mean of weight·f(timestep) tends to
  /// Σ p_t·w_t·f(t).
  var distribution: TimestepDistribution { get }

  /// The timesteps of a batch.
  ///
  /// - Parameters:
  ///   - count: how many, 0 or more.
  ///   - generator: where the randomness comes from; each draw takes one number of it.
  func draw(count: Int, using generator: inout some RandomNumberGenerator) -> [TimestepDraw]
}

/// A timestep to train at.
public struct TimestepDraw: Hashable, Codable, Sendable {
  /// The timestep, in 0 ..< T.
  public let timestep: Int
  /// What the loss is to be multiplied by.
  public let weight: Double

  /// A timestep with a weight.
  public init(timestep: Int, weight: Double) {
    self.timestep = timestep
    self.weight = weight
  }
}

extension TimestepSampler {
  /// Independent draws from the distribution.
  public func draw(count: Int, using generator: inout some RandomNumberGenerator) -> [TimestepDraw] {
    checkCount(count)
    let distribution = distribution
    return (0..<count).map { _ in distribution.draw(at: generator.uniform()) }
  }

  func checkCount(_ count: Int) {
    precondition(count >= 0, "\(count) timesteps cannot be drawn; ask for 0 or more")
  }
}

/// Draws that are spread evenly: the i-th of N is at a random place of the i-th of N equal slices of the probability.
///
/// The mean over a batch is that of independent draws, and its variance is never more. In a batch of N, timestep t comes up N·p_t
/// times, give or take less than 2.
///
/// The timesteps of a batch ascend, so the data they meet should be in random order.
///
/// Source: Owen 2013, Monte Carlo theory, methods and examples, https://artowen.su.domains/mc/, section 8.4. The low-discrepancy
/// sampler of Kingma et al. 2021, https://arxiv.org/abs/2107.00630, has one random place for all slices.
public struct Stratified<Base: TimestepSampler>: TimestepSampler {
  /// The sampler whose draws are spread.
  public var base: Base

  /// A sampler's draws, spread evenly.
  public init(_ base: Base) { self.base = base }

  public var distribution: TimestepDistribution { base.distribution }

  public func draw(count: Int, using generator: inout some RandomNumberGenerator) -> [TimestepDraw] {
    checkCount(count)
    let distribution = distribution
    return (0..<count).map { i in distribution.draw(at: (Double(i) + generator.uniform()) / Double(count)) }
  }
}

extension Stratified: Equatable where Base: Equatable {}
extension Stratified: Hashable where Base: Hashable {}
extension Stratified: Codable where Base: Codable {}
