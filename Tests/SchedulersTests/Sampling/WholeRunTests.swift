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
}
