import ArgumentParser
import Foundation
import Schedulers

struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Prints the arrays of a schedule, one value for each timestep.",
    discussion: "Numbers are the shortest decimals that read back as the same Double.")

  @OptionGroup var process: ScheduleOptions

  @Option(
    help: "An array to print, by its name in NoiseSchedule; may be repeated or separated by commas. (default: all)")
  var table: [String] = []

  @Option(help: "text, csv or json. In JSON infinities are the strings \"inf\" and \"-inf\".")
  var format = "text"

  func run() throws {
    let tables = try chosenTables()
    guard ["text", "csv", "json"].contains(format) else {
      throw Failure.unknown("format", format, known: ["text", "csv", "json"])
    }
    let schedule = try process.make()
    let columns = tables.map { $0.values(schedule) }
    let header = ["t"] + tables.map(\.name)
    let rows = (0..<schedule.timesteps).lazy.map { t in ["\(t)"] + columns.map { "\($0[t])" } }
    switch format {
    case "csv":
      try Console.output.print(([header] + rows).map { $0.joined(separator: ",") + "\n" }.joined())
    case "json":
      let arrays = Dictionary(uniqueKeysWithValues: zip(tables.map(\.name), columns))
      try Console.output.print(JSON.text(arrays))
    default:
      var text = TextTable(header)
      for row in rows { text.append(row) }
      try Console.output.print(text.description)
    }
  }

  private func chosenTables() throws(Failure) -> [NoiseSchedule.Table] {
    let names = table.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    if names.isEmpty { return NoiseSchedule.tables }
    var chosen: [NoiseSchedule.Table] = []
    for name in names {
      guard let table = NoiseSchedule.tables.first(where: { $0.name == name }) else {
        throw Failure.unknown("table", name, known: NoiseSchedule.tables.map(\.name))
      }
      guard !chosen.contains(where: { $0.name == name }) else {
        throw Failure("--table \(name) is given twice; name each table once")
      }
      chosen.append(table)
    }
    return chosen
  }
}
