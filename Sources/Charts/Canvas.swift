/// Where the text of a label is held.
enum Anchor: String {
  case start, middle, end
}

/// What charts are drawn on. The unit is the pixel, from the top left corner.
protocol Canvas {
  /// Draws a line through points.
  ///
  /// - Parameter dash: the lengths of dashes and gaps, such as "6 3"; empty for an unbroken line.
  mutating func path(_ points: [(x: Double, y: Double)], color: String, width: Double, dash: String)

  /// Draws a filled circle.
  mutating func dot(_ center: (x: Double, y: Double), radius: Double, color: String)

  /// Writes a line of text on its base line.
  mutating func text(_ text: String, at point: (x: Double, y: Double), style: TextStyle)
}

/// How a line of text looks.
struct TextStyle {
  var size = 13.0
  var anchor = Anchor.start
  /// Whether it runs from the bottom to the top, turned about its anchor.
  var isUpright = false
  var isBold = false
  var color = "black"
}

extension Canvas {
  /// Draws a straight line.
  mutating func line(
    _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), color: String, width: Double, dash: String = ""
  ) {
    path([from, to], color: color, width: width, dash: dash)
  }

  /// Writes a line of text on its base line.
  mutating func text(
    _ text: String, at point: (x: Double, y: Double), size: Double = 13, anchor: Anchor = .start,
    isUpright: Bool = false, isBold: Bool = false, color: String = "black"
  ) {
    self.text(
      text, at: point,
      style: TextStyle(size: size, anchor: anchor, isUpright: isUpright, isBold: isBold, color: color))
  }
}
