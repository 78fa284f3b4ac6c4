import DigitsModel
import Schedulers

/// Several samplers on the same noise with the same model.
struct SamplingJob {
  /// One sampler.
  struct Run {
    let title: String
    let plan: SamplingPlan
  }

  /// What one sampler made.
  struct Result {
    /// Each row by row.
    var digits: [[Double]] = []
    /// The way of the first digit, for the first sampler alone.
    var frames: [Frame] = []
  }

  /// A moment of a run.
  struct Frame {
    /// What the model was told; `nil` at the end.
    let timestep: Double?
    let level: NoiseLevel
    let sample: [Double]
    /// What the model took the sample for; at the end, what it took the last for.
    let denoised: [Double]?
  }

  /// Answers for an input what a step asks for.
  typealias Model = (SampleBatch<Double>, SamplingPlan.Step) throws -> SampleBatch<Double>

  let runs: [Run]
  let model: Model
  /// What runs start from, if not from noise.
  let image: [Double]?
  let noise: NoiseOptions.Choice
  let count: Int
  let batchSize: Int

  private static let frameCount = 10

  /// Runs all, in the order of the list.
  ///
  /// - Throws: `Interruption.Interrupted` at the first call after a signal; `Failure` if the model
  ///   answers with NaN or an infinity.
  func run(_ interruption: Interruption) throws -> [Result] {
    let batches = (count + batchSize - 1) / batchSize
    var progress = Progress(total: batches * runs.reduce(0) { $0 + $1.plan.steps.count }, unit: "model calls")
    defer { progress.finish() }
    return try runs.enumerated().map { i, run in
      var result = Result()
      // Every sampler's noise begins anew. Where it is addressed by sample, it is equal for all
      // batch sizes.
      var noise = noise.source
      for first in stride(from: 0, to: count, by: batchSize) {
        if self.noise.isAddressed { noise = self.noise.source(firstSample: first) }
        let frames = i == 0 && first == 0 ? Self.frameTimes(calls: run.plan.steps.count) : []
        do {
          try sample(
            run.plan, samples: first..<min(first + batchSize, count), frames: frames, using: &noise, into: &result
          ) {
            try interruption.check()
            progress.advance()
          }
        } catch let error as OutputError {
          throw Failure("\(run.title): \(error)")
        }
      }
      return result
    }
  }

  private func sample(
    _ plan: SamplingPlan, samples: Range<Int>, frames: [Int], using noise: inout some NoiseSource,
    into result: inout Result,
    onCall: () throws -> Void
  ) throws {
    let z = noise.next(like: SampleBatch<Double>(zeros: [samples.count, 1, Digits.side, Digits.side]))
    var run = SamplingRun(plan, from: start(of: plan, noise: z))
    while let query = run.query {
      let before = run
      let output = try model(run.input, plan.steps[run.evaluations])
      // A picture does not show that a number was not finite.
      try run.check(output)
      run.advance(output: output, using: &noise)
      if frames.contains(before.evaluations) {
        result.frames.append(Self.frame(before, timestep: query.timestep, denoised: run.denoised))
      }
      try onCall()
    }
    if !frames.isEmpty { result.frames.append(Self.frame(run, timestep: nil, denoised: run.denoised)) }
    result.digits += samples.indices.map { run.sample[$0 - samples.lowerBound].scalars }
  }

  private func start(of plan: SamplingPlan, noise: SampleBatch<Double>) -> SampleBatch<Double> {
    guard let image else { return .combination([(plan.initialScale, noise)]) }
    let images = SampleBatch(
      shape: noise.shape, scalars: Array(repeatElement(image, count: noise.sampleCount).joined()))
    return plan.start.mix(images, with: noise)
  }

  /// The calls whose samples are shown, evenly over a run, its end among them as the number of
  /// calls itself.
  static func frameTimes(calls: Int) -> [Int] {
    let count = min(frameCount, calls + 1)
    guard count > 1 else { return [calls] }
    return (0..<count).map { ($0 * calls * 2 + count - 1) / (2 * (count - 1)) }
  }

  private static func frame(_ run: SamplingRun<SampleBatch<Double>>, timestep: Double?, denoised: SampleBatch<Double>?)
    -> Frame
  {
    Frame(timestep: timestep, level: run.level, sample: run.sample[0].scalars, denoised: denoised?[0].scalars)
  }
}
