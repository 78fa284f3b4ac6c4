import ArgumentParser
import Schedulers
import SchedulersInterop

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Prints the samplers, the presets, or where other libraries deviate from the papers."
  )

  @Argument(
    help: """
      samplers, deviations, presets: released models for `scheduler plan --preset`, or names: what other programs call \
      samplers and spacings.
      """)
  var what = "samplers"

  @Option(help: "text, markdown, or of samplers docc, the table of the article Choosing a sampler.")
  var format = "text"

  func run() throws {
    let texts = [
      "samplers": ["text": Self.samplers, "markdown": Self.samplersInMarkdown, "docc": Self.samplersInArticle],
      "deviations": ["text": Self.deviations, "markdown": Self.deviationsInMarkdown],
      "presets": ["text": Self.presets],
      "names": ["text": NameTables.text, "markdown": NameTables.markdown],
    ]
    guard let formats = texts[what] else { throw Failure.unknown("list", what, known: texts.keys.sorted().reversed()) }
    guard let text = formats[format] else {
      throw Failure.unknown("format", format, known: ["text", "markdown", "docc"].filter { formats[$0] != nil })
    }
    try Console.output.print(text())
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

      Where well-known libraries do something else than the papers say. Reading a `scheduler_config.json` with \
      `fidelity: .diffusers`
      reproduces those of diffusers; `.corrected`, the default, has none of them. \
      `DiffusersConfiguration.deviations(steps:)` says which
      apply. Numbers are those of `Fixtures/Data/diffusers-deviations.json`, which diffusers made; a *perfect network* \
      is one that knows
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

  /// What to take, for somebody who comes new: ten lines.
  private static let newcomers = """
    | what you do | take | calls |
    | --- | --- | --- |
    | draw from a network of epsilon or v, as Stable Diffusion 1 to XL | `dpm++2m`, spacing `karras` | 20 to 30 |
    | draw from a network of rectified flow, as Stable Diffusion 3 or Flux | `euler`, spacing `flow` | 20 to 30 |
    | have few calls, and little guidance | `unipc` | 5 to 12 |
    | want noise in the run, for more detail | `dpm++2m-sde` | 25 and more |
    | repeat what others drew by Euler a | `euler-ancestral`; `euler-ancestral-rf` on rectified flow | theirs |
    | compare with published numbers | `ddim`, or `ddpm` with all steps | 50, 1000 |
    | need the exact solution of the ODE | `heun`, or `dpm++3m` without guidance | 100 and more |
    | have a distilled network | `lcm`, `tcd` or `consistency`, as it was distilled | 1 to 8 |
    | edit a picture | `ddim-inversion`, then `ddim` | 50 |
    | fill in a part of one | `repaint` | hundreds |

    """

  /// The page Docs/Samplers.md.
  private static func samplersInMarkdown() -> String {
    """
    # Samplers

    Made by `scheduler list samplers --format markdown` from `SamplerCatalog`, to whose declarations the tests hold
    every sampler.

    \(newcomers)
    N is the number of steps. An error falls as N to the power of −order. For samplers that draw noise, the order is
    that of the variance of the result. Order 0 says that the error does not fall, as with distilled networks. *Kept*
    are the tensors that a run holds beside the sample and the network's output. *Pure noise* says whether a run may
    start without signal, or an inversion end there. *Goes by* says what the steps follow from: from sigma alone, so
    that the runs on two paths are one run, scaled; from the path too; or from timesteps. *Ulps* says how far a
    coefficient of a plan is at most from that of the same method on the exact process, as
    [Accuracy.md](Accuracy.md) measures it. What a step costs in time is in [Benchmarks.md](Benchmarks.md). How the
    steps may lie, and what else is to be chosen, is in the article *Choosing a sampler* of the documentation
    (`make docs`).

    ![Error against model calls](Images/error.svg)

    `scheduler plot error --spacing exponential --sigma-min 0.001 --output error.svg`: how far six ODE samplers end from
    the exact solution, on the Gaussian fitted to the digits. Dotted: the slopes of their orders. With `--sampler all`
    the command draws all ODE samplers, and with a list those in it.

    ![Digits drawn by all samplers](Images/samplers.png)

    `scheduler sample --sampler all --steps 24 --count 16`: the same sixteen noises, with the exact denoiser of the
    digits, and as many calls for each. ODE samplers agree; what draws noise goes its own way. Samplers of order 0 are
    for distilled networks, which this one is not. RePaint is missing, as it has nothing to fill in.


    """
      + markdownTable([
        ("name", { "`\($0.name)`" }), ("sampler", \.title), ("order", { "\($0.order)" }), ("calls", \.calls),
        ("noise", noise), ("kept", { "\($0.keptSamples + $0.keptEstimates)" }),
        ("pure noise", { $0.needsSignal ? "no" : "yes" }),
        ("goes by", { $0.readsTimesteps ? "timesteps" : $0.followsPath ? "path" : "sigma" }),
        ("ulps", { RowErrors.ulps[$0.name] ?? "" }), ("take it", \.use), ("source", { "<\($0.source)>" }),
      ])
  }

  /// The table of the article *Choosing a sampler*.
  private static func samplersInArticle() -> String {
    markdownTable([
      ("name", { "`\($0.name)`" }), ("sampler", \.title),
      ("type", { "\(type(of: $0.sampler))".split { "<>".contains($0) }.map { "``\($0)``" }.joined(separator: " of ") }),
      ("order", { "\($0.order)" }), ("calls", \.calls), ("draws noise", noise),
      ("starts at pure noise", { $0.needsSignal ? "no" : "yes" }), ("take it", \.use),
    ])
  }

  private static func noise(_ entry: SamplerCatalog.Entry) -> String {
    entry.isStochastic ? "yes" : entry.sampler is any EtaSampler ? "if eta > 0" : "no"
  }

  private static func markdownTable(_ columns: [(title: String, cell: (SamplerCatalog.Entry) -> String)]) -> String {
    let rows =
      [columns.map(\.title), columns.map { _ in "---" }]
      + SamplerCatalog.all.map { entry in columns.map { $0.cell(entry) } }
    return rows.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
  }

  private static func presets() -> String {
    var table = TextTable(["name", "model", "scheduler", "steps", "tokens"], textColumns: [0, 1, 2])
    for preset in ModelPreset.all {
      let tokens = preset.tokens.map { "\($0)" } ?? ""
      table.append([preset.name, preset.model, preset.configuration.className, "\(preset.steps)", tokens])
    }
    return table.description
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
