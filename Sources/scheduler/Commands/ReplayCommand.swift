import ArgumentParser
import Foundation
import Schedulers
import SchedulersInterop
import SchedulersJSON
import SchedulersSafetensors
import SchedulersTraces

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Runs a configuration on given model outputs and writes the trace, to compare a port with.",
    discussion: """
      The outputs are a safetensors file with `model_outputs` of the shape [steps, batch, ...]; if it also has \
      `samples` and `noises` of the shapes of a trace, the run starts from the first sample and takes that noise, so \
      that any trace will do. The number of steps and the step arguments of a trace are its own unless they are given.
      """)

  @Argument(
    help:
      "A scheduler_config.json of diffusers, or the arguments of guided-diffusion with _class_name GaussianDiffusion.")
  var config: String

  @Option(help: "The safetensors file with the model's outputs.")
  var outputs: String

  @Option(
    parsing: .unconditional,
    help: "The number of inference steps. (default: those of the trace; for guided-diffusion what its respacing keeps)")
  var steps: WholeNumber?

  @Option(help: "The arguments of every step, as JSON, such as {\"eta\": 0.5}. (default: those of the trace)")
  var stepArguments: String?

  @Option(help: "diffusers: do what the source does; corrected: follow the mathematics.")
  var fidelity = Fidelity.diffusers.rawValue

  @Option(parsing: .unconditional, help: "The seed of noise that the file does not have, 0 ... 2^64 - 1.")
  var seed: WholeNumber = 0

  @Option(name: .shortAndLong, help: "The trace to write, a .safetensors file.")
  var output: String

  func run() throws {
    guard let fidelity = Fidelity(rawValue: fidelity) else {
      throw Failure.unknown("fidelity", fidelity, known: Fidelity.allCases.map(\.rawValue))
    }
    let seed = try seed.value(of: "--seed", in: 0...UInt64.max)
    let steps = try steps?.value(of: "--steps", in: 1...100_000)
    let file = try OutputFile(output, extensions: ["safetensors"])
    let interruption = Interruption()
    let text = try ConfigurationFile.text(of: config)
    let recorded = try recording()
    do {
      let source = try source(text, recorded)
      let own = recorded.metadata["num_inference_steps"].flatMap { Int($0) }.flatMap {
        (1...100_000).contains($0) ? $0 : nil
      }
      let recorder = try Replay(source, steps: steps ?? own, fidelity: fidelity).run(
        over: recorded, seed: seed, check: interruption.check)
      do { try recorder.write(to: file.path) } catch {
        throw Failure("cannot write \(error); choose another place with --output")
      }
      let ignored = source.ignoredKeys
      let remark = ignored.isEmpty ? "" : "; without effect: \(ignored.prefix(20).joined(separator: ", "))"
      try Console.output.print(
        "wrote \(output): \(source.name), \(counted(recorder.steps, "step"))\(remark)".onOneLine + "\n")
    } catch let error where error is TraceError || error is SafetensorsError {
      throw Failure("cannot replay \(outputs) with \(config): \(error)")
    }
  }

  /// The file with the outputs.
  private func recording() throws(Failure) -> SafetensorsFile {
    do { return try SafetensorsFile(contentsOf: outputs) } catch {
      let reason = if case .file(_, let reason) = error { "\(reason); name a safetensors file" } else { "\(error)" }
      throw Failure("cannot read --outputs \(outputs.orQuotes): \(reason)")
    }
  }

  /// What is replayed: the configuration, with the arguments that are given or those of the trace.
  private func source(_ text: String, _ recorded: SafetensorsFile) throws -> TraceSource {
    do {
      return try TraceSource(configuration: text, stepArguments: stepArguments ?? recorded.metadata["step_arguments"])
    } catch TraceError.metadata("step_arguments", let reason) {
      let place = stepArguments.map { "--step-arguments \($0)" } ?? "the step_arguments of \(outputs)"
      throw Failure("cannot follow \(place): the text \(reason)")
    } catch TraceError.metadata(_, let reason) {
      // In a trace the configuration is metadata; here it is a file of its own.
      throw Failure("cannot follow \(config): the file \(reason)")
    } catch {
      throw Failure("cannot follow \(config): \(error)")
    }
  }
}
