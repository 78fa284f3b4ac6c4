import ArgumentParser
import Schedulers
import SchedulersInterop

/// A configuration of another library, in the place of what the tool's own options say.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    help: """
      A scheduler_config.json of diffusers, or the arguments of guided-diffusion with _class_name GaussianDiffusion. \
      It says schedule, grid and sampler in the place of the other options; --steps are then its inference steps.
      """)
  var config: String?

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
    if let file, let config { throw Failure("\(file) and --config \(config) are both configurations; drop one") }
    guard let path = config ?? file else {
      for (option, value) in [("--arguments", arguments), ("--fidelity", fidelity)] {
        try refuse(option, value, unless: false, because: "a run without a configuration", instead: "a --config")
      }
      return nil
    }
    let own: Set = ["--config", "--arguments", "--step-arguments", "--fidelity", "--steps"]
    for option in CommandLineOptions.given where !own.contains(option) && !allowed.contains(option) {
      throw Failure("\(option) means nothing beside the configuration \(path), which says all of that; drop it")
    }
    let name = fidelity ?? Fidelity.diffusers.rawValue
    guard let fidelity = Fidelity(rawValue: name) else {
      throw Failure.unknown("fidelity", name, known: Fidelity.allCases.map(\.rawValue))
    }
    let steps = try steps?.value(of: "--steps", in: 1...100_000)
    let source = try ConfigurationFile.source(path, arguments: arguments)
    do {
      return try ConfiguredRun(source, steps: steps, fidelity: fidelity)
    } catch {
      throw Failure("cannot follow \(path): \(error)")
    }
  }
}

/// The command line as it was typed.
enum CommandLineOptions {
  /// The names of the options that were given, such as `--steps`. A parsed option does not say
  /// whether it was given or has its default.
  static var given: [String] {
    CommandLine.arguments.dropFirst().filter { $0.hasPrefix("--") && $0.count > 2 }
      .map { String($0.prefix { $0 != "=" }) }
  }
}
