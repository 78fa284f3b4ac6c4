import ArgumentParser
import Foundation
import Schedulers
import SchedulersInterop

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a plan with an exact model and writes all that it took and made, to compare a port with.",
    discussion: """
      The plan is a file of `scheduler plan --format json`; Docs/Plan.md says what it means in any language. The JSON \
      is a trace that `scheduler verify` judges: plan, timesteps, samples (the start first), model_outputs and noises. \
      As npy they are files of NumPy in a folder, beside plan.json.
      """)

  @Option(help: "The plan.")
  var plan: String

  @Option(help: "The model, whose data are normally distributed or a mixture of such: gaussian, mixture.")
  var model = "gaussian"

  @Option(parsing: .unconditional, help: "The seed of the noise, 0 ... 2^64 - 1.")
  var seed: WholeNumber = 0

  @Option(help: "The batch and the shape of a sample, up to 4096 numbers in 64 samples.")
  var shape = "2,3,4,5"

  @Option(help: "The type in which the run computes: float64, float32.")
  var precision = "float64"

  @Option(help: "json or npy.")
  var format = "json"

  @Option(name: .shortAndLong, help: "The .json file to write, or the folder for npy. (default: the standard output)")
  var output: String?

  func run() throws {
    guard ["json", "npy"].contains(format) else { throw Failure.unknown("format", format, known: ["json", "npy"]) }
    guard ["float64", "float32"].contains(precision) else {
      throw Failure.unknown("precision", precision, known: ["float64", "float32"])
    }
    let shape = try extents()
    let seed = try seed.value(of: "--seed", in: 0...UInt64.max)
    guard format == "json" || output != nil else { throw Failure("--format npy needs a folder; add --output") }
    let document = try PlanFile.read(plan)
    guard !document.plan.steps.isEmpty else {
      throw Failure("cannot run --plan \(plan): it has no step; make one with more")
    }
    let model = try TestModel(named: model, dimension: shape.dropFirst().reduce(1, *))
    if precision == "float32" {
      try deliver(RecordedRun<Float>(document, shape: shape, seed: seed, model: model, check: Interruption().check))
    } else {
      try deliver(RecordedRun<Double>(document, shape: shape, seed: seed, model: model, check: Interruption().check))
    }
  }

  private func extents() throws(Failure) -> [Int] {
    let extents = shape.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    let count = extents.reduce(1) { count, extent in
      (1...4096).contains(extent) && count * extent <= 4096 ? count * extent : 5000
    }
    guard extents.count > 1, extents[0] <= 64, count <= 4096 else {
      throw Failure(
        "--shape \(shape) must be a batch of 1 ... 64 and the shape of a sample, up to 4096 numbers, such as 2,3,4,5")
    }
    return extents
  }

  private func deliver(_ run: RecordedRun<some SampleScalar & Encodable>) throws {
    guard let output else { return try Console.output.print(JSON.text(run)) }
    if format == "json" {
      try OutputFile(output, extensions: ["json"]).write(Data(try JSON.text(run).utf8))
    } else {
      try Self.makeFolder(output)
      for (name, data) in try run.files() { try OutputFile("\(output)/\(name)").write(data) }
    }
    try Console.output.print("wrote \(output): \(counted(run.timesteps.count, "step"))\n")
  }

  private static func makeFolder(_ path: String) throws(Failure) {
    var isFolder: ObjCBool = false
    guard !path.isEmpty, !path.utf8.contains(0) else { throw Failure("--output \"\" needs the name of a folder") }
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw Failure("cannot write \(path): it is no folder; choose another name with --output")
      }
      return
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    } catch {
      throw Failure("cannot write \(path): the folder cannot be made; choose another place with --output")
    }
  }
}
