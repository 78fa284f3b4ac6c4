import Schedulers
import SchedulersInterop

/// What other programs call samplers and spacings, as `scheduler list names` prints it.
enum NameTables {
  private typealias Row = (name: String, here: String, flow: String, spacing: String, note: String)

  private static let samplers: [Row] = SamplerName.all.map { name in
    func text(_ sampler: (any Sampler)?) -> String {
      guard let sampler else { return "" }
      let entry = SamplerCatalog.all.first { "\($0.sampler)" == "\(sampler)" }
      return entry?.name ?? "\(sampler)".replacing("Schedulers.", with: "")
    }
    let (here, flow) = (text(name.sampler), text(name.flowSampler))
    return (name.text, here, here == flow && !flow.isEmpty ? "the same" : flow, name.spacing ?? "", name.note)
  }

  private static let spacings: [Row] = SpacingName.all.map { name in
    (name.text, name.spacing?.name ?? "", name.flow?.name ?? "", "", name.note)
  }

  static func text() -> String {
    var table = TextTable(["name", "here", "on rectified flow", "spacing", "note"], textColumns: [0, 1, 2, 3, 4])
    for row in samplers + spacings { table.append([row.name, row.here, row.flow, row.spacing, row.note]) }
    return table.description
  }

  /// The page Docs/Names.md.
  static func markdown() -> String {
    func table(_ rows: [Row], _ titles: [String], _ cells: (Row) -> [String]) -> String {
      let lines = [titles, titles.map { _ in "---" }] + rows.map(cells)
      return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }
    func code(_ text: String) -> String { text.isEmpty || text == "the same" ? text : "`\(text)`" }
    return """
      # Names

      Made by `scheduler list names --format markdown`. What programs that draw pictures call a sampler and a
      spacing, and what that is here. Both stand for themselves in `--sampler comfyui:dpmpp_2m_sde --spacing
      comfyui:karras`, in the requests of [C.md](C.md) and in Python.

      A sampler of the catalog is named; one with other options is written as in Swift. *On rectified flow* is the
      one whose steps are the program's there, if one is. Where the note is empty, the steps are the same: for
      ComfyUI's names, `ComfyUIRunTests` compares runs of its own functions. Classes of diffusers have no names
      here, as their files are read ([Deviations.md](Deviations.md)).

      ## Samplers


      """
        + table(samplers, ["name", "here", "on rectified flow", "with spacing", "note"]) {
          [code($0.name), code($0.here), code($0.flow), code($0.spacing), $0.note]
        }
        + "\n## Spacings\n\n"
        + table(spacings, ["name", "here", "on rectified flow", "note"]) {
          [code($0.name), code($0.here), code($0.flow), $0.note]
        }
  }
}
