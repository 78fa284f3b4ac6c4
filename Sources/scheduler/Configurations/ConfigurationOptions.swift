import ArgumentParser
import Foundation
import Schedulers
import SchedulersInterop
import SchedulersTraces

/// A configuration of another library, in the place of what the tool's own options say.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    help: """
      A scheduler_config.json of diffusers, or the arguments of guided-diffusion with _class_name GaussianDiffusion. \
      It says schedule, grid and sampler in the place of the other options; --steps are then its inference steps.
      """)
  var config: String?

  @Option(
    help: """
      A released model, such as mochi-1, in the place of a --config; `scheduler list presets` names them. Its steps \
      and --arguments are those of its own pipeline where they are not given.
      """)
  var preset: String?

  @Option(
    name: [.long, .customLong("step-arguments")],
    help: "What a pipeline gives beside the configuration, as JSON, such as {\"mu\": 1.15}.")
  var arguments: String?

  @Option(
    help: """
      How the configuration is read. diffusers: as its source does; corrected: by the mathematics. (default: diffusers)
      """)
  var fidelity: String?

  /// The run of the configuration, if there is one.
  ///
  /// - Parameters:
  ///   - file: its path, where it was not given by `--config`.
  ///   - steps: `--steps`.
  ///   - allowed: the options that mean something beside it, `--steps` and its own among them.
  /// - Throws: `Failure` for an option that means nothing, and for what cannot be followed.
  func run(_ file: String? = nil, steps: WholeNumber?, beside allowed: Set<String>) throws -> ConfiguredRun? {
    let given = [file, config.map { "--config \($0)" }, preset.map { "--preset \($0)" }].compactMap(\.self)
    if given.count > 1 { throw Failure("\(given[0]) and \(given[1]) are both configurations; drop one") }
    guard let path = config ?? file ?? preset else {
      for (option, value) in [("--arguments", arguments), ("--fidelity", fidelity)] {
        try refuse(option, value, unless: false, because: "a run without a configuration", instead: "a --config")
      }
      return nil
    }
    let own: Set = ["--config", "--preset", "--arguments", "--step-arguments", "--fidelity", "--steps"]
    for option in CommandLineOptions.given where !own.contains(option) && !allowed.contains(option) {
      throw Failure("\(option) means nothing beside the configuration \(path), which says all of that; drop it")
    }
    let name = fidelity ?? Fidelity.diffusers.rawValue
    guard let fidelity = Fidelity(rawValue: name) else {
      throw Failure.unknown("fidelity", name, known: Fidelity.allCases.map(\.rawValue))
    }
    let steps = try steps?.value(of: "--steps", in: 1...100_000)
    let run = try preset.map { try Self.preset($0, steps: steps, arguments: arguments) }
    let source = try run?.source ?? ConfigurationFile.source(path, arguments: arguments)
    do {
      return try ConfiguredRun(source, steps: run?.steps ?? steps, fidelity: fidelity)
    } catch {
      throw Failure("cannot follow \(path): \(error)")
    }
  }

  /// A released model with the steps and the arguments of its own pipeline, or with those that are
  /// given.
  private static func preset(
    _ name: String, steps: Int?, arguments: String?
  ) throws -> (source: TraceSource, steps: Int?) {
    guard let preset = ModelPreset.named(name) else {
      throw Failure.unknown("preset", name, known: ModelPreset.all.map(\.name))
    }
    let given = try arguments.map {
      try ConfigurationFile.source(of: preset.configuration.json, named: name, arguments: $0)
    }
    return preset.run(steps: steps, following: given)
  }
}

/// The command line as it was typed.
enum CommandLineOptions {
  /// Throws for an argument that is no text, such as the name of a file from a system with another
  /// encoding. As a `String` it would be another name.
  static func checkText() throws(Failure) {
    for i in 0..<Int(CommandLine.argc) {
      guard let pointer = CommandLine.unsafeArgv[i] else { continue }
      let bytes = UnsafeRawBufferPointer(start: pointer, count: strlen(pointer))
      if String(validating: bytes, as: UTF8.self) != nil { continue }
      let text = bytes.map { (32..<127).contains($0) ? String(UnicodeScalar($0)) : "\\x" + hexadecimal($0) }
      throw Failure(
        "the argument \(text.joined()) is no text in UTF-8; rename the file, or name it by a link with such a name")
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  /// All of it, after the name of the program.
  static var text: String { "scheduler " + CommandLine.arguments.dropFirst().joined(separator: " ") }

  /// The names of the options that were given, such as `--steps`. A parsed option does not say
  /// whether it was given or has its default.
  static var given: [String] {
    CommandLine.arguments.dropFirst().filter { $0.hasPrefix("--") && $0.count > 2 }
      .map { String($0.prefix { $0 != "=" }) }
  }
}
