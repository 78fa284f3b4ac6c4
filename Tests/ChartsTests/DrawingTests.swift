import Foundation
import Testing

@testable import SchedulersCharts

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct Drawing {
  @Test func `The font has a letter of its own for every printable character`() {
    let letters = (33...126).compactMap { Unicode.Scalar(UInt8($0)) }
    let shapes = letters.map { Font.rows(of: $0) + [UInt8(Font.descent(of: $0))] }
    #expect(shapes.allSatisfy { $0.count == Font.height + 1 && $0.allSatisfy { $0 < 32 } && $0.contains { $0 != 0 } })
    #expect(Set(shapes).count == letters.count)
    #expect(Font.rows(of: " ") == Array(repeating: 0, count: 7))
    #expect(Font.rows(of: "é") == Font.rows(of: "\n"))
  }

  @Test func `A picture survives the way through a PNG`() throws {
    let picture = Picture(width: 37, height: 7, pixels: (0..<259).map { UInt8($0 % 256) })
    #expect(try PNG.decode(PNG.encode(picture)) == picture)
  }

  @Test func `A truncated PNG is refused`() throws {
    let whole = try PNG.encode(Picture(width: 8, height: 8))
    for length in 0..<whole.count - 12 {
      #expect(throws: PNG.Failure.self) { try PNG.decode(whole.prefix(length)) }
    }
  }

  @Test func `Grey and value are inverses, with what is beyond cut off and NaN as paper`() {
    #expect((0...255).allSatisfy { Picture.grey(Picture.value(Double($0))) == $0 })
    #expect([-2, -1, 1, 2, .infinity, -.infinity, .nan].map(Picture.grey) == [255, 255, 0, 0, 0, 255, 255])
  }

  @Test func `Drawing outside a picture changes nothing`() {
    var picture = Picture(width: 4, height: 4)
    picture.fill(x: -9, y: -9, width: 5, height: 5, grey: 0)
    picture.fill(x: 9, y: 2, width: 5, height: 5, grey: 0)
    #expect(picture == Picture(width: 4, height: 4))
  }

  @Test func `A chart is well-formed XML with one path for each line`() throws {
    let lines = ["a < b & \"c\"", "d"].map { Chart.Series(name: $0, points: [(1, 1), (10, .nan), (100, 0.001)]) }
    let chart = Chart(
      title: "<&>", subtitle: "seed \"0\" & more", x: Axis("x", scale: .logarithmic, spanning: [1, 100]),
      y: Axis("y", scale: .logarithmic, spanning: [1, 0.001, .nan, 0]), series: lines, hasDots: true)
    let parser = XMLParser(data: Data(chart.document.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(!chart.document.contains("nan") && !chart.document.contains("inf"))
  }

  @Test func `A guide is a dotted path with its name`() {
    func document(_ guides: [Chart.Series]) -> String {
      Chart(
        title: "", subtitle: "", x: Axis("", scale: .linear, spanning: [0, 1]),
        y: Axis("", scale: .linear, spanning: [0, 1]),
        series: [Chart.Series(name: "a", points: [(0, 0), (1, 1)])], guides: guides
      ).document
    }
    // Of its points, the last lies beyond the axes.
    let guided = document([Chart.Series(name: "N⁻²", points: [(0, 1), (1, 0), (2, 0)])])
    #expect(guided.contains(">N⁻²</text>"))
    #expect(guided.components(separatedBy: "1.5 4").count == 2)
    #expect(!document([]).contains("1.5 4"))
  }

  @Test func `Axes have round ticks that span their numbers`() {
    let unit = Axis("", scale: .linear, spanning: [0, 1])
    #expect(unit.ticks.map(unit.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
    #expect(Axis("", scale: .logarithmic, spanning: [5, 100]).ticks == [5, 10, 20, 50, 100])
    // Of less than a decade, where powers of ten and their halves are too few.
    let short = Axis("", scale: .logarithmic, spanning: [0.62, 0.91])
    #expect(short.ticks.map(short.label) == ["0.7", "0.8", "0.9"])
    #expect(Axis("", scale: .logarithmic, spanning: [0.7]).ticks.count > 2)
    let empty: [Double] = []
    #expect(!Axis("", scale: .linear, spanning: empty).ticks.isEmpty)
    let single = Axis("", scale: .linear, spanning: [3])
    #expect(single.range.contains(3))
    #expect(Axis("", scale: .logarithmic, spanning: [1e-9, 1]).label(1e-6) == "10⁻⁶")
  }
}
