import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// The tables of `Docs/Accuracy.md`, measured anew: this library's errors by its own suites'
/// comparison, the others' from their fixture.
@Suite struct AccuracyReportTests {
  private struct Entry: Decodable {
    let error: Double
    let `case`: String
    let timestep: Int
  }

  @Test func `Docs/Accuracy.md shows what is measured`() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../Docs/Accuracy.md").standardizedFileURL
    let text = try String(contentsOf: page, encoding: .utf8)
    let start = try #require(text.range(of: "<!-- tables -->\n"))
    let end = try #require(text.range(of: "<!-- end of tables -->"))
    let tables = try Self.tables()
    if ProcessInfo.processInfo.environment["SCHEDULERS_WRITE_ACCURACY"] != nil {
      let written = text[..<start.upperBound] + tables + text[end.lowerBound...]
      try Data(written.utf8).write(to: page, options: .atomic)
    } else {
      // C libraries differ in the last bits of a logarithm, so this library's own errors may differ
      // by half an ulp, and be elsewhere.
      let (shown, measured) = (Self.rows(text[start.upperBound..<end.lowerBound]), Self.rows(tables[...]))
      try #require(shown.count == measured.count)
      for (a, b) in zip(shown, measured) {
        #expect(a.name == b.name && a.others == b.others, "run `make accuracy` and look at what has changed")
        #expect(abs(a.ulps - b.ulps) <= 0.5, "\(a.name): \(a.ulps) ulps in the document, \(b.ulps) measured")
      }
    }
  }

  /// The name, the error and the columns about others of each row with numbers.
  private static func rows(_ table: Substring) -> [(name: String, ulps: Double, others: [String])] {
    table.split(separator: "\n").compactMap { line in
      let cells = line.components(separatedBy: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 7, let ulps = Double(cells[2]) else { return nil }
      return (cells[1], ulps, Array(cells[4...5]))
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
        "| `\(name)` | \(String(format: "%.2f", own.ulps)) | "
          + "\(own.place.replacingOccurrences(of: ", \(name)", with: "")) | \(guided) | \(cell(single[name])) |"
      )
    }
    return "\n" + lines.joined(separator: "\n") + "\n\n"
  }

  private static func brief(_ number: Double) -> String { String(format: "%.3g", number) }
}
