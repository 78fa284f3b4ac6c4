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
    var command: any ParsableCommand
    do { command = try parseAsRoot() } catch { exit(withError: error) }
    do {
      try command.run()
    } catch let interrupted as Interruption.Interrupted {
      Foundation.exit(128 + interrupted.signal)
    } catch is Divergence {
      Foundation.exit(1)
    } catch let request where exitCode(for: request) != .failure {
      // The parser's own, such as a request for help.
      exit(withError: request)
    } catch {
      // Arguments are quoted in messages and may hold anything.
      Console.error.write("scheduler: \("\(error)".onOneLine)\n")
      Foundation.exit(2)
    }
  }
}
