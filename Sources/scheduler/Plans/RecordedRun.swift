import Foundation
import Schedulers
import SchedulersInterop
import SchedulersTraces

/// Everything that a run of a plan took and made, for a port in another language to be compared
/// with.
struct RecordedRun<Scalar: SampleScalar & Encodable> {
  let document: PlanDocument
  let timesteps: [Double]
  let samples: Nested
  let outputs: Nested
  let noises: Nested

  /// A tensor as lists of lists.
  struct Nested: Encodable {
    let shape: [Int]
    let scalars: [Scalar]

    func encode(to encoder: any Encoder) throws {
      guard shape.count > 1 else {
        var list = encoder.singleValueContainer()
        // The number that it is, not the shortest that reads back to it as a Float.
        return try list.encode(scalars.map { Double($0) })
      }
      let size = shape.dropFirst().reduce(1, *)
      var list = encoder.unkeyedContainer()
      for start in stride(from: 0, to: scalars.count, by: size) {
        try list.encode(Nested(shape: Array(shape.dropFirst()), scalars: Array(scalars[start..<start + size])))
      }
    }
  }

  /// Runs a plan.
  ///
  /// - Parameters:
  ///   - shape: the batch, then the shape of a sample.
  ///   - model: what answers.
  init(_ document: PlanDocument, shape: [Int], seed: UInt64, model: TestModel, check: () throws -> Void) throws {
    let plan = document.plan
    var noise = GaussianNoise(seed: seed)
    let zeros = SampleBatch<Scalar>(zeros: shape)
    var run = SamplingRun(plan, from: SampleBatch.combination([(plan.initialScale, noise.next(like: zeros))]))
    var (samples, outputs, noises) = (run.sample.scalars, [Scalar](), [Scalar]())
    var outputShape = shape
    while let step = run.step {
      try check()
      let output: SampleBatch<Scalar> = model.output(run.sample, at: step, learnsVariance: plan.learnsVariance)
      try run.check(output)
      let drawn = run.needsNoise ? noise.next(like: zeros) : nil
      run.advance(output: output, noise: drawn)
      outputShape = output.shape
      outputs += output.scalars
      noises += (drawn ?? zeros).scalars
      samples += run.sample.scalars
    }
    self.document = document
    timesteps = plan.steps.map(\.query.timestep)
    self.samples = Nested(shape: [timesteps.count + 1] + shape, scalars: samples)
    self.outputs = Nested(shape: [timesteps.count] + outputShape, scalars: outputs)
    self.noises = Nested(shape: [timesteps.count] + shape, scalars: noises)
  }
}

extension RecordedRun: Encodable {
  private enum CodingKeys: String, CodingKey {
    case format, precision, plan, timesteps, samples, noises
    case outputs = "model_outputs"
  }

  /// The trace as JSON.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Trace.format, forKey: .format)
    try container.encode(Scalar.self == Float.self ? "float32" : "float64", forKey: .precision)
    try container.encode(document, forKey: .plan)
    try container.encode(timesteps, forKey: .timesteps)
    try container.encode(samples, forKey: .samples)
    try container.encode(outputs, forKey: .outputs)
    try container.encode(noises, forKey: .noises)
  }

  /// The files of a folder, with their names.
  func files() throws -> [(name: String, data: Data)] {
    let times = RecordedRun<Double>.Nested(shape: [timesteps.count], scalars: timesteps)
    return [
      ("plan.json", Data(try JSON.text(document).utf8)), ("timesteps.npy", times.npy), ("samples.npy", samples.npy),
      ("model_outputs.npy", outputs.npy), ("noises.npy", noises.npy),
    ]
  }
}

extension RecordedRun.Nested {
  /// The tensor as NumPy saves it.
  var npy: Data {
    if let floats = scalars as? [Float] { return NumPyFile.data(shape: shape, floats: floats) }
    return NumPyFile.data(shape: shape, doubles: scalars.map { Double($0) })
  }
}
