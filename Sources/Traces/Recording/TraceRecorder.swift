import Schedulers
import SchedulersInterop
import SchedulersSafetensors

/// Records a run of this library, or of anything else that Swift can call, as a trace.
///
/// ```swift
/// let source = TraceSource.diffusers(configuration, RunArguments())
/// var recorder = TraceRecorder(source, steps: 30, from: run.sample)
/// while let query = run.query {
///   let output = unet(run.input, query.timestep)
///   let z = run.needsNoise ? noise.next(like: run.sample) : nil
///   run.advance(output: output, noise: z)
///   recorder.record(timestep: query.timestep, output: output, noise: z, sample: run.sample)
/// }
/// try recorder.write(to: "trace.safetensors")
/// ```
public struct TraceRecorder: Sendable {
  /// Whose run it is.
  public let source: TraceSource
  /// `num_inference_steps`.
  public let inferenceSteps: Int
  /// The number of steps recorded so far.
  public var steps: Int { timesteps.count }

  private let shape: [Int]
  private var outputShape: [Int]?
  private var timesteps: [Double] = []
  private var samples: [Float]
  private var outputs: [Float] = []
  private var noises: [Float] = []

  /// A recorder of a run that starts from a sample.
  ///
  /// - Parameters:
  ///   - source: the configuration that the run follows.
  ///   - steps: `num_inference_steps`; for guided-diffusion, how many steps its respacing leaves.
  ///   - sample: the sample given to the first step.
  public init(_ source: TraceSource, steps: Int, from sample: SampleBatch<some SampleScalar>) {
    self.source = source
    self.inferenceSteps = steps
    self.shape = sample.shape
    self.samples = sample.scalars.map { Float($0) }
  }

  /// Records a step.
  ///
  /// - Parameters:
  ///   - timestep: what the network was told.
  ///   - output: what it answered, with twice the channels if it learns the variance.
  ///   - noise: what was drawn; zeros if nothing.
  ///   - sample: what came of it.
  /// - Precondition: the sample and the noise have the shape of the first sample, and the outputs
  ///   one shape.
  public mutating func record<Scalar: SampleScalar>(
    timestep: Double, output: SampleBatch<Scalar>, noise: SampleBatch<Scalar>?, sample: SampleBatch<Scalar>
  ) {
    precondition(sample.shape == shape, "a sample of shape \(sample.shape) in a recording of \(shape)")
    precondition(noise == nil || noise!.shape == shape, "noise of shape \(noise!.shape) in a recording of \(shape)")
    precondition(
      outputShape == nil || output.shape == outputShape,
      "an output of shape \(output.shape) after others of \(outputShape ?? [])")
    outputShape = output.shape
    timesteps.append(timestep)
    samples += sample.scalars.map { Float($0) }
    outputs += output.scalars.map { Float($0) }
    noises += noise?.scalars.map { Float($0) } ?? Array(repeating: 0, count: sample.scalars.count)
  }

  /// Writes the trace; a file that has the name is replaced.
  ///
  /// - Throws: `TraceError` if nothing was recorded, or the file cannot be written.
  public func write(to path: String) throws(TraceError) {
    guard let outputShape else { throw .safetensors(.file(path, reason: "no step was recorded")) }
    let whole = timesteps.compactMap { Int(exactly: $0) }
    let times: SafetensorsWriter.Tensor =
      whole.count == steps
      ? .init("timesteps", shape: [steps], integers: whole)
      : .init("timesteps", shape: [steps], floats: timesteps.map { Float($0) })
    var metadata = [
      "format": Trace.format, "num_inference_steps": "\(inferenceSteps)",
      source.configurationKey: try source.configurationText,
    ]
    metadata["step_arguments"] = source.stepArgumentsText
    metadata.merge(source.beginMetadata) { $1 }
    do {
      try SafetensorsWriter.write(
        to: path,
        [
          times, .init("samples", shape: [steps + 1] + shape, floats: samples),
          .init("model_outputs", shape: [steps] + outputShape, floats: outputs),
          .init("noises", shape: [steps] + shape, floats: noises),
        ], metadata: metadata)
    } catch {
      throw .safetensors(error)
    }
  }
}
