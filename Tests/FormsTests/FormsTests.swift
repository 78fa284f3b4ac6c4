import Schedulers
import Testing

// Ways in which programs write whole runs. That they compile is the test: this file is built in
// language mode 6 here and in mode 5 by the target FormsSwift5Tests. That no closure is forgotten
// is seen by what they count.

private typealias Images = [Double]
private typealias Query = SamplingPlan.Query

private let start: Images = [0.5, -1]
private let ddim = plan(DDIM())
private let ddpm = plan(DDPM())

private func plan(_ sampler: some Sampler) -> SamplingPlan {
  let schedule = try! NoiseSchedule(.linear(), timesteps: 100)
  return try! sampler.plan(over: SamplingGrid(schedule, steps: 4, spacing: .trailing), predicting: .x0)
}

private func network(_ x: Images, _ query: Query) -> Images { x.map { 0.25 * $0 + query.level.signal } }

private actor Server {
  var calls = 0
  func answer(_ x: Images, _ query: Query) -> Images {
    calls += 1
    return network(x, query)
  }
}

private struct Stopped: Error {}

/// What every unguided run of DDIM ends at.
private let end: Images = {
  var run = SamplingRun(ddim, from: start)
  while let query = run.query { run.advance(output: network(run.input, query)) }
  return run.sample
}()

/// What every run of DDPM ends at with the noise of seed 1.
private let drawnEnd: Images = {
  var (run, noise) = (SamplingRun(ddpm, from: start), GaussianNoise(seed: 1))
  while let query = run.query { run.advance(output: network(run.input, query), using: &noise) }
  return run.sample
}()

@Suite struct FormsTests {
  @Test func `closures of the caller's that do not escape are passed on and called`() {
    func model(_ body: (Images, Query) -> Images) -> Images { ddim.sample(from: start, model: body) }
    func called(_ body: (Images, Query) -> Images) -> Images { ddim.sample(from: start) { body($0, $1) } }
    func watched(_ onStep: (SamplingRun<Images>) -> Void) -> Images {
      ddim.sample(from: start, model: network, onStep: onStep)
    }
    func progress(_ report: (Int) -> Void) -> Images {
      ddim.sample(from: start, model: network) { report($0.evaluations) }
    }
    func trailing(_ report: (Int) -> Void) -> Images {
      ddim.sample(from: start) { x, query in
        network(x, query)
      } onStep: {
        report($0.evaluations)
      }
    }
    func perhaps(_ report: ((Int) -> Void)?) -> Images {
      ddim.sample(from: start) { x, query in
        network(x, query)
      } onStep: {
        report?($0.evaluations)
      }
    }
    func guided(_ guidance: (Images, Query) -> ClassifierGuidance<Images>) -> Images {
      ddim.sample(from: start, model: network, guidance: guidance)
    }
    func guidedOnceAndAgain(_ guidance: (Images, Query) -> ClassifierGuidance<Images>?) -> Images {
      ddim.sample(from: start, model: network, onStep: { _ in }, guidance: guidance)
    }
    var (steps, calls) = ([Int](), 0)
    #expect(model(network) == end && called(network) == end && perhaps(nil) == end)
    #expect(watched { steps.append($0.evaluations) } == end)
    #expect(progress { steps.append($0) } == end && trailing { steps.append($0) } == end)
    #expect(perhaps { steps.append($0) } == end)
    #expect(steps == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4])
    let none = guided { x, _ in
      calls += 1
      return .score(x, scale: 0)
    }
    #expect(none == end && calls == 4)
    let first = guidedOnceAndAgain { x, query in query.level == ddim.start ? .score(x) : nil }
    let all = guidedOnceAndAgain { x, _ in .score(x) }
    #expect(first != end && first != all)
  }

  @Test func `an inout array is appended to`() {
    func watched(_ seen: inout [Images]) -> Images {
      ddim.sample(from: start, model: network, onStep: { seen.append($0.sample) })
    }
    func trailing(_ seen: inout [Images]) -> Images {
      ddim.sample(from: start) { x, query in
        network(x, query)
      } onStep: {
        seen.append($0.sample)
      }
    }
    func inputs(_ seen: inout [Images]) -> Images {
      ddim.sample(from: start) { x, query in
        seen.append(x)
        return network(x, query)
      }
    }
    func guided(_ seen: inout [Images]) -> Images {
      ddim.sample(from: start) { x, query in
        network(x, query)
      } guidance: { x, _ in
        seen.append(x)
        return nil
      }
    }
    func drawnBy(_ draw: (Images) -> Images) -> Images {
      ddpm.sample(from: start, noise: { x, _, _ in draw(x) }, model: network)
    }
    func drawn(_ seen: inout [Images], _ noise: inout GaussianNoise) -> Images {
      ddpm.sample(from: start, using: &noise) {
        network($0, $1)
      } onStep: {
        seen.append($0.denoised!)
      }
    }
    var seen: [Images] = []
    #expect(watched(&seen) == end && trailing(&seen) == end && inputs(&seen) == end && guided(&seen) == end)
    #expect(seen.count == 16 && seen[3] == end && seen[8] == start)
    var noise = GaussianNoise(seed: 1)
    #expect(drawn(&seen, &noise) == drawnEnd)
    #expect(seen.count == 20 && noise.draws == 3)
    noise = GaussianNoise(seed: 1)
    #expect(drawnBy { noise.next(like: $0) } == drawnEnd)
  }

