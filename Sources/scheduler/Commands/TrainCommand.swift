import ArgumentParser
import DigitsModel
import Foundation

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a small network on the digits, from the first weights to samples.",
    discussion: """
      Half of the 1,797 digits are trained on; bits per dimension, Frechet distance and recognition are measured \
      against the other half. The folder receives training.json (the configuration), checkpoints, log.csv, loss.svg, \
      evaluations.csv, a contact sheet for each evaluation, and at the end model.safetensors, for `scheduler sample \
      --model`. Ctrl-C and SIGTERM finish the step and save. Docs/Training.md explains the loop.
      """)

  @Option(name: [.long, .customShort("o")], help: "The folder of the run.")
  var outputDir = "digits-model"

  @Option(help: "A JSON file of a configuration, such as the training.json of another run; options override it.")
  var config: String?

  @Option(help: "Go on from a checkpoint of the folder: latest, or a name such as checkpoint-1000.")
  var resumeFromCheckpoint: String?

  @OptionGroup var options: TrainingOptions
  @OptionGroup var evaluation: EvaluationOptions

  private static let configurationFile = "training.json"
  private var folder: URL { URL(fileURLWithPath: outputDir, isDirectory: true) }
  private var configurationPath: String { folder.appendingPathComponent(Self.configurationFile).path }

  func run() throws {
    // At this size, products of matrices take longer on several threads than on one, and their last
    // bits would depend on how many.
    NetworkThreads.use(1)
    let configuration = try makeConfiguration()
    let (folderIsNew, configurationIsNew) = (isFree(folder.path), isFree(configurationPath))
    try makeFolder()
    let run = try TrainingRun(configuration, in: folder)
    do { try train(run) } catch {
      // What can neither be gone on with nor sampled from is no run.
      if run.checkpoints.steps.isEmpty {
        if configurationIsNew { unlink(configurationPath) }
        // A folder with files in it stays.
        if folderIsNew { rmdir(folder.path) }
      }
      throw error
    }
  }

  private func train(_ run: TrainingRun) throws {
    let configuration = run.configuration
    var state = try makeState(configuration, run.checkpoints)
    run.checkpoints.clean()
    let interruption = Interruption()
    try OutputFile(configurationPath, option: "--output-dir").write(Data(pretty(configuration).utf8))
    try run.run(&state, interruption)
    try Console.output.print(
      "wrote \(outputDir)/model.safetensors: \(state.network.parameters.count) parameters after "
        + "\(counted(state.progress.step, "step"))\n")
  }

  /// The defaults, overridden by the file, overridden by the options. A run that goes on has its
  /// own configuration for a file.
  private func makeConfiguration() throws -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    let own = configurationPath
    if let config {
      configuration = try .decode(
        InputFile.read(config, option: "--config", kind: "JSON file", largest: 1 << 20), from: "--config \(config)")
    } else if resumeFromCheckpoint != nil, FileManager.default.fileExists(atPath: own) {
      configuration = try .decode(InputFile.read(own, option: "--output-dir", kind: "run", largest: 1 << 20), from: own)
    }
    _ = try options.seed?.value(of: "--seed", in: 0...UInt64.max)
    configuration = try configuration.with(options).with(evaluation)
    try configuration.validate()
    // So that the model says what it was trained with.
    configuration.lrWarmupSteps = configuration.warmup
    return configuration
  }

  private func isFree(_ path: String) -> Bool { !FileManager.default.fileExists(atPath: path) }

  private func makeFolder() throws(Failure) {
    guard !outputDir.isEmpty, !outputDir.utf8.contains(0) else {
      throw Failure("--output-dir \"\" needs the name of a folder")
    }
    var here = [CChar](repeating: 0, count: Int(PATH_MAX))
    if !outputDir.hasPrefix("/"), getcwd(&here, here.count) != nil {
      let bytes = here.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      // As a `String`, the name would be another one.
      guard String(validating: bytes, as: UTF8.self) != nil else {
        throw Failure("the working folder has a name that is no text in UTF-8; name another by --output-dir /...")
      }
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(
        "cannot make the folder --output-dir \(outputDir); check that nothing else has its name and that it may be "
          + "written"
      )
    }
  }

  /// A new run, or the one of a checkpoint.
  private func makeState(_ configuration: TrainingConfiguration, _ checkpoints: Checkpoints) throws -> TrainingState {
    guard let name = resumeFromCheckpoint else {
      if let step = checkpoints.steps.last {
        throw Failure(
          "\(outputDir) holds a run, at step \(step); go on with --resume-from-checkpoint latest, or choose another "
            + "--output-dir"
        )
      }
      return try TrainingState(configuration)
    }
    let state =
      try name == "latest" ? checkpoints.latest { Console.error.write("\($0)\n") } : named(name, of: checkpoints)
    let differences = state.configuration.differences(from: configuration)
    guard differences.isEmpty else {
      throw Failure(
        "the checkpoint of step \(state.progress.step) was made with another \(differences.joined(separator: ", ")); "
          + "leave that as it was, or choose another --output-dir")
    }
    return TrainingState(configuration, goingOnFrom: state)
  }

  private func named(_ name: String, of checkpoints: Checkpoints) throws(Failure) -> TrainingState {
    let known = checkpoints.steps.map { checkpoints.url($0).lastPathComponent }
    guard let index = known.firstIndex(of: name) else {
      throw Failure.unknown("checkpoint", name, known: ["latest"] + known)
    }
    return try checkpoints.load(checkpoints.steps[index])
  }

  private func pretty(_ configuration: TrainingConfiguration) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(configuration), as: UTF8.self) + "\n"
  }
}
