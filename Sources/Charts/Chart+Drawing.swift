import Foundation

extension Chart {
  // Okabe and Ito's colours, which stay apart for colour-blind eyes; their yellow is too pale for
  // lines on white.
  private static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
  // Lines may lie on one another: each is drawn thinner and more broken than the one below, so that
  // all can be seen.
  private static let dashes = ["", "10 5", "3 4", "12 4 2 4", "6 6"]

  private static let markColor = "#B00020"
  private static let guideColor = "#666"

  /// The height of a line of the legend.
  private static let legendLine = 22
  /// How far the marks of values of 0 and less lie from the foot and from each other.
  private static let markLine = 9.0

  /// As wide and as high as the legend and the subtitle need.
  private var size: (width: Double, height: Double) {
    let legend = series.count + (hasHidden ? 1 : 0)
    let width = max(900, 720 + 7 * (legendTexts.map(\.count).max() ?? 0), 98 + 7 * subtitle.count)
    return (Double(width), Double(max(540, 100 + legend * Self.legendLine)))
  }

  /// The chart as an SVG document.
  public var document: String {
    let (width, height) = size
    var drawing = SVG(width: width, height: height, title: title, description: text)
    draw(on: &drawing)
    return drawing.document
  }

  /// The chart as a PNG file, with twice as many pixels each way as the SVG document is large.
  ///
  /// - Throws: an error with a description of one line if the memory does not suffice.
  public func png() throws -> Data {
    let (width, height) = size
    var drawing = Raster(width: width, height: height)
    draw(on: &drawing)
    return try drawing.png()
  }

  /// What it shows, in words, for those who do not see it.
  private var text: String {
    let lines = series.map(\.name).joined(separator: ", ")
    let rest = guides.isEmpty ? "" : "; dotted: \(guides.map(\.name).joined(separator: ", "))"
    return "\(subtitle.isEmpty ? "" : "\(subtitle). ")\(y.title) over \(x.title); lines: \(lines)\(rest)"
  }

  private func draw(on drawing: inout some Canvas) {
    let frame = Frame(left: 78, right: 640, top: 68, bottom: size.height - 64)
    drawing.text(title, at: (frame.left, 27), size: 16, isBold: true)
    drawing.text(subtitle, at: (frame.left, 48), color: Self.guideColor)
    drawAxes(frame, on: &drawing)
    for guide in guides { draw(guide, frame, on: &drawing) }
    for (i, line) in series.enumerated() { draw(line, style: Style(i), frame, on: &drawing) }
    for (i, line) in series.enumerated() where y.scale == .logarithmic {
      for point in hidden(of: line) {
        let place = place((point.x, y.range.lowerBound), in: frame).x
        Self.drawMark((place, frame.bottom - 6 - Double(i) * Self.markLine), color: Style(i).color, on: &drawing)
      }
    }
    for (i, mark) in marks.enumerated() {
      let place = place((mark.x, y.range.lowerBound), in: frame).x
      drawing.line((place, frame.top), (place, frame.bottom), color: Self.markColor, width: 1.5, dash: "2 3")
      // Texts of neighbours do not lie on one another.
      drawing.text(mark.text, at: (place + 5, frame.top + 14 + Double(i % 6) * 16), color: Self.markColor)
    }
    drawLegend(left: frame.right + 24, top: frame.top + 12, on: &drawing)
  }

  /// The points that a logarithmic axis has no place for.
  private func hidden(of line: Series) -> [(x: Double, y: Double)] {
    y.scale == .logarithmic ? line.points.filter { $0.y <= 0 && x.range.contains($0.x) } : []
  }

  private var hasHidden: Bool { series.contains { !hidden(of: $0).isEmpty } }

  /// A triangle that points down, out of the chart.
  private static func drawMark(_ center: (x: Double, y: Double), color: String, on drawing: inout some Canvas) {
    let (left, right) = ((center.x - 3.5, center.y - 3), (center.x + 3.5, center.y - 3))
    drawing.path([left, right, (center.x, center.y + 3), left], color: color, width: 1.5, dash: "")
  }

  private struct Frame {
    let left, right, top, bottom: Double
  }

  private struct Style {
    let color: String
    let width: Double
    let dash: String