  @Test func `a mutating method changes its own properties, without self`() async {
    struct Generator {
      var (calls, previews, noise, plan) = (0, [Images](), GaussianNoise(seed: 1), ddim)

      mutating func answer(_ x: Images, _ query: Query) -> Images {
        calls += 1
        return network(x, query)
      }
      mutating func run() -> Images {
        plan.sample(from: start) { x, query in
          answer(x, query)
        } onStep: {
          previews.append($0.sample)
        }
      }
      mutating func runLabelled() -> Images {
        plan.sample(
          from: start, model: { x, query in answer(x, query) }, onStep: { previews.append($0.sample) },
          guidance: { _, _ in
            calls += 1
            return nil
          })
      }
      mutating func draw() -> Images {
        var noise = noise
        defer { self.noise = noise }
        return ddpm.sample(from: start, using: &noise) { x, query in
          answer(x, query)
        } onStep: {
          previews.append($0.sample)
        }
      }
      mutating func drawByHand() -> Images {
        ddpm.sample(
          from: start,
          noise: { x, _, _ in
            calls += 1
            return noise.next(like: x)
          }, model: { x, query in answer(x, query) })
      }
      mutating func drawThere(_ server: Server) async -> Images {
        await ddpm.sample(
          from: start,
          noise: { x, _, _ in
            calls += 1
            return noise.next(like: x)
          }, model: { x, query in await server.answer(x, query) }, onStep: { previews.append($0.sample) })
      }
      mutating func wait(for server: Server) async -> Images {
        await plan.sample(from: start) { x, query in
          calls += 1
          return await server.answer(x, query)
        } onStep: {
          previews.append($0.sample)
        }
      }
    }
    var generator = Generator()
    #expect(generator.run() == end && generator.runLabelled() == end && generator.draw() == drawnEnd)
    #expect(await generator.wait(for: Server()) == end)
    #expect(generator.calls == 4 + 8 + 4 + 4 && generator.previews.count == 16 && generator.noise.draws == 3)
    generator = Generator()
    #expect(generator.drawByHand() == drawnEnd)
    generator.noise = GaussianNoise(seed: 1)
    #expect(await generator.drawThere(Server()) == drawnEnd)
    #expect(generator.calls == 3 + 4 + 3 && generator.previews.count == 4 && generator.noise.draws == 3)
  }

  @Test func `a class needs no self`() async {
    final class Pipeline {
      var (calls, previews) = (0, [Images]())

      func answer(_ x: Images, _ query: Query) -> Images {
        calls += 1
        return network(x, query)
      }
      func run() -> Images {
        ddim.sample(from: start) { x, query in
          answer(x, query)
        } onStep: {
          previews.append($0.sample)
        }
      }
      func runByName() -> Images {
        ddim.sample(from: start, model: answer, onStep: { previews.append($0.sample) }, guidance: { _, _ in nil })
      }
      func wait(for server: Server) async -> Images {
        await ddim.sample(from: start) {
          await server.answer($0, $1)
        } onStep: {
          previews.append($0.sample)
        }
      }
    }
    let pipeline = Pipeline()
    #expect(pipeline.run() == end && pipeline.runByName() == end)
    #expect(await pipeline.wait(for: Server()) == end)
    #expect(pipeline.calls == 8 && pipeline.previews.count == 12)
  }

  @Test func `errors arrive with their type, from any of the closures`() async throws {
    func typed() throws(Stopped) -> Images {
      try ddim.sample(from: start) { x, query throws(Stopped) in
        if x.isEmpty { throw Stopped() }
        return network(x, query)
      }
    }
    func cancelled() throws -> Images {
      try ddim.sample(from: start) {
        network($0, $1)
      } onStep: { _ in
        try Task.checkCancellation()
      }
    }
    func watched() throws -> Images { try ddim.sample(from: start, model: network, onStep: { _ in throw Stopped() }) }
    func guided() throws -> Images {
      try ddim.sample(from: start, model: network, guidance: { _, _ in throw Stopped() })
    }
    func passedOn<Failure>(
      _ model: (Images, Query) throws(Failure) -> Images, _ onStep: (SamplingRun<Images>) throws(Failure) -> Void
    ) throws(Failure) -> Images { try ddim.sample(from: start, model: model, onStep: onStep) }
    func waiting(_ server: Server) async throws -> Images {
      try await ddim.sample(from: start) { x, query in
        try Task.checkCancellation()
        return await server.answer(x, query)
      } onStep: { _ in
        throw Stopped()
      }
    }
    #expect(try typed() == end)
    #expect(try cancelled() == end)
    #expect(passedOn(network, { _ in }) == end)
    #expect(throws: Stopped.self) { try watched() }
    #expect(throws: Stopped.self) { try guided() }
    #expect(throws: Stopped.self) { try passedOn({ _, _ in throw Stopped() }, { _ in }) }
    await #expect(throws: Stopped.self) { try await waiting(Server()) }
  }

