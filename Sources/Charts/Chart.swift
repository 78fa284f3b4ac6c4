/// Lines over two axes, with a legend.
public struct Chart: Sendable {
  /// One line.
  public struct Series: Sendable {
    /// What the legend calls it.
    public let name: String
    /// Its points, from one end to the other; those outside the axes are left out.
    public let points: [(x: Double, y: Double)]

    /// A line through points.
    public init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  /// What stands above it.
  public let title: String
  /// The axis at its foot.
  public let x: Axis
  /// The axis at its left.
  public let y: Axis
  /// The lines, the first at the bottom.
  public let series: [Series]
  /// Dotted lines to compare those with, each with its name at its last point.
  public let guides: [Series]
  private let hasDots: Bool
  private let marks: [(x: Double, text: String)]

  /// A chart of lines.
  ///
  /// - Parameters:
  ///   - guides: dotted lines to compare those with, each with its name at its last point.
  ///   - hasDots: whether each point is marked.
  ///   - marks: places along x that have no point, and what is to be said of them.
  public init(
    title: String, x: Axis, y: Axis, series: [Series], guides: [Series] = [], hasDots: Bool = false,
    marks: [(x: Double, text: String)] = []
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.guides = guides
    self.hasDots = hasDots
    self.marks = marks
  }

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

  /// The chart as an SVG document.
  public var document: String {
    // As high and as wide as the legend needs.
    let height = max(520, 80 + series.count * Self.legendLine)
    let width = max(900, 720 + 7 * (series.map(\.name.count).max() ?? 0))
    var drawing = SVG(width: Double(width), height: Double(height))
    let frame = Frame(left: 78, right: 640, top: 48, bottom: Double(height) - 64)
    drawing.text(title, at: ((frame.left + frame.right) / 2, 28), size: 16, anchor: .middle, isBold: true)
    drawAxes(frame, on: &drawing)
    for guide in guides { draw(guide, frame, on: &drawing) }
    for (i, line) in series.enumerated() { draw(line, style: Style(i), frame, on: &drawing) }
    for (i, mark) in marks.enumerated() {
      let place = place((mark.x, y.range.lowerBound), in: frame).x
      drawing.line((place, frame.top), (place, frame.bottom), color: Self.markColor, width: 1.5, dash: "2 3")
      // Texts of neighbours do not lie on one another.
      drawing.text(mark.text, at: (place + 5, frame.top + 14 + Double(i % 6) * 16), color: Self.markColor)
    }
    drawLegend(left: frame.right + 24, top: frame.top + 12, on: &drawing)
    return drawing.document
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

  private func drawAxes(_ frame: Frame, on drawing: inout SVG) {
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
    drawing.path(
      [(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)], color: "#444", width: 1.2)
    drawing.text(x.title, at: ((frame.left + frame.right) / 2, frame.bottom + 46), size: 14, anchor: .middle)
    drawing.text(y.title, at: (22, (frame.top + frame.bottom) / 2), size: 14, anchor: .middle, turn: -90)
  }

  private func draw(_ guide: Series, _ frame: Frame, on drawing: inout SVG) {
    let places = places(of: guide, in: frame)
    guard let last = places.last else { return }
    drawing.path(places, color: Self.guideColor, width: 1.5, dash: "1.5 4")
    drawing.text(guide.name, at: (last.x + 6, last.y + 4), color: Self.guideColor)
  }

  /// The places of the points that lie between the axes.
  private func places(of line: Series, in frame: Frame) -> [(x: Double, y: Double)] {
    line.points.filter { x.range.contains($0.x) && y.range.contains($0.y) }.map { place($0, in: frame) }
  }

  private func draw(_ line: Series, style: Style, _ frame: Frame, on drawing: inout SVG) {
    let places = places(of: line, in: frame)
    guard let first = places.first else { return }
    drawing.path(places.count > 1 ? places : [first, first], color: style.color, width: style.width, dash: style.dash)
    if hasDots { for place in places { drawing.dot(place, radius: 3, color: style.color) } }
  }

  private func drawLegend(left: Double, top: Double, on drawing: inout SVG) {
    for (i, line) in series.enumerated() {
      let (style, y) = (Style(i), top + Double(i * Self.legendLine))
      drawing.line((left, y), (left + 34, y), color: style.color, width: style.width, dash: style.dash)
      if hasDots { drawing.dot((left + 17, y), radius: 3, color: style.color) }
      drawing.text(line.name, at: (left + 42, y + 4.5))
    }
  }
}
