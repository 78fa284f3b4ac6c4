import DigitsModel
import Foundation
import SchedulersResources
import SchedulersSafetensors

/// The checkpoints of a run: folders `checkpoint-STEP`, each of which appears whole or not at all.
///
/// A folder holds `training.safetensors` (weights, moments of their gradients, average),
/// `state.json` (the rest), `model.safetensors` (what is sampled from) and `checksums.json`, by
/// which damage is noticed.
struct Checkpoints {
  let folder: URL
  let limit: Int

  private static let prefix = "checkpoint-"
  private static let temporary = ".checkpoint-"

  /// The numbers of steps of all checkpoints, sound or not, ascending.
  var steps: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasPrefix(Self.prefix) }.compactMap { Int($0.dropFirst(Self.prefix.count)) }
      .filter { $0 >= 0 }.sorted()
  }

  func url(_ step: Int) -> URL { folder.appendingPathComponent("\(Self.prefix)\(step)") }

  /// Saves a run, then removes the oldest checkpoints beyond the limit.
  ///
  /// - Throws: `Failure` if it cannot be written; what was saved before is untouched then.
  func save(_ state: TrainingState) throws {
    let files = FileManager.default
    let partial = folder.appendingPathComponent("\(Self.temporary)\(UUID().uuidString).tmp")
    let target = url(state.progress.step)
    do {
      try files.createDirectory(at: partial, withIntermediateDirectories: false)
      for (name, data) in try Self.encoded(state) {
        try OutputFile(partial.appendingPathComponent(name).path, option: "--output-dir").write(data)
      }
      // Only a damaged one can be there, or one that a run which went back to an earlier one makes
      // again.
      if files.fileExists(atPath: target.path) { try remove(target) }
      guard rename(partial.path, target.path) == 0 else {
        throw Failure("cannot write \(target.path): \(String(cString: strerror(errno))); free some space")
      }
    } catch {
      try? files.removeItem(at: partial)
      throw error as? Failure ?? Failure("cannot write \(target.path): \(error.localizedDescription)")
    }
    for step in steps.filter({ $0 < state.progress.step }).reversed().dropFirst(limit - 1) { try? remove(url(step)) }
  }

  /// Removes what runs that were killed in the middle of saving have left.
  func clean() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let partial = names.filter {
      $0.hasPrefix(Self.temporary) || ($0.hasPrefix(".scheduler-") && $0.hasSuffix(".tmp"))
    }
    for name in partial {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }

  /// The newest sound checkpoint.
  ///
  /// - Parameter onDamage: told of each newer one that cannot be used.
  /// - Throws: `Failure` if there is none.
  func latest(onDamage: (String) -> Void) throws(Failure) -> TrainingState {
    let steps = steps
    for (i, step) in steps.enumerated().reversed() {
      do { return try load(step) } catch {
        onDamage("\(error); going back to \(i > 0 ? "\(Self.prefix)\(steps[i - 1])" : "nothing")")
      }
    }
    throw Failure("\(folder.path) has no checkpoint that can be used; begin without --resume-from-checkpoint")
  }

  /// A checkpoint.
  ///
  /// - Throws: `Failure` if it is damaged.
  func load(_ step: Int) throws(Failure) -> TrainingState {
    let name = "\(Self.prefix)\(step)"
    do {
      func read(_ file: String) throws -> Data {
        try InputFile.read(
          url(step).appendingPathComponent(file).path, option: name, kind: "checkpoint", largest: 1 << 30)
      }
      let (training, progress) = (try read("training.safetensors"), try read("state.json"))
      let expected = try JSONDecoder().decode([String: String].self, from: read("checksums.json"))
      guard expected["training.safetensors"] == training.checksum,
        expected["state.json"] == progress.checksum
      else {
        throw Failure("its checksums are not those of its files")
      }
      let state = try Self.decoded(training, progress)
      guard state.progress.step == step else { throw Failure("it is of step \(state.progress.step)") }
      return state
    } catch {
      throw Failure("\(name) is damaged: \(error is DecodingError ? "state.json cannot be read" : "\(error)")")
    }
  }

  private func remove(_ checkpoint: URL) throws {
    // Under another name first, so that one which is half removed is not taken for one which is
    // there.
    let hidden = folder.appendingPathComponent("\(Self.temporary)\(UUID().uuidString).tmp")
    try FileManager.default.moveItem(at: checkpoint, to: hidden)
    try FileManager.default.removeItem(at: hidden)
  }

  private static let configurationKey = "training_configuration"

  private static func encoded(_ state: TrainingState) throws -> [(name: String, data: Data)] {
    func tensor(_ name: String, _ values: [Float]) -> SafetensorsWriter.Tensor {
      SafetensorsWriter.Tensor(name, shape: [values.count], floats: values)
    }
    var tensors = [
      tensor("parameters", state.network.parameters), tensor("optimizer.mean", state.optimizer.mean),
      tensor("optimizer.square", state.optimizer.square),
    ]
    if let average = state.average { tensors.append(tensor("average", average.parameters)) }
    let training = Data(
      SafetensorsWriter.bytes(tensors, metadata: [configurationKey: try JSON.text(state.configuration)]))
    let progress = Data(try JSON.text(state.progress).utf8)
    let checksums = try JSON.text(["training.safetensors": training.checksum, "state.json": progress.checksum])
    return [
      ("training.safetensors", training), ("state.json", progress),
      ("model.safetensors", try TrainedModel(state.result, state.configuration).encoded()),
      ("checksums.json", Data(checksums.utf8)),
    ]
  }

  private static func decoded(_ training: Data, _ progress: Data) throws -> TrainingState {
    let file = try SafetensorsFile(Array(training))
    let configuration = try TrainingConfiguration.decode(
      Data((file.metadata[configurationKey] ?? "").utf8), from: "training.safetensors")
    try configuration.validate()
    var state = try TrainingState(configuration)
    state.progress = try JSONDecoder().decode(TrainingState.Progress.self, from: progress)
    func values(_ name: String) throws -> [Float] {
      guard let tensor = file.tensors[name], tensor.count == state.network.parameters.count else {
        throw Failure("its network is of another size")
      }
      return file.doubles(tensor).map { Float($0) }
    }
    state.network.parameters = try values("parameters")
    state.optimizer = AdamW(
      configuration.optimizer, mean: try values("optimizer.mean"), square: try values("optimizer.square"),
      steps: state.progress.step)
    if configuration.useEMA {
      state.average = MovingAverage(configuration.average, of: try values("average"), updates: state.progress.step)
    }
    return state
  }
}
