import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// The tables of `Docs/Accuracy.md`, measured anew: this library's errors by its own suites'
/// comparison, the others' from their fixtures. `make accuracy` writes them.
@Suite struct AccuracyReportTests {
  private struct Entry: Decodable {
    let error: Double
    let `case`: String
    let timestep: Int
  }

  /// The name, the error and the columns about others of a row of a table.
  private struct Line {
    let name: String
    let ulps: Double
    let others: [String]
  }

  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../..").standardizedFileURL
  private static let page = package.appendingPathComponent("Docs/Accuracy.md")
  private static let isWriting = ProcessInfo.processInfo.environment["SCHEDULERS_WRITE_ACCURACY"] != nil

  @Test func `Docs/Accuracy.md shows what is measured`() throws {
    // C libraries differ in the last bits of a logarithm, so this library's own errors may differ
    // by half an ulp, and be elsewhere.
    for (shown, measured) in try Self.shownAndMeasured("tables", Self.tables()) {
      #expect(
        abs(shown.ulps - measured.ulps) <= 0.5,
        "\(shown.name): \(shown.ulps) ulps in the document, \(measured.ulps) measured")
    }
    // The page has what `make rows` measures; the suite alone has a part of that.
    for (shown, measured) in try Self.shownAndMeasured("rows", Self.rowTable()) {
      let isPart = ProcessInfo.processInfo.environment["SCHEDULERS_ROWS"] == nil
      #expect(
        measured.ulps <= shown.ulps + 0.5 && (isPart || measured.ulps >= shown.ulps - 0.5),
        "\(shown.name): \(shown.ulps) ulps in the document, \(measured.ulps) measured")
    }
    try Self.checkList()
  }

  /// The list of the page's errors that a column of `Docs/Samplers.md` is made from.
  private static func checkList() throws {
    let file = package.appendingPathComponent("Sources/scheduler/Commands/RowErrors.swift")
    let text = try String(contentsOf: file, encoding: .utf8)
    let shown = try lines(part("rows", of: String(contentsOf: page, encoding: .utf8)).text)
    let list = shown.map { "    \"\($0.name.dropFirst().dropLast())\": \"\(ulps($0.ulps))\",\n" }.joined()
    let start = try #require(text.range(of: "= [\n")?.upperBound)
    let end = try #require(text.range(of: "  ]\n")?.lowerBound)
    if isWriting {
      try Data((text[..<start] + list + text[end...]).utf8).write(to: file, options: .atomic)
    } else {
      #expect(text[start..<end] == list, "run `make accuracy` and look at what has changed")
    }
  }

  /// The lines that a part of the page has, and those of the table that belongs there, which is
  /// written first if it is to be.
  private static func shownAndMeasured(_ name: String, _ table: String) throws -> [(Line, Line)] {
    let text = try String(contentsOf: page, encoding: .utf8)
    let (range, part) = try part(name, of: text)
    let measured = lines(table)
    if isWriting {
      try Data(text.replacingCharacters(in: range, with: table).utf8).write(to: page, options: .atomic)
      return []
    }
    let shown = lines(part)
    try #require(shown.count == measured.count)
    for (a, b) in zip(shown, measured) {
      #expect(a.name == b.name && a.others == b.others, "run `make accuracy` and look at what has changed")
    }
    return Array(zip(shown, measured))
  }

  /// What stands between two marks of the page.
  private static func part(_ name: String, of text: String) throws -> (range: Range<String.Index>, text: String) {
    let start = try #require(text.range(of: "<!-- \(name) -->\n")?.upperBound)
    let end = try #require(text.range(of: "<!-- end of \(name) -->")?.lowerBound)
    return (start..<end, String(text[start..<end]))
  }

  /// The rows with numbers.
  private static func lines(_ table: String) -> [Line] {
    table.split(separator: "\n").compactMap { line in
      let cells = line.components(separatedBy: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 7, let ulps = Double(cells[2]) else { return nil }
      return Line(name: cells[1], ulps: ulps, others: Array(cells[4...5]))
    }
  }

  private static func tables() throws -> String {
    let others = try Fixtures.json("reference-errors.json", as: [String: [String: Entry]].self)
    let linear = try #require(others["guided-diffusion, linear, ulps"])
    let cosine = try #require(others["guided-diffusion, cosine, ulps"])
    let single = try #require(others["diffusers, float32, relative"])
    let ours = try TruthTests.worstErrors()
    var lines = [
      "| table | this library, ulps | where | guided-diffusion (NumPy float64), ulps: linear, cosine | diffusers "
        + "float32, relative |",
      "|---|---|---|---|---|",
    ]
    for table in NoiseSchedule.tables {
      let name = table.name
      let own = try #require(ours[name])
      func cell(_ entry: Entry?) -> String { entry.map { "\(brief($0.error)) (\($0.case), t = \($0.timestep))" } ?? "" }
      let guided = [linear[name], cosine[name]].compactMap { $0 }.map { cell($0) }.joined(separator: "; ")
      lines.append(
        "| `\(name)` | \(ulps(own.ulps)) | "
          + "\(own.place.replacingOccurrences(of: ", \(name)", with: "")) | \(guided) | \(cell(single[name])) |"
      )
    }
    return "\n" + lines.joined(separator: "\n") + "\n\n"
  }

  private static func rowTable() throws -> String {
    let others = try Fixtures.json("row-errors.json", as: [String: [String: Double]].self)
    let kDiffusion = try #require(others["k-diffusion, float64"])
    let diffusers = try #require(others["diffusers, float32"])
    var lines = [
      "| sampler | this library, ulps | where | k-diffusion float64, ulps | diffusers float32, ulps of a Double |",
      "|---|---|---|---|---|",
    ]
    for entry in SamplerCatalog.all {
      let worst = try #require(RowTests.worstErrors(of: entry).values.max { $0.ulps < $1.ulps })
      let place = worst.place.replacingOccurrences(of: "\(entry.name) on ", with: "")
      let cells = [kDiffusion, diffusers].map { $0[entry.name].map(brief) ?? "" }
      lines.append("| `\(entry.name)` | \(ulps(worst.ulps)) | \(place) | \(cells[0]) | \(cells[1]) |")
    }
    return "\n" + lines.joined(separator: "\n") + "\n\n"
  }

  private static func ulps(_ number: Double) -> String { String(format: "%.2f", number) }
  private static func brief(_ number: Double) -> String { String(format: "%.3g", number) }
}
