/// A drawing in the making, as SVG text.
struct SVG: Canvas {
  private let width: Double
  private let height: Double
  private let title: String
  private let description: String
  private var elements: [String] = []

  /// A white sheet.
  ///
  /// - Parameters:
  ///   - title: what a screen reader says first, and a browser shows on hovering.
  ///   - description: what a screen reader says next.
  init(width: Double, height: Double, title: String, description: String) {
    self.width = width
    self.height = height
    self.title = title
    self.description = description
    elements.append(#"<rect width="100%" height="100%" fill="white"/>"#)
  }

  mutating func path(_ points: [(x: Double, y: Double)], color: String, width: Double, dash: String) {
    let way = points.map { "\(Self.number($0.x)) \(Self.number($0.y))" }.joined(separator: " L")
    let broken = dash.isEmpty ? "" : #" stroke-dasharray="\#(dash)""#
    elements.append(
      #"<path d="M\#(way)" fill="none" stroke="\#(color)" stroke-width="\#(Self.number(width))" "#
        + #"stroke-linejoin="round"\#(broken)/>"#
    )
  }

  mutating func dot(_ center: (x: Double, y: Double), radius: Double, color: String) {
    let (x, y) = (Self.number(center.x), Self.number(center.y))
    elements.append(#"<circle cx="\#(x)" cy="\#(y)" r="\#(Self.number(radius))" fill="\#(color)"/>"#)
  }

  mutating func text(_ text: String, at point: (x: Double, y: Double), style: TextStyle) {
    let (x, y) = (Self.number(point.x), Self.number(point.y))
    let rotation = style.isUpright ? #" transform="rotate(-90 \#(x) \#(y))""# : ""
    let weight = style.isBold ? #" font-weight="bold""# : ""
    let fill = style.color == "black" ? "" : #" fill="\#(style.color)""#
    elements.append(
      #"<text x="\#(x)" y="\#(y)" font-size="\#(Self.number(style.size))" "#
        + #"text-anchor="\#(style.anchor)"\#(weight)\#(fill)\#(rotation)>"#
        + Self.escaped(text) + "</text>")
  }

  /// The whole document. It is one picture to a screen reader, which would read its texts out of
  /// their order otherwise.
  var document: String {
    let (width, height) = (Self.number(width), Self.number(height))
    let head = [
      #"<svg xmlns="http://www.w3.org/2000/svg" width="\#(width)" height="\#(height)" viewBox="0 0 \#(width) "#
        + #"\#(height)" role="img" aria-label="\#(Self.escaped(title))" "#
        + #"font-family="Helvetica, Arial, sans-serif" fill="black">"#,
      "<title>\(Self.escaped(title))</title>", "<desc>\(Self.escaped(description))</desc>",
    ]
    return (head + elements + ["</svg>"]).joined(separator: "\n") + "\n"
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
