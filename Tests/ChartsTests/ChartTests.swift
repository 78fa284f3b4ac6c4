import Foundation
import Testing

@testable import SchedulersCharts

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct `A chart` {
  private static func chart(
    _ points: [(x: Double, y: Double)], scale: Axis.Scale = .logarithmic, hasDots: Bool = false
  ) -> Chart {
    Chart(
      title: "Errors", subtitle: "seed 7", x: Axis("calls", scale: .linear, spanning: points.map(\.x)),
      y: Axis("error", scale: scale, spanning: points.map(\.y)), series: [Chart.Series(name: "DDIM", points: points)],
      hasDots: hasDots)
  }

  @Test func `says its title, its settings and its lines to those who do not see it`() throws {
    let document = try XMLDocument(data: Data(Self.chart([(0, 1), (1, 10)]).document.utf8))
    let root = try #require(document.rootElement())
    #expect(root.text(of: "role") == "img")
    #expect(root.text(of: "aria-label") == "Errors")
    // A reader looks for both before what is drawn.
    #expect(root.children?.prefix(2).map(\.name) == ["title", "desc"])
    #expect(root.children?.first?.stringValue == "Errors")
    #expect(root.elements(forName: "desc").first?.stringValue == "seed 7. error over calls; lines: DDIM")
    #expect(root.elements(forName: "text").contains { $0.stringValue == "seed 7" })
  }

  @Test(arguments: [
    ([1.0, 100], [0.9, 2, 3, 4, 5, 6, 7, 8, 9, 20, 30, 40, 50, 60, 70, 80, 90].dropFirst()),
    // Of many decades the powers of ten alone, every second of which is written.
    ([1e-20, 1], stride(from: -19, through: -1, by: 2).map { pow(10, Double($0)) }[...]),
    // Of less than a decade even steps.
    ([0.72, 0.88], [0.72, 0.73, 0.74, 0.76, 0.77, 0.78, 0.79, 0.81, 0.82, 0.83, 0.84, 0.86, 0.87, 0.88][...]),
  ])
  func `has small ticks on a logarithmic axis, where no others are`(_ values: [Double], _ expected: ArraySlice<Double>)
  {
    let axis = Axis("", scale: .logarithmic, spanning: values)
    for value in expected {
      let isThere = (axis.minorTicks + axis.ticks).contains { abs($0 - value) < 1e-9 * value }
      #expect(isThere, "\(value) is not among \(axis.minorTicks)")
    }
    #expect(axis.minorTicks.allSatisfy { minor in !axis.ticks.contains { abs($0 - minor) < 1e-9 * minor } })
    #expect(axis.minorTicks.allSatisfy(axis.range.contains) && axis.minorTicks.count > 5)
    #expect(Axis("", scale: .linear, spanning: values).minorTicks.isEmpty)
  }

  @Test func `marks the points that a logarithmic axis has no place for, and counts them`() {
    let document = Self.chart([(0, 1), (1, 0), (2, -3), (3, 10), (4, 20)]).document
    #expect(document.contains(">DDIM, 2 of 0 or less</text>") && document.contains(">0 or less: off the scale</text>"))
    // Triangles: two at the foot and one in the legend. Their ways lead back to the start.
    let ways = document.split(separator: "\"").filter { $0.hasPrefix("M") }.map {
      $0.dropFirst().components(separatedBy: " L")
    }
    #expect(ways.filter { $0.count == 4 && $0[0] == $0[3] }.count == 3)
    #expect(!Self.chart([(0, 1), (1, 10)]).document.contains("off the scale"))
    #expect(!Self.chart([(0, 1), (1, -10)], scale: .linear).document.contains("off the scale"))
  }

  @Test func `has a gap where a point is left out, and a dot for a point between gaps`() {
    let document = Self.chart([(0, 1), (1, 2), (2, .nan), (3, 4), (4, -1), (5, 3), (6, 2)]).document
    let lines = document.split(separator: "\n").filter { $0.contains("#0072B2") && $0.contains("stroke-width=\"3\"") }
    // Two parts, and the line of the legend.
    #expect(lines.count == 3 && lines.allSatisfy { $0.components(separatedBy: " L").count == 2 })
    #expect(document.components(separatedBy: "<circle").count == 2)
  }

  @Test func `is the same picture as PNG, twice as large`() throws {
    let chart = Self.chart([(0, 1), (1, 10), (2, 1)], hasDots: true)
    let document = try XMLDocument(data: Data(chart.document.utf8))
    let size = ["width", "height"].map { document.rootElement()?.text(of: $0) }
    let picture = try PNG.decode(chart.png())
    #expect(size == ["\(picture.width / 2)", "\(picture.height / 2)"])
    // The second point is a dot at the middle of the top; the axis runs from x = 78 to 640.
    let top = picture.pixels.indices.filter { $0 % picture.width == 78 + 640 }
    #expect(top.contains { picture.pixels[$0] < 128 })
    // Blue is dark grey, and its corner is paper.
    #expect(picture[0, 0] == 255 && picture.pixels.contains { $0 < 100 })
  }

  @Test func `draws lines, dashes, dots and letters where SVG would`() throws {
    var raster = Raster(width: 40, height: 20)
    raster.line((5, 5), (35, 5), color: "#000", width: 2)
    raster.line((5, 10), (35, 10), color: "#000000", width: 2, dash: "5 5")
    raster.dot((20, 15), radius: 2, color: "black")
    raster.text("−", at: (2, 20), size: 12)
    let picture = try PNG.decode(raster.png())
    #expect(picture.width == 80 && picture.height == 40)
    #expect(picture[40, 9] == 0 && picture[40, 10] == 0 && picture[40, 6] == 255 && picture[75, 9] == 255)
    #expect(picture[14, 20] == 0 && picture[24, 20] == 255 && picture[34, 20] == 0 && picture[44, 20] == 255)
    #expect(picture[40, 30] == 0 && picture[40, 35] == 255 && picture[46, 30] == 255)
    #expect(picture[4, 32] == 0 && picture[4, 30] == 255)
    // What lies outside is left out.
    raster.line((-50, 5), (90, -5), color: "#fff", width: 3)
    raster.dot((-5, 90), radius: 3, color: "#fff")
    raster.text("far away", at: (39, 2), style: TextStyle(isUpright: true))
    #expect(try PNG.decode(raster.png()).width == 80)
  }

  @Test func `has letters for all signs of its axes`() {
    let box = Font.rows(of: "\n")
    #expect("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−·×–→".unicodeScalars.allSatisfy { Font.rows(of: $0) != box })
  }
}

extension XMLElement {
  /// The text of an attribute. `attribute(forName:)` finds none in a document with a namespace.
  fileprivate func text(of name: String) -> String? { attributes?.first { $0.name == name }?.stringValue }
}
