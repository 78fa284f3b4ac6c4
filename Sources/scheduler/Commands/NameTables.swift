import Schedulers
import SchedulersInterop

/// What other programs call samplers and spacings, as `scheduler list names` prints it.
enum NameTables {
  private typealias Row = (name: String, here: String, flow: String, spacing: String, note: String)

  private static let samplers: [Row] = SamplerName.all.map { name in
    let (here, flow) = (name.sampler.map(text) ?? "", name.flowSampler.map(text) ?? "")
    return (
      name.text, here, here == flow && !flow.isEmpty ? "the same" : flow, name.spacing ?? "",
      [name.note, name.flowNote].filter { !$0.isEmpty }.joined(separator: "; ")
    )
  }

  /// The name of a sampler; where it has other options than the catalog's, with those.
  private static func text(_ sampler: any Sampler) -> String {
    if let entry = SamplerCatalog.entry(of: sampler) { return entry.name }
    let options = options(of: sampler)
    let likes = SamplerCatalog.all.filter { type(of: $0.sampler) == type(of: sampler) }.map { entry in
      (name: entry.name, other: options.filter { Self.options(of: entry.sampler)[$0.key] != $0.value })
    }
    guard let nearest = likes.min(by: { $0.other.count < $1.other.count }) else { return "\(sampler)" }
    return ([nearest.name] + nearest.other.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })
      .joined(separator: ", ")
  }

  private static func options(of sampler: any Sampler) -> [String: String] {
    Mirror(reflecting: sampler).children.reduce(into: [:]) { $0[$1.label ?? ""] = "\($1.value)" }
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

      A sampler of the catalog is named; one with other options has those behind its name. *On rectified flow* is the
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
