import Schedulers

/// The meeting place of workers that are tasks of one process.
///
/// ```swift
/// let rendezvous = LossRendezvous(workers: 4)
/// try await withThrowingTaskGroup(of: Void.self) { group in
///   for rank in 0..<4 {
///     let exchange = rendezvous.worker(rank)
///     group.addTask { try await train(exchange) }
///   }
///   try await group.waitForAll()
/// }
/// ```
///
/// A round ends when all have come. If the task of one that waits is cancelled, the round cannot
/// end: it and all later ones throw `CancellationError` in every worker.
actor LossRendezvous {
  /// One worker's side of the meeting place.
  struct Worker: LossExchange {
    let rendezvous: LossRendezvous
    /// The worker's place in the order, in 0 ..< the number of workers.
    let rank: Int

    func allGather(_ losses: [TimestepLoss]) async throws -> [[TimestepLoss]] {
      try await rendezvous.gather(losses, rank: rank)
    }
  }

  private let workers: Int
  private var round = 0
  private var isCancelled = false
  private var arrived: [Int: [TimestepLoss]] = [:]
  private var waiting: [CheckedContinuation<[[TimestepLoss]], any Error>] = []

  /// A meeting place for a number of workers, 1 or more.
  init(workers: Int) {
    precondition(workers >= 1, "\(workers) workers cannot meet; there must be at least 1")
    self.workers = workers
  }

  /// The side of one worker. Each rank is for one task at a time.
  ///
  /// - Precondition: the rank is in 0 ..< the number of workers.
  nonisolated func worker(_ rank: Int) -> Worker {
    precondition((0..<workers).contains(rank), "rank \(rank) is outside the workers' 0 ..< \(workers)")
    return Worker(rendezvous: self, rank: rank)
  }

  private func gather(_ losses: [TimestepLoss], rank: Int) async throws -> [[TimestepLoss]] {
    guard !isCancelled else { throw CancellationError() }
    precondition(arrived[rank] == nil, "worker \(rank) came twice to round \(round) of \(workers) workers")
    arrived[rank] = losses
    guard arrived.count == workers else { return try await wait(inRound: round) }
    let gathered = arrived.sorted { $0.key < $1.key }.map(\.value)
    round += 1
    arrived = [:]
    resumeAll(with: .success(gathered))
    return gathered
  }

  private func wait(inRound round: Int) async throws -> [[TimestepLoss]] {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiting.append($0) }
    } onCancel: {
      Task { await cancel(round: round) }
    }
  }

  private func cancel(round: Int) {
    // The round may have ended before the cancellation got here.
    guard round == self.round else { return }
    isCancelled = true
    resumeAll(with: .failure(CancellationError()))
  }

  private func resumeAll(with result: Result<[[TimestepLoss]], any Error>) {
    for continuation in waiting { continuation.resume(with: result) }
    waiting = []
  }
}
