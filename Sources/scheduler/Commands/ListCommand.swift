import ArgumentParser
import Schedulers

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Prints the samplers and what is declared of them.")

  func run() throws {
    var table = TextTable(["name", "title", "order", "calls/step", "stochastic", "source"], textColumns: [0, 1, 4, 5])
    for entry in SamplerCatalog.all {
      table.append([
        entry.name, entry.title, "\(entry.order)", "\(entry.evaluationsPerStep)", entry.isStochastic ? "yes" : "no",
        entry.source,
      ])
    }
    try Console.output.print(table.description)
  }
}
