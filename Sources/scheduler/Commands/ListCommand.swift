import ArgumentParser
import Schedulers

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Prints the samplers, or where other libraries deviate from the papers.")

  @Argument(help: "samplers or deviations.")
  var what = "samplers"

  @Option(help: "text, or for deviations markdown.")
  var format = "text"

  func run() throws {
    guard let text = ["samplers": Self.samplers, "deviations": Self.deviations][what] else {
      throw Failure.unknown("list", what, known: ["samplers", "deviations"])
    }
    switch format {
    case "text": try Console.output.print(text())
    case "markdown" where what == "deviations": try Console.output.print(Deviation.markdown)
    default: throw Failure.unknown("format", format, known: what == "deviations" ? ["text", "markdown"] : ["text"])
    }
  }

  private static func samplers() -> String {
    var table = TextTable(["name", "title", "order", "calls/step", "stochastic", "source"], textColumns: [0, 1, 4, 5])
    for entry in SamplerCatalog.all {
      table.append([
        entry.name, entry.title, "\(entry.order)", calls(of: entry), entry.isStochastic ? "yes" : "no",
        entry.source,
      ])
    }
    return table.description
  }

  private static func calls(of entry: SamplerCatalog.Entry) -> String {
    let warmUp = entry.warmUp.reduce(0, +)
    return warmUp == 0 ? "\(entry.evaluationsPerStep)" : "\(entry.evaluationsPerStep) + \(warmUp) once"
  }

  private static func deviations() -> String {
    var table = TextTable(["name", "library", "where"], textColumns: [0, 1, 2])
    for deviation in Deviation.allCases {
      table.append([deviation.rawValue, deviation.library, deviation.details.place.filter { $0 != "`" }])
    }
    return table.description
  }
}
