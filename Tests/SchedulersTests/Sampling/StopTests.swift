import Schedulers
import Testing

/// What ends a program says why. `.ci/stops` asserts the same of a release build.
@Suite struct StopTests {
  private func expect(_ message: String, in result: ExitTest.Result?, _ place: SourceLocation = #_sourceLocation) {
    let said = said(by: result)
    #expect(said.contains(message), "said: \(said)", sourceLocation: place)
  }

  @Test func `a plan that draws noise is not run without`() async {
    let begun = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = try DDPM().plan(over: grid, predicting: .v).sample(from: Real(0)) { _, _ in fatalError("called") }
    }
    expect("step 0 of the plan, timestep 9, draws noise; give the run a source of it", in: begun)
    let waiting = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = try await DDPM().plan(over: grid, predicting: .v).sample(from: Real(0)) { x, _ in
        await Task.yield()
        return x
      }
    }
    expect("step 0 of the plan, timestep 9, draws noise", in: waiting)
    let byHand = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDPM().plan(over: grid, predicting: .v), from: Real(0))
      run.advance(output: Real(0))
    }
    expect("evaluation 0 draws noise; pass some, or a source of it", in: byHand)
  }

  @Test func `a type that cannot do what a plan asks is named`() async {
    let clipping = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = SamplingRun(try DDIM().plan(over: grid, predicting: .v, clipping: .range(-1...1)), from: Real(0))
    }
    expect("Real does not conform to ClippableSpace", in: clipping)
    let variance = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = SamplingRun(try DDPM(variance: .learned).plan(over: grid, predicting: .v), from: Real(0))
    }
    expect("Real does not conform to ChannelSpace and ElementwiseSpace", in: variance)
    let channels = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      let plan = try DDIM().plan(over: grid, predicting: .v, learnsVariance: true)
      var run = SamplingRun(plan, from: SampleBatch<Double>(zeros: [1, 3]))
      run.advance(output: SampleBatch(zeros: [1, 3]), transform: { $0 })
    }
    expect("its output has no even number of channels to cut in two", in: channels)
  }

  @Test func `noise and outputs in another shape are refused with both shapes`() async {
    let noise = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      let start = SampleBatch<Float>(zeros: [2, 3])
      _ = try DDPM().plan(over: grid, predicting: .v)
        .sample(from: start, noise: { _, _, _ in SampleBatch(zeros: [3, 2]) }, model: { x, _ in x })
    }
    expect("the noise of evaluation 0 has 3 × 2 scalars, where the sample has 2 × 3", in: noise)
    let output = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = try DDIM().plan(over: grid, predicting: .v).sample(from: [0.0, 1]) { _, _ in [0] }
    }
    expect("an output of 1 × 1 scalars does not go with a sample of 1 × 2", in: output)
  }
}
