import ArgumentParser
import Foundation
import Schedulers
import SchedulersJSON

/// The tool. Exit statuses: 0; 1 where a trace was judged and is wrong; 2 for values that cannot be
/// used and files that cannot be read or written; 64 for a command line that cannot be parsed; 128
/// + the signal where one stopped it.
@main
struct Scheduler: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scheduler",
    abstract: "Noise schedules and samplers of diffusion models, on 8×8 digits and exact denoisers.",
    version: SchedulersLibrary.version,
    subcommands: [
      SampleCommand.self, TrainCommand.self, EvaluateCommand.self, PlanCommand.self, RunCommand.self, TableCommand.self,
      LikelihoodCommand.self,
      PlotCommand.self,
      NoiseCommand.self, ListCommand.self, ExplainCommand.self, VerifyCommand.self, ReplayCommand.self,
    ])

  static func main() {
    do {
      try CommandLineOptions.checkText()
      var command = try parseAsRoot()
      try command.run()
    } catch let interrupted as Interruption.Interrupted {
      Foundation.exit(128 + interrupted.signal)
    } catch is Divergence {
      Foundation.exit(1)
    } catch let request where exitCode(for: request) == .success {
      // For help or the version. The parser would print it, and not see that nobody takes it.
      answer(fullMessage(for: request) + "\n")
    } catch let mistake where exitCode(for: mistake) == .validationFailure {
      fail(words(for: mistake), status: 64)
    } catch {
      fail("\(error)", status: 2)
    }
  }

  private static func answer(_ text: String) {
    do { try Console.output.print(text) } catch { fail("\(error)", status: 2) }
  }

  /// Arguments are quoted in messages and may hold anything.
  private static func fail(_ message: String, status: Int32) -> Never {
    Console.error.write("scheduler: \(message.onOneLine)\n")
    Foundation.exit(status)
  }

  /// What the parser says, in the style of all messages. Its last line says where the command that
  /// was meant is explained: "See 'scheduler plan --help' for more information."
  private static func words(for mistake: any Error) -> String {
    // Where the parser lists values, each has a line.
    let lines = message(for: mistake).split(separator: "\n").map { $0.drop { $0 == " " } }
    let values = lines.dropFirst().map { $0.hasPrefix("- ") ? $0.dropFirst(2) : $0 }
    let message = (lines.first ?? "") + (values.isEmpty ? "" : " \(values.joined(separator: ", "))")
    let text = message.prefix(1).lowercased() + message.dropFirst()
    let parts = fullMessage(for: mistake).split(separator: "\n").last?.split(separator: "'") ?? []
    guard parts.count == 3, parts[0].hasSuffix("See ") else { return text }
    return text.hasSuffix("?") || text.hasSuffix(".") ? "\(text) See `\(parts[1])`." : "\(text); see `\(parts[1])`"
  }
}
