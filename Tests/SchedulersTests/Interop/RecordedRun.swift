import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// A run of diffusers in float32 that was recorded: samples, the network's outputs, and noise.
struct RecordedRun {
  let samples: [SampleBatch<Double>]
  let outputs: [SampleBatch<Double>]
  /// Nothing where none is drawn.
  let noises: [SampleBatch<Double>]
  /// What each step made, which need not be the next sample.
  let made: [SampleBatch<Double>]

  /// The tensors of these names; those of noises and of what was made may be missing.
  init(_ tensors: Safetensors, samples: String, outputs: String, noises: String, made: String) throws {
    func batches(_ name: String) throws -> [SampleBatch<Double>] {
      let shape = Array(try tensors.shape(name).dropFirst())
      let size = shape.reduce(1, *)
      let scalars = try tensors.floats(name).map { Double($0) }
      return stride(from: 0, to: scalars.count, by: size).map { start in
        SampleBatch(shape: shape, scalars: Array(scalars[start..<start + size]))
      }
    }
    self.samples = try batches(samples)
    self.outputs = try batches(outputs)
    self.noises = tensors.names.contains(noises) ? try batches(noises) : []
    self.made = tensors.names.contains(made) ? try batches(made) : Array(self.samples.dropFirst())
  }

  /// A run of a plan that has come to step k over what was recorded before, and that step.
  private func advance(_ run: inout SamplingRun<SampleBatch<Double>>, at k: Int) {
    if k > 0 { run.replace(samples[k], made: made[k - 1]) }
    run.advance(output: outputs[k], noise: noises.isEmpty ? nil : noises[k])
  }

  /// What a plan makes in a step of what was recorded before it.
  private func result(of step: Int, by plan: SamplingPlan) -> [Double] {
    var run = SamplingRun(plan, from: samples[0])
    for k in 0...step { advance(&run, at: k) }
    return run.sample.scalars
  }

  /// Expects that a plan makes each step of the recorded sample.
  ///
  /// What differs is float32's rounding in diffusers: a step has about 10 operations on numbers up
  /// to 8 times the largest sample (Heun's derivative times dt the most), 80·2⁻²⁴ = 4.8·10⁻⁶; twice
  /// that is allowed. Steps in epsilon multiply the sample by signal'/signal, and take most of it
  /// away again. Coefficients of solvers are differences of integrals; what float32 leaves
  /// uncertain of them is allowed besides.
  func expect(
    by plan: SamplingPlan, of configuration: DiffusersConfiguration, steps: Int, with arguments: RunArguments,
    _ label: Comment
  ) throws {
    try #require(plan.steps.count == outputs.count, label)
    let roundings = try configuration.roundings(steps: steps, with: arguments)
    var run = SamplingRun(plan, from: samples[0])
    for k in outputs.indices {
      advance(&run, at: k)
      let uncertainty = try (roundings.isEmpty ? [] : roundings[k]).reduce(0) { sum, rounding in
        let form = try plan.replacing(k, with: rounding.form)
        return sum + rounding.bound * result(of: k, by: form).reduce(0) { max($0, abs($1)) }
      }
      // diffusers makes Heun's second sample from the one before, which can be much larger, with a
      // slope whose error grows as sigma falls.
      let isHeun = [.heunDiscrete, .flowMatchHeunDiscrete].contains(configuration.schedulerClass)
      let isSecond = k > 0 && plan.steps[k].next.estimates.count > 1 && isHeun
      let amplified = max(1, abs(plan.steps[k].next.samples.first ?? 0))
      let growth = isSecond ? plan.steps[k - 1].query.level.sigma / plan.steps[k].query.level.sigma : amplified
      let around = samples[max(0, k - 1)...k + 1] + [made[k]]
      let scale = growth * around.flatMap(\.scalars).reduce(1) { max($0, abs($1)) }
      let difference = zip(run.sample.scalars, made[k].scalars).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(difference <= 1e-5 * scale + uncertainty, label)
    }
    Comparisons.count(outputs.count * samples[0].scalars.count)
  }
}

extension SamplingPlan {
  /// The plan with another line for one step.
  fileprivate func replacing(_ index: Int, with next: LinearForm) throws -> SamplingPlan {
    var steps = steps
    let step = steps[index]
    steps[index] = Step(
      query: step.query, arrival: step.arrival, denoising: step.denoising, keeping: step.keeping, next: next,
      variance: nil)
    return try SamplingPlan(steps: steps, start: start, clipping: clipping, learnsVariance: learnsVariance)
  }
}
