import Schedulers
import SchedulersInterop
import SchedulersSafetensors

/// A run of a configuration over model outputs that somebody recorded: the other direction of
/// judging.
public struct Replay: Sendable {
  /// Whose steps are made.
  public let source: TraceSource
  /// `num_inference_steps`.
  public let inferenceSteps: Int
  private let plan: SamplingPlan

  /// A run of a number of steps.
  ///
  /// - Parameter steps: nil for guided-diffusion, whose respacing says it, and for k-diffusion,
  ///   whose sigmas do.
  /// - Throws: `TraceError` if the configuration has no such run.
  public init(_ source: TraceSource, steps: Int?, fidelity: Fidelity = .diffusers) throws(TraceError) {
    self.source = source
    switch (source, steps) {
    case (_, let steps?): inferenceSteps = steps
    case (.guidedDiffusion(let configuration), nil):
      do {
        inferenceSteps = try configuration.process(fidelity: fidelity).original.count
      } catch { throw .configuration("\(error)") }
    case (.kDiffusion(let configuration), nil): inferenceSteps = configuration.steps
    case (.plan(let plan), nil): inferenceSteps = plan.steps.count
    case (.diffusers, nil): throw .configuration("the number of steps is missing; give --steps")
    }
    plan = try source.plan(steps: inferenceSteps, fidelity: fidelity)
  }

  /// Runs over the outputs of a file.
  ///
  /// - Parameters:
  ///   - file: `model_outputs` [S, N, ...]; the start is row 0 of `samples`, and the noise
  ///     `noises`, if it has them.
  ///   - seed: of the noise and the start that the file does not have.
  ///   - check: called before each step; throws to stop.
  /// - Throws: `TraceError` if the file's tensors do not fit the run, and what `check` throws.
  public func run(over file: SafetensorsFile, seed: UInt64, check: () throws -> Void = {}) throws -> TraceRecorder {
    let count = plan.steps.count
    guard let outputs = file.tensors["model_outputs"] else {
      throw TraceError.tensor("model_outputs", reason: "is missing")
    }
    guard outputs.shape.count >= 2, outputs.shape[0] == count, outputs.count > 0 else {
      throw TraceError.tensor("model_outputs", reason: "has the shape \(outputs.shape); it must be [\(count), N, ...]")
    }
    let outputShape = Array(outputs.shape.dropFirst())
    var shape = outputShape
    if plan.learnsVariance {
      guard shape.count >= 2, shape[1].isMultiple(of: 2) else {
        throw TraceError.tensor(
          "model_outputs", reason: "has the shape \(outputs.shape); with learned variance its channels are even")
      }
      shape[1] /= 2
    }
    var source = GaussianNoise(seed: seed)
    let zeros = SampleBatch<Double>(zeros: shape)
    func row(_ name: String, _ row: Int, of rows: Int) throws -> SampleBatch<Double>? {
      guard let tensor = file.tensors[name] else { return nil }
      guard tensor.shape == [rows] + shape else {
        throw TraceError.tensor(name, reason: "has the shape \(tensor.shape); it must be \([rows] + shape)")
      }
      let size = zeros.scalars.count
      return SampleBatch(shape: shape, scalars: file.doubles(tensor, row * size..<(row + 1) * size))
    }
    let start = try row("samples", 0, of: count + 1) ?? .combination([(plan.initialScale, source.next(like: zeros))])
    var run = SamplingRun(plan, from: start)
    var recorder = TraceRecorder(self.source, steps: inferenceSteps, from: start)
    let size = outputs.count / count
    for step in 0..<count {
      try check()
      let output = SampleBatch(shape: outputShape, scalars: file.doubles(outputs, step * size..<(step + 1) * size))
      let noise = try row("noises", step, of: count) ?? (run.needsNoise ? source.next(like: zeros) : nil)
      let timestep = plan.steps[step].query.timestep
      run.advance(output: output, noise: noise)
      recorder.record(timestep: timestep, output: output, noise: noise, sample: run.sample)
    }
    return recorder
  }
}
