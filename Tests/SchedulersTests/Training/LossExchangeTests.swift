import Schedulers
import Testing

@Suite struct LossExchangeTests {
  private static let timesteps = 5

  /// What a worker meets in a round: another number of losses each time, some of the same timestep.
  private static func losses(rank: Int, round: Int) -> [TimestepLoss] {
    var generator = PhiloxGenerator(seed: UInt64(round), stream: UInt64(rank))
    return (0..<(rank + round) % 4).map { _ in
      TimestepLoss(timestep: Int(generator.next() % UInt64(timesteps)), loss: Double(generator.next() % 1000) / 8)
    }
  }

  @Test(arguments: [1, 2, 7]) func `workers end in the state of one that saw all losses in the order of ranks`(
    workers: Int
  ) async throws {
    let rounds = 50
    let rendezvous = LossRendezvous(workers: workers)
    let states = try await withThrowingTaskGroup(of: LossSecondMoment.self) { group in
      for rank in 0..<workers {
        let exchange = rendezvous.worker(rank)
        group.addTask {
          var sampler = try LossSecondMoment(timesteps: Self.timesteps, historyLength: 3)
          for round in 0..<rounds {
            try sampler.update(with: try await exchange.allGather(Self.losses(rank: rank, round: round)))
          }
          return sampler
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    var alone = try LossSecondMoment(timesteps: Self.timesteps, historyLength: 3)
    for round in 0..<rounds {
      for rank in 0..<workers { try alone.update(with: Self.losses(rank: rank, round: round)) }
    }
    #expect(states == Array(repeating: alone, count: workers))
    #expect(alone.isWarmedUp)
  }

  @Test func `all workers are told of a bad loss, by the worker that had it`() async {
    let rendezvous = LossRendezvous(workers: 3)
    let errors = await withTaskGroup(of: TimestepSamplingError?.self) { group in
      for rank in 0..<3 {
        group.addTask {
          do {
            var sampler = try LossSecondMoment(timesteps: 2)
            let losses = [TimestepLoss(timestep: 1, loss: rank == 2 ? -1 : 1)]
            try sampler.update(with: try await rendezvous.worker(rank).allGather(losses))
          } catch { return error as? TimestepSamplingError }
          return nil
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(errors == Array(repeating: .loss(-1, timestep: 1, worker: 2, index: 0), count: 3))
  }

  @Test func `a worker that is cancelled while it waits releases the others`() async {
    let rendezvous = LossRendezvous(workers: 3)
    let waiting = (0..<2).map { rank in Task { try await rendezvous.worker(rank).allGather([]) } }
    waiting[1].cancel()
    for task in waiting {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    await #expect(throws: CancellationError.self) { try await rendezvous.worker(2).allGather([]) }
  }

  @Test func `a cancellation after the round has ended harms no later round`() async throws {
    let rendezvous = LossRendezvous(workers: 2)
    let first = Task { try await rendezvous.worker(0).allGather([]) }
    _ = try await rendezvous.worker(1).allGather([])
    _ = try await first.value
    first.cancel()
    async let one = rendezvous.worker(0).allGather([TimestepLoss(timestep: 1, loss: 2)])
    async let other = rendezvous.worker(1).allGather([])
    let (a, b) = try await (one, other)
    #expect(a == [[TimestepLoss(timestep: 1, loss: 2)], []])
    #expect(b == a)
  }

  @Test func `ranks that are not there or come twice are refused`() async {
    await #expect(processExitsWith: .failure) { _ = LossRendezvous(workers: 0) }
    await #expect(processExitsWith: .failure) { _ = LossRendezvous(workers: 2).worker(2) }
    await #expect(processExitsWith: .failure) { _ = LossRendezvous(workers: 2).worker(-1) }
    await #expect(processExitsWith: .failure) {
      let worker = LossRendezvous(workers: 2).worker(0)
      async let first = worker.allGather([])
      async let second = worker.allGather([])
      _ = try await (first, second)
    }
  }
}
