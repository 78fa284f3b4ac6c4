import Schedulers
import SchedulersInterop
import SchedulersJSON
import SchedulersSafetensors

/// A recording of one run of a scheduler, from any implementation: a safetensors file in the format
/// `scheduler-trace/1`, or the same as JSON.
///
/// ```swift
/// let trace = try Trace(contentsOf: "trace.safetensors")
/// let judgement = try trace.judged()
/// print(judgement.agrees, judgement.first as Any)
/// ```
///
/// Opening one checks every shape and type; the numbers are read from the mapped file when a step
/// is judged. The format is described in Docs/Verify.md.
public struct Trace: Sendable {
  /// Whose run it is, with every option.
  public let source: TraceSource
  /// In which arithmetic it is to have been made. A trace has the noise that a step adds, whatever
  /// it was made of.
  var torch = Trace.arithmetic
  /// What `num_inference_steps` says.
  public let inferenceSteps: Int
  /// The timesteps as they were recorded, in the order of the run.
  public let timesteps: [Double]
  /// Whether they were recorded as whole numbers.
  let hasWholeTimesteps: Bool
  /// The number of samples in the batch, then the shape of each.
  public let shape: [Int]
  /// Whether the model's output has twice the channels of a sample.
  public let hasVariance: Bool

  /// The type of the numbers that the run was computed in: what the file says, or what its samples
  /// are.
  public private(set) var precision: Precision
  /// Whether the file says so.
  private let isPrecisionTold: Bool
  /// The half precision in which samples were given to the steps, where they were edited: pipelines
  /// round what a step makes in float32.
  private let givenPrecision: Precision?
  /// Whether the samples were changed between steps, and what each step made is recorded too.
  public var isEdited: Bool { made != nil }

  private let file: SafetensorsFile
  private let samples: SafetensorsFile.Tensor
  private let outputs: SafetensorsFile.Tensor
  private let noises: SafetensorsFile.Tensor?
  private let made: SafetensorsFile.Tensor?

  static let arithmetic = TorchArithmetic(drawsWholeSteps: true)

  /// What `format` says in files of this format.
  public static let format = "scheduler-trace/1"

  /// The number of steps, S.
  public var steps: Int { timesteps.count }

  /// The number of scalars in one sample.
  var sampleSize: Int { samples.count / samples.shape[0] / shape[0] }

