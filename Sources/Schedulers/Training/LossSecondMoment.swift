/// Timesteps in proportion to the root mean square of their latest losses, for least variance.
///
///     p_t = (1 − u)·√E[L_t²] / Σ √E[L_i²] + u/T
///
/// E is the mean over the last `historyLength` losses of a timestep, u the `uniformProbability`.
/// Until every timestep has that many, and if all losses are 0, timesteps are uniform. Weights are
/// unbiased, 1/(T·p_t), and so at most 1/u.
///
/// ```swift
/// var sampler = try LossSecondMoment(timesteps: 1000)
/// let draws = sampler.draw(count: 64, using: &generator)
/// // ... train; several workers see what all saw, in the order of their ranks:
/// try sampler.update(with: try await exchange.allGather(losses))
/// ```
///
/// The losses are those of the terms of the variational bound, without the weights of the draws.
///
/// Source: [Nichol and Dhariwal 2021](https://arxiv.org/abs/2102.09672), section 3.3, equation 18;
/// guided-diffusion's `LossSecondMomentResampler`, which has the uniform part.
public struct LossSecondMoment: TimestepSampler, Hashable {
  /// How many losses of each timestep count, 1 or more.
  public let historyLength: Int
  /// u, the part of the probability that is uniform; in 1e-12 ... 1.
  public let uniformProbability: Double
  /// The latest losses of each timestep, oldest first.
  public private(set) var history: [[Double]]

  /// A sampler that has seen no losses.
  ///
  /// - Throws: `TimestepSamplingError` if T is less than 1, or an option is out of its range.
  public init(
    timesteps: Int, historyLength: Int = 10, uniformProbability: Double = 0.001
  ) throws(TimestepSamplingError) {
    guard timesteps >= 1 else { throw .timesteps(timesteps) }
    guard historyLength >= 1 else { throw .parameter("historyLength", Double(historyLength), allowed: "1 or more") }
    guard (1e-12...1).contains(uniformProbability) else {
      throw .parameter("uniformProbability", uniformProbability, allowed: "in 1e-12 ... 1")
    }
    (self.historyLength, self.uniformProbability) = (historyLength, uniformProbability)
    history = Array(repeating: [], count: timesteps)
  }

  /// Whether every timestep has a full history.
  public var isWarmedUp: Bool { history.allSatisfy { $0.count == historyLength } }

  public var distribution: TimestepDistribution {
    // What update(with:) has accepted makes positive, finite shares.
    do { return try TimestepDistribution(proportionalTo: shares) } catch { stop("\(error)") }
  }

  private var shares: [Double] {
    let uniform = [Double](repeating: 1, count: history.count)
    let largest = history.joined().max() ?? 0
    guard isWarmedUp, largest > 0 else { return uniform }
    // Relative to the largest, no square overflows. Sums do for means of equally many.
    let roots = history.map { losses in
      losses.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
    }
    let total = roots.reduce(0, +)
    return roots.map { (1 - uniformProbability) * $0 / total + uniformProbability / Double(history.count) }
  }

  /// Learns the losses of one worker, in their order.
  ///
  /// - Throws: `TimestepSamplingError` as for the losses of all workers.
  public mutating func update(with losses: [TimestepLoss]) throws(TimestepSamplingError) { try update(with: [losses]) }

  /// Learns the losses of all workers, in the order of their ranks.
  ///
  /// Workers that call this with the same losses after the same history are in the same state.
  ///
  /// - Parameter gathered: the losses of each worker, as `LossExchange` gives them.
  /// - Throws: `TimestepSamplingError`, in every worker alike, if a loss is negative, infinite or
  ///   NaN, or a timestep outside 0 ..< T; nothing is learned then.
  public mutating func update(with gathered: [[TimestepLoss]]) throws(TimestepSamplingError) {
    for (worker, losses) in gathered.enumerated() {
      for (index, pair) in losses.enumerated() {
        guard history.indices.contains(pair.timestep) else {
          throw .timestep(pair.timestep, timesteps: history.count, worker: worker, index: index)
        }
        guard Self.isValid(pair.loss) else {
          throw .loss(pair.loss, timestep: pair.timestep, worker: worker, index: index)
        }
      }
    }
    for pair in gathered.joined() {
      if history[pair.timestep].count == historyLength { history[pair.timestep].removeFirst() }
      history[pair.timestep].append(pair.loss)
    }
  }

  private static func isValid(_ loss: Double) -> Bool { loss >= 0 && loss.isFinite }
}

extension LossSecondMoment: Codable {
  private enum CodingKeys: CodingKey { case historyLength, uniformProbability, history }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let history = try container.decode([[Double]].self, forKey: .history)
    do {
      try self.init(
        timesteps: history.count, historyLength: container.decode(Int.self, forKey: .historyLength),
        uniformProbability: container.decode(Double.self, forKey: .uniformProbability))
    } catch let error as TimestepSamplingError {
      throw DecodingError.dataCorrupted(.init(codingPath: container.codingPath, debugDescription: "\(error)"))
    }
    for (t, losses) in history.enumerated() where losses.count > historyLength || !losses.allSatisfy(Self.isValid) {
      throw container.error(
        .history, "\(losses) at timestep \(t) must be at most \(historyLength) losses, finite and 0 or more")
    }
    self.history = history
  }
}
