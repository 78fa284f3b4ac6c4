/// Draws spread evenly: the i-th of N is at a random place of the i-th N-th of the probability.
///
/// The mean over a batch is that of independent draws, and its variance is never more. In a batch
/// of N, timestep t comes up N·p_t times, give or take less than 2.
///
/// The timesteps of a batch ascend, so the data they meet should be in random order.
///
/// Source: Owen 2013, Monte Carlo theory, methods and examples, <https://artowen.su.domains/mc/>,
/// section 8.4. The low-discrepancy sampler of [Kingma et al.
/// 2021](https://arxiv.org/abs/2107.00630) has one random place for all slices.
public struct Stratified<Base: TimestepSampler>: TimestepSampler {
  /// The sampler whose draws are spread.
  public var base: Base

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