  @Test func `closures that suspend, the caller's own among them`() async {
    func suspended(_ x: Images, _ query: Query) async -> Images { network(x, query) }
    func named() async -> Images { await ddim.sample(from: start, model: suspended) }
    func progress(_ report: (Int) async -> Void) async -> Images {
      await ddim.sample(from: start, model: suspended) { await report($0.evaluations) }
    }
    func watched(_ onStep: (SamplingRun<Images>) -> Void) async -> Images {
      await ddim.sample(from: start, model: suspended, onStep: onStep)
    }
    func model(_ body: (Images, Query) async -> Images) async -> Images {
      await ddim.sample(from: start) { await body($0, $1) }
    }
    func drawn(_ seen: inout [Images], _ noise: inout GaussianNoise) async -> Images {
      await ddpm.sample(from: start, using: &noise) {
        await suspended($0, $1)
      } onStep: {
        seen.append($0.sample)
      }
    }
    func guided(_ seen: inout [Images]) async -> Images {
      await ddim.sample(from: start) {
        await suspended($0, $1)
      } guidance: { x, _ in
        seen.append(x)
        return nil
      }
    }
    // A model that does not suspend needs no await, where the caller may suspend.
    func direct() async -> Images {
      ddim.sample(from: start) {
        network($0, $1)
      } onStep: { _ in
      }
    }
    var (seen, steps, noise) = ([Images](), 0, GaussianNoise(seed: 1))
    #expect(await named() == end)
    #expect(await progress { steps += $0 } == end)
    #expect(await watched { steps += $0.evaluations } == end)
    #expect(await model(network) == end)
    #expect(await direct() == end)
    #expect(await drawn(&seen, &noise) == drawnEnd)
    #expect(await guided(&seen) == end)
    #expect(steps == 20 && seen.count == 8 && noise.draws == 3)
  }

  @MainActor private final class View {
    var (previews, progress) = ([Images](), 0)
    nonisolated init() {}

    func show(_ run: SamplingRun<Images>) { previews.append(run.sample) }
    func run(_ server: Server) async -> Images {
      await ddim.sample(from: start) { x, query in
        await server.answer(x, query)
      } onStep: {
        previews.append($0.sample)
      }
    }
    func runAndShow(_ server: Server) async throws -> Images {
      try await ddim.sample(from: start) { x, query in
        await server.answer(x, query)
      } onStep: { run in
        show(run)
        progress = run.evaluations
        try Task.checkCancellation()
      }
    }
    func runHere() -> Images {
      ddim.sample(from: start) {
        network($0, $1)
      } onStep: {
        show($0)
      }
    }
  }

  private actor Generator {
    var (calls, previews) = (0, [Images]())

    func answer(_ x: Images, _ query: Query) -> Images {
      calls += 1
      return network(x, query)
    }
    func run() -> Images {
      ddim.sample(from: start) {
        answer($0, $1)
      } onStep: {
        previews.append($0.sample)
      }
    }
    func wait(for server: Server) async -> Images {
      await ddim.sample(from: start) { x, query in
        await server.answer(x, query)
      } onStep: {
        previews.append($0.sample)
      } guidance: { _, _ in
        calls += 1
        return nil
      }
    }
    var counts: [Int] { [calls, previews.count] }
  }

  @Test func `on the main actor and on any other, closures are at home`() async throws {
    let (view, generator, server) = (View(), Generator(), Server())
    #expect(await view.run(server) == end)
    #expect(try await view.runAndShow(server) == end)
    #expect(await view.runHere() == end)
    #expect(await view.previews.count == 12)
    #expect(await view.progress == 4)
    #expect(await generator.run() == end)
    #expect(await generator.wait(for: server) == end)
    #expect(await generator.counts == [8, 8])
    #expect(await server.calls == 12)
  }

  @Test func `in a task, and as a stream of previews`() async throws {
    let server = Server()
    let task = Task { await ddim.sample(from: start) { await server.answer($0, $1) } }
    let counting = Task { @MainActor in
      var steps = 0
      let image = try await ddim.sample(from: start) { x, query in
        await server.answer(x, query)
      } onStep: { _ in
        steps += 1
        try Task.checkCancellation()
      }
      return (image, steps)
    }
    let stream = AsyncStream { continuation in
      Task {
        _ = await ddim.sample(from: start) {
          await server.answer($0, $1)
        } onStep: {
          continuation.yield($0.sample)
        }
        continuation.finish()
      }
    }
    #expect(await task.value == end)
    let (image, steps) = try await counting.value
    #expect(image == end && steps == 4)
    var last: Images?
    for await preview in stream { last = preview }
    #expect(last == end)
  }
}
