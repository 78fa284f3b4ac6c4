/// A drawing in the making, as SVG text.
struct SVG {
  /// Where the text of a label is held.
  enum Anchor: String {
    case start, middle, end
  }

  let width: Double
  let height: Double
  private var elements: [String] = []

  /// A white sheet; the unit is the pixel.
  init(width: Double, height: Double) {
    self.width = width
    self.height = height
    elements.append(#"<rect width="100%" height="100%" fill="white"/>"#)
  }

  /// A straight line.
  mutating func line(
    _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), color: String, width: Double, dash: String = ""
  ) {
    path([from, to], color: color, width: width, dash: dash)
  }

  /// A line through points.
  ///
  /// - Parameter dash: the lengths of dashes and gaps, such as "6 3"; empty for an unbroken line.
  mutating func path(_ points: [(x: Double, y: Double)], color: String, width: Double, dash: String = "") {
    let way = points.map { "\(Self.number($0.x)) \(Self.number($0.y))" }.joined(separator: " L")
    let broken = dash.isEmpty ? "" : #" stroke-dasharray="\#(dash)""#
    elements.append(
      #"<path d="M\#(way)" fill="none" stroke="\#(color)" stroke-width="\#(Self.number(width))" "#
        + #"stroke-linejoin="round"\#(broken)/>"#
    )
  }

  /// A filled circle.
  mutating func dot(_ center: (x: Double, y: Double), radius: Double, color: String) {
    let (x, y) = (Self.number(center.x), Self.number(center.y))
    elements.append(#"<circle cx="\#(x)" cy="\#(y)" r="\#(Self.number(radius))" fill="\#(color)"/>"#)
  }

  /// A line of text on its base line.
  ///
  /// - Parameter turn: the angle by which it is turned about its anchor, clockwise, in degrees.
  mutating func text(
    _ text: String, at point: (x: Double, y: Double), size: Double = 13, anchor: Anchor = .start, turn: Double = 0,
    isBold: Bool = false, color: String = "black"
  ) {
    let (x, y) = (Self.number(point.x), Self.number(point.y))
    let rotation = turn == 0 ? "" : #" transform="rotate(\#(Self.number(turn)) \#(x) \#(y))""#
    let weight = isBold ? #" font-weight="bold""# : ""
    let fill = color == "black" ? "" : #" fill="\#(color)""#
    elements.append(
      #"<text x="\#(x)" y="\#(y)" font-size="\#(Self.number(size))" "#
        + #"text-anchor="\#(anchor)"\#(weight)\#(fill)\#(rotation)>"#
        + Self.escaped(text) + "</text>")
  }

  /// The whole document.
  var document: String {
    let (width, height) = (Self.number(width), Self.number(height))
    let head =
      #"<svg xmlns="http://www.w3.org/2000/svg" width="\#(width)" height="\#(height)" viewBox="0 0 \#(width) "#
      + #"\#(height)" "#
      + #"font-family="Helvetica, Arial, sans-serif" fill="black">"#
    return ([head] + elements + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// Hundredths of a pixel are more than anybody sees.
  private static func number(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }

  /// Text as it may stand in XML.
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
