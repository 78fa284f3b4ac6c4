import ArgumentParser
import Foundation

/// The tool. Exit statuses: 0; 2 for values that cannot be used and files that cannot be read or written; 64 for a command line that
/// cannot be parsed; 128 + the signal where one stopped it.
@main
struct Scheduler: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scheduler", abstract: "Noise schedules and samplers of diffusion models, on 8×8 digits and exact denoisers.",
    subcommands: [SampleCommand.self, PlanCommand.self, TableCommand.self, PlotCommand.self, ListCommand.self])

  static func main() {
    var command: any ParsableCommand
    do { command = try parseAsRoot() } catch { exit(withError: error) }
    do {
      try command.run()
    } catch let interrupted as Interruption.Interrupted {
      Foundation.exit(128 + interrupted.signal)
    } catch let request as CleanExit {
      exit(withError: request)
    } catch {
      Console.error.write("scheduler: \(oneLine("\(error)"))\n")
      Foundation.exit(2)
    }
  }

  /// Arguments are quoted in messages and may hold anything.
  private static func oneLine(_ message: String) -> String {
    message.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : String($0) }.joined()
  }
}
