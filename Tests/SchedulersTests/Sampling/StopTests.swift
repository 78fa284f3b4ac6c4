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
    let watched = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = try await DDPM().plan(over: grid, predicting: .v).sample(
        from: Real(0), model: { x, _ async in x }, onStep: { _ in })
    }
    expect("step 0 of the plan, timestep 9, draws noise", in: watched)
    let guided = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = try await DDPM().plan(over: grid, predicting: .v).sample(
        from: Real(0), model: { x, _ async in x }, guidance: { _, _ in nil })
    }
    expect("step 0 of the plan, timestep 9, draws noise", in: guided)
    let both = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = try await DDPM().plan(over: grid, predicting: .v).sample(
        from: Real(0), model: { x, _ async in x }, onStep: { _ in }, guidance: { _, _ in nil })
    }
    expect("step 0 of the plan, timestep 9, draws noise", in: both)
    let byHand = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDPM().plan(over: grid, predicting: .v), from: Real(0))
      run.advance(output: Real(0))
    }
    expect("evaluation 0 draws noise; pass some, or a source of it", in: byHand)
  }

  @Test func `a batch that does not go with its room or its levels ends with the numbers`() async {
    let levels = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x0 = SampleBatch<Float>(zeros: [3, 4])
      var (noise, batch) = (GaussianNoise(seed: 1), DiffusedBatch(like: x0))
      [NoiseLevel.clean].diffuse(x0, using: &noise, into: &batch)
    }
    expect("1 levels for a batch of 3 samples", in: levels)
    let room = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var (noise, batch) = (GaussianNoise(seed: 1), DiffusedBatch(like: SampleBatch<Float>(zeros: [2, 4])))
      try NoiseSchedule(.linear(), timesteps: 10).diffuse(
        SampleBatch<Float>(zeros: [3, 4]), at: [1, 2, 3], using: &noise, into: &batch)
    }
    expect("a batch with room for 8 scalars does not hold 12; make one like the data", in: room)
    let channels = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x0 = SampleBatch<Float>(zeros: [3, 4])
      var (noise, batch) = (GaussianNoise(seed: 1), DiffusedBatch(like: x0))
      try NoiseSchedule(.linear(), timesteps: 10).diffuse(
        x0, at: [1, 2, 3], using: &noise, offset: (0.1, 3), into: &batch)
    }
    expect("a sample of 4 scalars does not have 3 channels", in: channels)
    let previous = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x0 = SampleBatch<Float>(zeros: [1, 4])
      var (noise, batch) = (GaussianNoise(seed: 1), DiffusedBatch(like: x0))
      try NoiseSchedule(.linear(), timesteps: 10).diffuse(
        x0, at: [1], predicting: .previous, using: &noise, into: &batch)
    }
    expect("needs the level it goes to, with signal and less noise", in: previous)
    let mixed = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x0 = SampleBatch<Float>(zeros: [3, 4])
      var room = SampleBatch<Float>(zeros: [2, 4])
      try NoiseSchedule(.linear(), timesteps: 10).mix(x0, with: x0, at: [1, 2, 3], into: &room)
    }
    expect("data, noise and room of 12, 12 and 8 scalars do not go together", in: mixed)
  }

  @Test func `a loss and a distribution say what does not go with them`() async {
    let gradient = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = SampleBatch<Float>(zeros: [2, 4])
      var gradient = SampleBatch<Float>(zeros: [2, 3])
      _ = try TrainingLoss(NoiseSchedule(.linear(), timesteps: 10), predicting: .epsilon)(
        output: x, x0: x, epsilon: x, sample: x, timesteps: [1, 2], gradient: &gradient)
    }
    expect("a gradient of 6 scalars is lent for an output of 8", in: gradient)
    let data = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = SampleBatch<Float>(zeros: [2, 4])
      _ = try TrainingLoss(NoiseSchedule(.linear(), timesteps: 10), predicting: .epsilon)(
        output: x, x0: SampleBatch(zeros: [2, 3]), epsilon: x, sample: x, timesteps: [1, 2])
    }
    expect("a tensor of 2 × 3 scalars does not go with a sample of 2 × 4", in: data)
    let weights = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = SampleBatch<Float>(zeros: [2, 4])
      _ = try TrainingLoss(NoiseSchedule(.linear(), timesteps: 10), predicting: .epsilon)(
        output: x, x0: x, epsilon: x, sample: x, timesteps: [1, 2], weights: [1])
    }
    expect("1 weights for a batch of 2 samples", in: weights)
    let distribution = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let process = try ReverseProcess(
        NoiseSchedule(.linear(), timesteps: 10), predicting: .epsilon, variance: .fixedSmall)
      let (x, other) = (SampleBatch<Float>(zeros: [2, 4]), SampleBatch<Float>(zeros: [1, 4]))
      var made = try process.distribution(output: other, sample: other, timesteps: [1])
      try process.distribution(output: x, sample: x, timesteps: [1, 2], into: &made)
    }
    expect("a distribution of 4 scalars does not hold that of 8; make one for this batch", in: distribution)
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
