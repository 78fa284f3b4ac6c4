import Foundation
import Testing

@testable import Schedulers

@Suite struct SamplingTests {
  private static let schedule = try! NoiseSchedule(.cosine(), timesteps: 100)
  private static let grid = try! SamplingGrid(schedule, steps: 8, spacing: TimestepSpacing.trailing)

  /// A stand-in for a network: bounded, not linear, different at every timestep.
  private static func network(_ x: [Double], _ query: SamplingPlan.Query) -> [Double] {
    x.map { $0 / (1 + $0.magnitude) + 0.01 * query.timestep / 100 }
  }

  private let start = [0.3, -1.7, 0.9, 2.2]

  @Test(arguments: SamplerCatalog.all) func `a copy of a run goes its own way`(entry: SamplerCatalog.Entry) throws {
    let plan = try entry.sampler.plan(over: Self.grid, predicting: .v)
    var noise = GaussianNoise(seed: 3)
    var run = SamplingRun(plan, from: start)
    for _ in 0..<3 { run.advance(output: Self.network(run.sample, run.query!), using: &noise) }
    var fork = run
    var forkNoise = noise
    while let query = run.query { run.advance(output: Self.network(run.sample, query), using: &noise) }
    #expect(fork.evaluations == 3)
    while let query = fork.query { fork.advance(output: Self.network(fork.sample, query), using: &forkNoise) }
    #expect(fork.sample == run.sample)
  }

  @Test(arguments: SamplerCatalog.all, [0, 1, 2, 3, 7]) func `a run saved between two steps continues to the bit`(
    entry: SamplerCatalog.Entry, evaluations: Int
  ) throws {
    let plan = try entry.sampler.plan(over: Self.grid, predicting: .v, clipping: .range(-1...1))
    var noise = GaussianNoise(seed: 3)
    var run = SamplingRun(plan, from: start)
    for _ in 0..<evaluations { run.advance(output: Self.network(run.sample, run.query!), using: &noise) }
    var restored = try JSONDecoder().decode(SamplingRun<[Double]>.self, from: JSONEncoder().encode(run))
    #expect(restored.denoised == run.denoised)
    var restoredNoise = noise
    while let query = run.query { run.advance(output: Self.network(run.sample, query), using: &noise) }
    while let query = restored.query {
      restored.advance(output: Self.network(restored.sample, query), using: &restoredNoise)
    }
    #expect(restored.sample == run.sample)
  }