  /// Opens a trace.
  ///
  /// - Throws: `TraceError` if the file cannot be read, or is no sound trace.
  public init(contentsOf path: String) throws(TraceError) {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(contentsOf: path) } catch {
      guard let json = try JSONTrace(contentsOf: path) else { throw .safetensors(error) }
      file = json.file
    }
    try self.init(file)
  }

  /// The trace in a file.
  ///
  /// - Throws: `TraceError` if the file is no sound trace.
  public init(_ file: SafetensorsFile) throws(TraceError) {
    self.file = file
    let format = try Self.metadata("format", of: file)
    guard format == Self.format else {
      throw .metadata("format", reason: "is \(format.quoted), not \(Self.format.quoted)")
    }
    let isTold = file.metadata["begin_index"] ?? "false"
    guard ["true", "false"].contains(isTold.lowercased()) else {
      throw .metadata("begin_index", reason: "is \(isTold.quoted), not true or false")
    }
    if let plan = file.metadata["plan"] {
      source = try TraceSource(plan: plan)
    } else {
      source = try TraceSource(
        configuration: Self.metadata("scheduler_config", of: file), stepArguments: file.metadata["step_arguments"],
        firstStep: file.metadata["first_step"].map { text throws(TraceError) in
          try Self.whole("first_step", text, atLeast: 0)
        } ?? 0, setsBeginIndex: isTold.lowercased() == "true")
    }
    if case .plan(let plan) = source {
      inferenceSteps = plan.steps.count
    } else {
      inferenceSteps = try Self.whole(
        "num_inference_steps", Self.metadata("num_inference_steps", of: file), atLeast: 1)
    }

    let times = try Self.tensor(
      "timesteps", of: file, types: [.int64, .int32, .float32, .float64, .float16, .bfloat16])
    guard times.shape.count == 1, times.count > 0 else {
      throw .tensor("timesteps", reason: "has the shape \(times.shape); it must be a list of one number for each step")
    }
    timesteps = file.doubles(times)
    hasWholeTimesteps = times.type == .int64 || times.type == .int32
    for (i, timestep) in timesteps.enumerated() where !timestep.isFinite {
      throw .tensor("timesteps", reason: "has \(timestep) at step \(i)")
    }
    let types: [ElementType] = [.float32, .float64, .float16, .bfloat16]
    samples = try Self.tensor("samples", of: file, types: types)
    outputs = try Self.tensor("model_outputs", of: file, types: types)
    noises = file.tensors["noises"] == nil ? nil : try Self.tensor("noises", of: file, types: types)
    made = file.tensors["made"] == nil ? nil : try Self.tensor("made", of: file, types: types)
    shape = Array(samples.shape.dropFirst())
    hasVariance = try Self.checkShapes(steps: times.count, samples, outputs, [("noises", noises), ("made", made)])
    precision = try Self.precision(of: file, samples, steps: times.count)
    isPrecisionTold = file.metadata["precision"] != nil
    givenPrecision =
      made == nil || times.count < 2 ? nil : Self.half(file, samples, rows: 1..<times.count, of: times.count + 1)
  }

  private static func whole(_ key: String, _ text: String, atLeast least: Int) throws(TraceError) -> Int {
    guard let number = Int(text), number >= least, text.allSatisfy({ $0.isASCII && $0.isNumber }) else {
      throw .metadata(key, reason: "is \(text.quoted), not a whole number \(least == 0 ? "of 0 or more" : "above 0")")
    }
    return number
  }

  /// What the file says, or the narrowest type that has every number of the samples after the
  /// first.
  private static func precision(
    of file: SafetensorsFile, _ samples: SafetensorsFile.Tensor, steps: Int
  ) throws(TraceError) -> Precision {
    if let name = file.metadata["precision"] {
      guard let precision = Precision(rawValue: name) else {
        let known = Precision.allCases.map(\.rawValue).joined(separator: ", ")
        throw .metadata("precision", reason: "is \(name.quoted); known are \(known)")
      }
      return precision
    }
    return half(file, samples, rows: 1..<steps + 1, of: steps + 1)
      ?? (samples.type == .float64 ? .float64 : .float32)
  }

  /// The half precision that has every number of some rows of the samples, if there is one.
  private static func half(
    _ file: SafetensorsFile, _ samples: SafetensorsFile.Tensor, rows: Range<Int>, of count: Int
  ) -> Precision? {
    var left: [Precision] = [.bfloat16, .float16]
    let row = samples.count / count
    var start = rows.lowerBound * row
    while start < rows.upperBound * row, !left.isEmpty {
      let end = min(start + 1 << 16, rows.upperBound * row)
      let numbers = file.doubles(samples, start..<end)
      left.removeAll { precision in !numbers.allSatisfy(precision.contains) }
      start = end
    }
    return left.first
  }

  private static func metadata(_ key: String, of file: SafetensorsFile) throws(TraceError) -> String {
    guard let value = file.metadata[key] else { throw .metadata(key, reason: "is missing") }
    return value
  }

  private static func tensor(
    _ name: String, of file: SafetensorsFile, types: [ElementType]
  ) throws(TraceError) -> SafetensorsFile.Tensor {
    guard let tensor = file.tensors[name] else { throw .tensor(name, reason: "is missing") }
    guard types.contains(tensor.type) else {
      let names = types.map(\.rawValue)
      let wanted = names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
      throw .tensor(name, reason: "has elements of type \(tensor.type.rawValue); they must be \(wanted)")
    }
    return tensor
  }

  /// Throws unless the shapes fit each other; says whether the outputs have twice the channels.
  private static func checkShapes(
    steps: Int, _ samples: SafetensorsFile.Tensor, _ outputs: SafetensorsFile.Tensor,
    _ others: [(name: String, tensor: SafetensorsFile.Tensor?)]
  ) throws(TraceError) -> Bool {
    guard samples.shape.count >= 2, samples.shape[0] == steps + 1, samples.count > 0 else {
      throw .tensor(
        "samples", reason: "has the shape \(samples.shape); with \(steps) timesteps it must be [\(steps + 1), N, ...]")
    }
    let shape = Array(samples.shape.dropFirst())
    for (name, tensor) in others {
      guard let tensor, tensor.shape != [steps] + shape else { continue }
      throw .tensor(name, reason: "has the shape \(tensor.shape); it must be \([steps] + shape), as the samples say")
    }
    if outputs.shape == [steps] + shape { return false }
    guard shape.count >= 2, outputs.shape == [steps, shape[0], 2 * shape[1]] + shape.dropFirst(2) else {
      throw .tensor(
        "model_outputs", reason: "has the shape \(outputs.shape); it must be \([steps] + shape), or twice the channels")
    }
    return true
  }
}