    init(_ i: Int) {
      color = Chart.colors[i % Chart.colors.count]
      dash = Chart.dashes[i % Chart.dashes.count]
      width = i % Chart.dashes.count == 0 ? 3 : 2
    }
  }

  private func place(_ point: (x: Double, y: Double), in frame: Frame) -> (x: Double, y: Double) {
    (
      frame.left + x.place(of: point.x) * (frame.right - frame.left),
      frame.bottom - y.place(of: point.y) * (frame.bottom - frame.top)
    )
  }

  private func drawAxes(_ frame: Frame, on drawing: inout some Canvas) {
    let corner = (x.range.lowerBound, y.range.lowerBound)
    for tick in x.ticks {
      let place = place((tick, corner.1), in: frame).x
      drawing.line((place, frame.top), (place, frame.bottom), color: "#ddd", width: 1)
      drawing.line((place, frame.bottom), (place, frame.bottom + 5), color: "#444", width: 1)
      drawing.text(x.label(tick), at: (place, frame.bottom + 20), anchor: .middle)
    }
    for tick in y.ticks {
      let place = place((corner.0, tick), in: frame).y
      drawing.line((frame.left, place), (frame.right, place), color: "#ddd", width: 1)
      drawing.line((frame.left - 5, place), (frame.left, place), color: "#444", width: 1)
      drawing.text(y.label(tick), at: (frame.left - 9, place + 4.5), anchor: .end)
    }
    for tick in x.minorTicks {
      let place = place((tick, corner.1), in: frame).x
      drawing.line((place, frame.bottom), (place, frame.bottom + 3), color: "#444", width: 0.75)
    }
    for tick in y.minorTicks {
      let place = place((corner.0, tick), in: frame).y
      drawing.line((frame.left - 3, place), (frame.left, place), color: "#444", width: 0.75)
    }
    drawing.path(
      [(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)], color: "#444", width: 1.2,
      dash: "")
    drawing.text(x.title, at: ((frame.left + frame.right) / 2, frame.bottom + 46), size: 14, anchor: .middle)
    drawing.text(y.title, at: (22, (frame.top + frame.bottom) / 2), size: 14, anchor: .middle, isUpright: true)
  }

  private func draw(_ guide: Series, _ frame: Frame, on drawing: inout some Canvas) {
    guard let places = visible(guide, in: frame).first, let last = places.last else { return }
    drawing.path(places, color: Self.guideColor, width: 1.5, dash: "1.5 4")
    drawing.text(guide.name, at: (last.x + 6, last.y + 4), color: Self.guideColor)
  }

  /// The places of the points that lie between the axes, in the parts between those that do not.
  private func visible(_ line: Series, in frame: Frame) -> [[(x: Double, y: Double)]] {
    line.points.split { !x.range.contains($0.x) || !y.range.contains($0.y) }.map { part in
      part.map { place($0, in: frame) }
    }
  }

  private func draw(_ line: Series, style: Style, _ frame: Frame, on drawing: inout some Canvas) {
    for places in visible(line, in: frame) {
      if places.count > 1 { drawing.path(places, color: style.color, width: style.width, dash: style.dash) }
      // Of a point alone there is no line.
      if hasDots || places.count == 1 { for place in places { drawing.dot(place, radius: 3, color: style.color) } }
    }
  }

  /// The names of the lines, with how many of their points are marked at the foot.
  private var legendTexts: [String] {
    series.map { line in
      let count = hidden(of: line).count
      return count == 0 ? line.name : "\(line.name), \(count) of 0 or less"
    }
  }

  private func drawLegend(left: Double, top: Double, on drawing: inout some Canvas) {
    for i in series.indices {
      let (style, y) = (Style(i), top + Double(i * Self.legendLine))
      drawing.line((left, y), (left + 34, y), color: style.color, width: style.width, dash: style.dash)
      if hasDots { drawing.dot((left + 17, y), radius: 3, color: style.color) }
      drawing.text(legendTexts[i], at: (left + 42, y + 4.5))
    }
    guard hasHidden else { return }
    let y = top + Double(series.count * Self.legendLine)
    Self.drawMark((left + 17, y), color: Self.guideColor, on: &drawing)
    drawing.text("0 or less: off the scale", at: (left + 42, y + 4.5), color: Self.guideColor)
  }
}