  /// x' = 2·x − x₋, a straight line through the last two samples, after a first step x' = 2·x.
  private struct StraightLine: Sampler {
    func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
      grid.intervals.enumerated().map { i, interval in
        let next = i == 0 ? 2 * LinearForm.sample : 2 * .sample - .sample(ago: 1)
        return SamplingPlan.Move(at: interval.from, to: interval.to.level, estimate: .x0, next: next)
      }
    }
  }

  @Test(arguments: [Clipping.none, .range(-1...1)])
  func `a sampler may reach back to earlier samples, in a saved run too, and only estimates are clipped`(
    clipping: Clipping
  )
    throws
  {
    let plan = try StraightLine().plan(over: Self.grid, predicting: .x0, clipping: clipping)
    #expect(plan.retention.map(\.samples) == [1, 1, 1, 1, 1, 1, 1, 0])
    var run = SamplingRun(plan, from: [1.0, -3])
    for count in 2...9 {
      run.advance(output: [100, 100])
      #expect(run.sample == [Double(count), -3 * Double(count)])
      #expect(run.history.samples.count == (count < 9 ? 1 : 0))
      run = try JSONDecoder().decode(SamplingRun<[Double]>.self, from: JSONEncoder().encode(run))
    }
    #expect(run.query == nil)
  }

  @Test func `a step in which nothing has a part makes zeros`() throws {
    struct Nothing: Sampler {
      func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
        grid.intervals.map { SamplingPlan.Move(at: $0.from, to: $0.to.level, estimate: .x0, next: LinearForm()) }
      }
    }
    let plan = try Nothing().plan(over: Self.grid, predicting: .v)
    #expect(plan.sample(from: start, model: Self.network) == [0, 0, 0, 0])
  }

  @Test func `a damaged save is an error`() throws {
    let plan = try DPMSolverPlusPlus().plan(over: Self.grid, predicting: .v)
    var run = SamplingRun(plan, from: start)
    run.advance(output: start)
    let text = String(decoding: try JSONEncoder().encode(run), as: UTF8.self)
    for (from, to) in [("\"evaluations\":1", "\"evaluations\":99"), ("\"evaluations\":1", "\"evaluations\":0")] {
      let damaged = text.replacingOccurrences(of: from, with: to)
      #expect(damaged != text)
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(SamplingRun<[Double]>.self, from: Data(damaged.utf8))
      }
    }
  }

  /// A run of DPM-Solver++ 2M after the first of two steps, typed by hand after Docs/Plan.md,
  /// without what is not read.
  private static let saved = #"""
    {"format":"scheduler-run/1","plan":{"format":"scheduler-plan/1","steps":[
      {"timestep":99,"level":{"signal":0.6,"noise":0.8},"inputScale":1,"arrival":{"signal":0.8,"noise":0.6},
       "denoised":{"sample":0,"output":1},"estimate":{"sample":0,"denoised":1},
       "next":{"samples":[0.75],"made":0,"estimates":[0.35],"denoised":0,"output":0,"noise":0},"variance":null},
      {"timestep":49,"level":{"signal":0.8,"noise":0.6},"inputScale":1,"arrival":{"signal":1,"noise":0},
       "denoised":{"sample":0,"output":1},"estimate":{"sample":0,"denoised":1},
       "next":{"samples":[],"made":0,"estimates":[1.5,-0.5],"denoised":0,"output":0,"noise":0}}],
      "start":{"signal":0.6,"noise":0.8},"clipping":{"kind":"none"},"learnsVariance":false},
     "sample":[2,4],"evaluations":1,"samples":[],"estimates":[[1,-1]]}
    """#

  @Test func `a saved run goes on`() throws {
    var run = try JSONDecoder().decode(SamplingRun<[Double]>.self, from: Data(Self.saved.utf8))
    #expect(run.query?.timestep == 49 && run.query?.step == 1 && run.denoised == nil)
    run.advance(output: [3, 5])
    // 1.5·F − 0.5·E.
    #expect(run.sample == [4, 8])
    let plan = run.plan
    #expect(try JSONDecoder().decode(SamplingPlan.self, from: JSONEncoder().encode(plan)) == plan)
  }

  private func refusal(of text: String) throws -> String {
    let error = try #require(throws: DecodingError.self) {
      try JSONDecoder().decode(SamplingRun<[Double]>.self, from: Data(text.utf8))
    }
    guard case .dataCorrupted(let context) = error else { return "\(error)" }
    return context.debugDescription
  }

  @Test func `what another version saved is refused by its format, and what does not fit by its size`() throws {
    let saved = Self.saved
    #expect(
      try refusal(of: saved.replacingOccurrences(of: "scheduler-run/1", with: "scheduler-run/2"))
        == "the run is in the format \"scheduler-run/2\", and this library reads \"scheduler-run/1\"; make the run "
        + "again, or use a library that reads it")
    #expect(
      try refusal(of: saved.replacingOccurrences(of: "scheduler-plan/1", with: "scheduler-plan/2"))
        == "the plan is in the format \"scheduler-plan/2\", and this library reads \"scheduler-plan/1\"; make the plan "
        + "again, or use a library that reads it")
    // What was saved before the format had a name.
    for (format, thing) in [("\"format\":\"scheduler-run/1\",", "run"), ("\"format\":\"scheduler-plan/1\",", "plan")] {
      #expect(
        try refusal(of: saved.replacingOccurrences(of: format, with: "\"version\":1,"))
          .hasPrefix("the \(thing) names no format, and this library reads \"scheduler-\(thing)/1\"; make"))
    }
    for (from, to) in [("[2,4]", "[2]"), ("[[1,-1]]", "[[1]]")] {
      let text = try refusal(of: saved.replacingOccurrences(of: from, with: to))
      #expect(text.hasPrefix("the sample holds 1 × ") && text.contains("and a tensor that goes with it 1 × "))
    }
  }

  @Test func `a saved run that clips is no run of a tensor that cannot`() throws {
    let text = Self.saved.replacingOccurrences(
      of: "{\"kind\":\"none\"}", with: "{\"kind\":\"range\",\"lower\":-1,\"upper\":1}")
    let run = text.replacingOccurrences(of: "[2,4]", with: "{\"value\":1}").replacingOccurrences(
      of: "[[1,-1]]", with: "[{\"value\":1}]")
    let error = try #require(throws: DecodingError.self) {
      try JSONDecoder().decode(SamplingRun<Real>.self, from: Data(run.utf8))
    }
    #expect("\(error)".contains("Real does not conform to ClippableSpace"))
  }

  @Test func `a foreign tensor runs with nothing but combinations`() throws {
    for entry in SamplerCatalog.deterministic {
      let plan = try entry.sampler.plan(over: Self.grid, predicting: .v)
      let model = { (x: Real, query: SamplingPlan.Query) in Real(Self.network([x.value], query)[0]) }
      let array = plan.sample(from: [0.3], model: Self.network)
      #expect(abs(plan.sample(from: Real(0.3), model: model).value - array[0]) <= 1e-12)
    }
    // Noise by hand, for a type that no source can fill.
    var run = SamplingRun(try DDPM().plan(over: Self.grid, predicting: .v), from: Real(0.3))
    var drawn = 0
    func draw() -> Real {
      drawn += 1
      return Real(0.5)
    }
    while let query = run.query {
      run.advance(output: Real(query.timestep / 100), noise: run.needsNoise ? draw() : nil)
    }
    #expect(drawn == 7)
  }

  @Test func `a source is told where each step begins and ends`() throws {
    struct Spy: NoiseSource {
      var told: [[Double]] = []
      mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
        preconditionFailure("without the interval")
      }
      mutating func next<Tensor: ScalarTensor>(like other: Tensor, from start: Double, to end: Double) -> Tensor {
        told.append([start, end])
        return other
      }
    }
    let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 50), steps: 6, spacing: TimestepSpacing.trailing)
    var spy = Spy()
    _ = try DDPM().plan(over: grid, predicting: .v).sample(from: [0.5, 1.0], using: &spy) { x, _ in x }
    // The last step, to clean data, draws nothing.
    #expect(spy.told == grid.intervals.dropLast().map { [$0.from.level.sigma, $0.to.level.sigma] })
  }

  @Test func `a sample can be edited between two steps`() throws {
    let plan = try DDIM().plan(over: Self.grid, predicting: .x0)
    var run = SamplingRun(plan, from: start)
    while run.query != nil {
      run.sample[0] = run.level.signal * 0.5
      run.advance(output: [0.5, 0, 0, 0])
    }
    #expect(run.sample == [0.5, 0, 0, 0])
  }

  @Test func `NaN from a network reaches the sample and never becomes a bound`() throws {
    for clipping in [Clipping.none, .range(-1...1), .dynamic()] {
      for entry in SamplerCatalog.denoising {
        var noise = GaussianNoise(seed: 1)
        let plan = try entry.sampler.plan(over: Self.grid, predicting: .epsilon, clipping: clipping)
        let end = plan.sample(from: start, using: &noise, model: { x, _ in [.nan] + x.dropFirst() })
        #expect(end[0].isNaN)
      }
    }
  }

  @Test func `errors of the model and of the callback stop a run and arrive as they were thrown`() throws {
    struct Broken: Error, Equatable { let timestep: Double }
    let plan = try DDIM().plan(over: Self.grid, predicting: .v)
    var calls = 0
    #expect(throws: Broken(timestep: 61)) {
      try plan.sample(from: start) { x, query throws(Broken) in
        calls += 1
        if query.timestep < 70 { throw Broken(timestep: query.timestep) }
        return x
      }
    }
    #expect(calls == 4)
    var seen: [Int] = []
    #expect(throws: CancellationError.self) {
      try plan.sample(
        from: start, model: { x, _ in x },
        onStep: { run in
          seen.append(run.evaluations)
          if run.evaluations == 5 { throw CancellationError() }
        })
    }
    #expect(seen == [1, 2, 3, 4, 5])
  }

  @Test func `a model that suspends gives what one that does not gives`() async throws {
    let plan = try DDPM().plan(over: Self.grid, predicting: .v)
    var (a, b) = (GaussianNoise(seed: 8), GaussianNoise(seed: 8))
    let waiting = await plan.sample(from: start, using: &a) { x, query in
      await Task.yield()
      return Self.network(x, query)
    }
    let model: ([Double], SamplingPlan.Query) -> [Double] = Self.network
    let direct = { plan.sample(from: start, using: &b, model: model) }()
    #expect(waiting == direct)
    let ddim = try DDIM().plan(over: Self.grid, predicting: .v)
    let asynchronous = await ddim.sample(from: start) { x, query in
      await Task.yield()
      return Self.network(x, query)
    }
    #expect(asynchronous == { ddim.sample(from: start, model: model) }())
  }

  @Test func `a run crosses threads where its tensor may`() async throws {
    let run = SamplingRun(try DDIM().plan(over: Self.grid, predicting: .x0), from: start)
    let end = await Task.detached {
      var run = run
      while run.query != nil { run.advance(output: [1, 2, 3, 4]) }
      return run.sample
    }.value
    #expect(end == [1, 2, 3, 4])
  }

  @Test func `batch size never changes a sample`() throws {
    let plan = try DDPM().plan(over: Self.grid, predicting: .v, clipping: .dynamic(ratio: 0.8, maximum: 2))
    func model(_ x: SampleBatch<Float>, _ query: SamplingPlan.Query) -> SampleBatch<Float> {
      SampleBatch(shape: x.shape, scalars: Self.network(x.scalars.map(Double.init), query).map { Float($0) })
    }
    var noise = GaussianNoise(seed: 11)
    let whole = plan.sample(from: noise.next(like: SampleBatch<Float>(zeros: [5, 3, 4])), using: &noise, model: model)
    for sample in 0..<5 {
      var noise = GaussianNoise(seed: 11, firstSample: UInt64(sample))
      let alone = plan.sample(
        from: noise.next(like: SampleBatch<Float>(zeros: [1, 3, 4])), using: &noise, model: model)
      #expect(alone == whole[sample])
    }
  }

  @Test func `misuse is refused with a message`() async {
    await #expect(processExitsWith: .failure) {
      var run = SamplingRun(try DDIM().plan(over: SamplingGrid(points: [.clean]), predicting: .v), from: [0.0])
      run.advance(output: [0])
    }
    await #expect(processExitsWith: .failure) {
      let schedule = try NoiseSchedule(.cosine(), timesteps: 10)
      var run = SamplingRun(
        try DDPM().plan(over: SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing), predicting: .v),
        from: [0.0])
      run.advance(output: [0])
    }
    await #expect(processExitsWith: .failure) {
      let schedule = try NoiseSchedule(.cosine(), timesteps: 10)
      let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
      _ = SamplingRun(try DDIM().plan(over: grid, predicting: .v, clipping: .range(-1...1)), from: Real(0))
    }
    await #expect(processExitsWith: .failure) {
      let schedule = try NoiseSchedule(.cosine(), timesteps: 10)
      let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDIM().plan(over: grid, predicting: .v), from: [0.0, 1])
      run.advance(output: [0])
    }
  }
}