extension Trace {
  /// Which recorded tensor.
  enum Role: String, CaseIterable, Sendable {
    case samples
    case outputs = "model_outputs"
    case noises
    /// What each step made, where the samples were changed between steps.
    case made
  }

  /// Some scalars of one sample of the batch. A step is judged part by part, so that memory does
  /// not grow with the file.
  struct Part: Hashable, Sendable {
    var sample: Int
    var scalars: Range<Int>
  }

  /// The whole batch in parts of at most `limit` scalars.
  func parts(limit: Int) -> [Part] {
    (0..<shape[0]).flatMap { sample in
      stride(from: 0, to: sampleSize, by: limit).map { start in
        Part(sample: sample, scalars: start..<min(start + limit, sampleSize))
      }
    }
  }

  /// Recorded scalars at a row of a tensor: a step, or for samples the last.
  ///
  /// - Parameter offset: where in the sample of that tensor the part's scalar 0 would be; the
  ///   second half of an output is at `sampleSize`.
  func scalars(_ role: Role, row: Int, _ part: Part, offset: Int = 0) -> [Double] {
    guard let tensor = tensor(role) else { return Array(repeating: 0, count: part.scalars.count) }
    let start = (row * shape[0] + part.sample) * size(of: role) + offset
    return file.doubles(tensor, start + part.scalars.lowerBound..<start + part.scalars.upperBound)
  }

  /// Recorded scalars at given places of a sample.
  func scalars(_ role: Role, row: Int, sample: Int, at places: [Int]) -> [Double] {
    let start = (row * shape[0] + sample) * size(of: role)
    guard let tensor = tensor(role) else { return Array(repeating: 0, count: places.count) }
    return file.doubles(tensor, at: places.map { start + $0 })
  }

  /// The number of scalars that one sample has in a tensor.
  func size(of role: Role) -> Int { role == .outputs && hasVariance ? 2 * sampleSize : sampleSize }

  /// The same recording, taken for one that was computed in another type.
  func computed(in precision: Precision) -> Trace {
    var trace = self
    trace.precision = precision
    return trace
  }

  /// The type of a tensor that a run was computed with: half precision where the tensor is stored
  /// so, as networks' outputs are beside samples in float32, or where samples were rounded to it
  /// between the steps, unless the file says otherwise.
  func precision(of role: Role) -> Precision {
    guard !precision.isHalf, !isPrecisionTold else { return precision }
    if role == .samples, let givenPrecision { return givenPrecision }
    switch tensor(role)?.type {
    case .float16: return .float16
    case .bfloat16: return .bfloat16
    default: return precision
    }
  }

  /// Whether the noise was recorded.
  var hasNoises: Bool { noises != nil }

  /// Where what a step made is recorded.
  func recorded(after step: Int) -> (role: Role, row: Int) { isEdited ? (.made, step) : (.samples, step + 1) }

  private func tensor(_ role: Role) -> SafetensorsFile.Tensor? {
    switch role {
    case .samples: samples
    case .outputs: outputs
    case .noises: noises
    case .made: made
    }
  }
}
