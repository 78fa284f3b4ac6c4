import ArgumentParser
import Schedulers
import SchedulersInterop

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Prints the samplers, or where other libraries deviate from the papers.")

  @Argument(help: "samplers or deviations.")
  var what = "samplers"

  @Option(help: "text or markdown.")
  var format = "text"

  func run() throws {
    guard let text = ["samplers": Self.samplers, "deviations": Self.deviations][what] else {
      throw Failure.unknown("list", what, known: ["samplers", "deviations"])
    }
    switch format {
    case "text": try Console.output.print(text())
    case "markdown": try Console.output.print(what == "deviations" ? Self.deviationsInMarkdown() : Self.samplersInMarkdown())
    default: throw Failure.unknown("format", format, known: ["text", "markdown"])
    }
  }

  private static func samplers() -> String {
    var table = TextTable(["name", "title", "order", "calls", "stochastic", "source"], textColumns: [0, 1, 3, 4, 5])
    for entry in SamplerCatalog.all {
      table.append([
        entry.name, entry.title, "\(entry.order)", entry.calls, entry.isStochastic ? "yes" : "no",
        entry.source,
      ])
    }
    return table.description
  }

  /// The page Docs/Deviations.md.
  private static func deviationsInMarkdown() -> String {
    let header = """
      # Deviations

      Where well-known libraries do something else than the papers say. Reading a `scheduler_config.json` with `fidelity: .diffusers`
      reproduces those of diffusers; `.corrected`, the default, has none of them. `DiffusersConfiguration.deviations(steps:)` says which
      apply. Numbers are those of `Fixtures/Data/diffusers-deviations.json`, which diffusers made; a *perfect network* is one that knows
      the datum behind every sample. Every deviation has a test of that name in `Tests/SchedulersTests/Interop`.

      `scheduler list deviations --format markdown` prints this document.

      """
    let entries = Deviation.all.map { deviation in
      let rows = [
        "## `\(deviation.name)`", "", "*\(deviation.libraries.joined(separator: ", ")): \(deviation.place)*", "",
        deviation.what, "", "Effect: \(deviation.effect)",
      ]
      let issue = deviation.issue.map { ["", "Discussed in <https://github.com/\($0)>."] } ?? []
      return (rows + issue).joined(separator: "\n")
    }
    return header + "\n" + entries.joined(separator: "\n\n") + "\n"
  }

  /// The page Docs/Samplers.md.
  private static func samplersInMarkdown() throws -> String {
    var lines = [
      "# Samplers", "",
      "Made by `scheduler list samplers --format markdown` from `SamplerCatalog`, to whose declarations the tests hold every sampler.",
      "",
      "N is the number of steps. An error falls as N to the power of −order; of samplers that draw noise, the order is that of the variance",
      "of the result, and 0 says that it does not fall, as with distilled networks. *Kept* are the tensors that a run holds beside the",
      "sample and the network's output. What a step costs in time is in [Benchmarks.md](Benchmarks.md); how the steps may lie and what else",
      "is to be chosen, in the article *Choosing a sampler* of the documentation (`make docs`).", "",
      "![Error against model calls](Images/error.svg)", "",
      "`scheduler plot error`: how far each ODE sampler ends from the exact solution, on the Gaussian fitted to the digits.",
      "",
      "![Digits drawn by all samplers](Images/samplers.png)", "",
      "`scheduler sample --sampler all --steps 24 --count 16`: the same sixteen noises, with the exact denoiser of the digits, and as many calls for",
      "each. ODE samplers agree; what draws noise goes its own way. LCM, TCD and consistency models are for distilled networks, which this one is not.",
      "",
      "| name | sampler | order | calls | noise | kept | take it | source |", "|---|---|---|---|---|---|---|---|",
    ]
    let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 1000), steps: 12, spacing: .trailing)
    for entry in SamplerCatalog.all {
      let steps = try entry.plan(over: grid, predicting: .v).steps
      let kept = [steps.map(\.next.samples.count).max()!, steps.map(\.next.estimates.count).max()!].reduce(0) {
        $0 + max($1, 1) - 1
      }
      let cells = [
        "`\(entry.name)`", entry.title, "\(entry.order)", entry.calls, entry.isStochastic ? "yes" : "no", "\(kept)", entry.use,
        "<\(entry.source)>",
      ]
      lines.append("| " + cells.joined(separator: " | ") + " |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func deviations() -> String {
    var table = TextTable(["name", "library", "where"], textColumns: [0, 1, 2])
    for deviation in Deviation.all {
      table.append([
        deviation.name, deviation.libraries.joined(separator: ", "), deviation.place.filter { $0 != "`" },
      ])
    }
    return table.description
  }
}
