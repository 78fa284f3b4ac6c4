import Schedulers
import Testing

/// The whole runs of a plan, in all their forms.
@Suite struct WholeRunTests {
  private let plan: SamplingPlan
  private let start = [0.5, -1.0]

  init() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 100), steps: 4, spacing: TimestepSpacing.trailing)
    plan = try DDIM().plan(over: grid, predicting: .x0)
  }

  private func model(_ x: [Double], _ query: SamplingPlan.Query) -> [Double] {
    x.map { 0.25 * $0 + query.level.signal }
  }

  /// x̂0 of every step, as the loop that a run stands for has it.
  private var expected: [[Double]] {
    var run = SamplingRun(plan, from: start)
    var denoised: [[Double]] = []
    while let query = run.query {
      run.advance(output: model(run.input, query))
      denoised.append(run.denoised!)
    }
    return denoised
  }

  @Test func `a run that is watched shows x0 after every step`() async throws {
    var seen: [[Double]?] = []
    _ = plan.sample(from: start, model: model, onStep: { seen.append($0.denoised) })
    #expect(seen == expected)

    seen = []
    var noise = GaussianNoise(seed: 1)
    _ = plan.sample(from: start, using: &noise, model: model, onStep: { seen.append($0.denoised) })
    #expect(seen == expected)

    seen = []
    _ = await plan.sample(
      from: start, model: { x, query async in model(x, query) }, onStep: { seen.append($0.denoised) })
    #expect(seen == expected)

    seen = []
    _ = await plan.sample(
      from: start, using: &noise, model: { x, query async in model(x, query) }, onStep: { seen.append($0.denoised) })
    #expect(seen == expected)
  }

  @Test func `a network is told which of its calls it answers`() async throws {
    var told: [[Int]] = []
    func note(_ x: [Double], _ query: SamplingPlan.Query) -> [Double] {
      told.append([query.step, query.count])
      return model(x, query)
    }
    _ = plan.sample(from: start, model: note)
    #expect(told == [[0, 4], [1, 4], [2, 4], [3, 4]])
    // Heun's method calls twice for a step, but once for the last.
    told = []
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 100), steps: 4, spacing: TimestepSpacing.trailing)
    let heun = try Heun().plan(over: grid, predicting: .x0)
    var noise = GaussianNoise(seed: 1)
    _ = await heun.sample(from: start, using: &noise) { x, query async in note(x, query) }
    #expect(told == (0..<7).map { [$0, 7] })
    // A run that starts late counts its own calls.
    told = []
    _ = try DDIM().plan(over: grid.last(2), predicting: .x0).sample(from: start, model: note)
    #expect(told == [[0, 2], [1, 2]])
  }

  @Test func `a run shows the numbers of its next step`() throws {
    var run = SamplingRun(plan, from: start)
    for (i, step) in plan.steps.enumerated() {
      #expect(run.step == step && run.query == SamplingPlan.Query(step.query, step: i, count: 4))
      run.advance(output: run.sample)
      #expect(run.level == step.arrival)
    }
    #expect(run.step == nil && run.query == nil)
  }

  @Test func `all forms of a run end at the same sample`() async throws {
    var run = SamplingRun(plan, from: start)
    while let query = run.query { run.advance(output: model(run.input, query)) }
    var (noise, sample, output) = (GaussianNoise(seed: 1), start, start)
    plan.sample(in: &sample, output: &output, using: &noise) { x, query, output in output = model(x, query) }
    #expect(sample == run.sample)
    #expect(plan.sample(from: start, model: model) == run.sample)
    #expect(plan.sample(from: start, using: &noise, model: model) == run.sample)
    #expect(await plan.sample(from: start, model: { x, query async in model(x, query) }) == run.sample)
    #expect(await plan.sample(from: start, using: &noise, model: { x, query async in model(x, query) }) == run.sample)
  }

  @Test func `all forms of a run that draws noise draw the same`() async throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 100), steps: 4, spacing: TimestepSpacing.trailing)
    let plan = try DDPM().plan(over: grid, predicting: .x0)
    let gradient = ClassifierGuidance.score([0.5, 0.25], scale: 0.5)
    func guidance(_ x: [Double], _ query: SamplingPlan.Query) -> ClassifierGuidance<[Double]>? { gradient }
    /// The sample at the end of a loop by hand, guided or not.
    func end(isGuided: Bool) -> [Double] {
      var (run, noise) = (SamplingRun(plan, from: start), GaussianNoise(seed: 1))
      while let query = run.query {
        run.advance(output: model(run.input, query), using: &noise, guidance: isGuided ? gradient : nil)
      }
      return run.sample
    }
    func source() -> GaussianNoise { GaussianNoise(seed: 1) }
    func waiting(_ x: [Double], _ query: SamplingPlan.Query) async -> [Double] { model(x, query) }
    var noise = source()
    var seen = 0
    #expect(plan.sample(from: start, using: &noise, model: model) == end(isGuided: false))
    noise = source()
    #expect(plan.sample(from: start, using: &noise, model: model, onStep: { _ in seen += 1 }) == end(isGuided: false))
    noise = source()
    #expect(plan.sample(from: start, using: &noise, model: model, guidance: guidance) == end(isGuided: true))
    noise = source()
    #expect(
      plan.sample(from: start, using: &noise, model: model, onStep: { _ in seen += 1 }, guidance: guidance)
        == end(isGuided: true))
    noise = source()
    #expect(await plan.sample(from: start, using: &noise, model: waiting) == end(isGuided: false))
    noise = source()
    #expect(
      await plan.sample(from: start, using: &noise, model: waiting, onStep: { _ in seen += 1 })
        == end(isGuided: false))
    noise = source()
    #expect(await plan.sample(from: start, using: &noise, model: waiting, guidance: guidance) == end(isGuided: true))
    noise = source()
    #expect(
      await plan.sample(from: start, using: &noise, model: waiting, onStep: { _ in seen += 1 }, guidance: guidance)
        == end(isGuided: true))
    #expect(seen == 16)
  }
}
