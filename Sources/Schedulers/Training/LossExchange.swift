/// A loss that training met at a timestep.
public struct TimestepLoss: Hashable, Codable, Sendable {
  /// The timestep, in 0 ..< T.
  public let timestep: Int
  /// The loss there, 0 or more.
  public let loss: Double

  public init(timestep: Int, loss: Double) { (self.timestep, self.loss) = (timestep, loss) }
}

/// What lets the workers of one training see each other's losses: an all-gather.
///
/// Implement it over MPI, NCCL or a socket.
public protocol LossExchange: Sendable {
  /// Hands in the losses of this worker and waits for those of the others.
  ///
  /// - Parameter losses: of this worker; other workers may have more or fewer.
  /// - Returns: the losses of each worker, in the order of their ranks, alike for every worker.
  func allGather(_ losses: [TimestepLoss]) async throws -> [[TimestepLoss]]
}
