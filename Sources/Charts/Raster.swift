import Foundation

/// A drawing in the making, as coloured pixels, with two pixels for one of the drawing.
struct Raster: Canvas {
  private static let density = 2.0

  private let width: Int
  private let height: Int
  /// Red, green and blue, row by row.
  private var pixels: [UInt8]

  /// A white sheet.
  init(width: Double, height: Double) {
    self.width = Int((width * Self.density).rounded(.up))
    self.height = Int((height * Self.density).rounded(.up))
    pixels = Array(repeating: 255, count: 3 * self.width * self.height)
  }

  /// The PNG file.
  func png() throws(PNG.Failure) -> Data { try PNG.encode(rgb: pixels, width: width, height: height) }

  mutating func path(_ points: [(x: Double, y: Double)], color: String, width: Double, dash: String) {
    let points = points.map { Point($0) }
    let lengths = dash.split(separator: " ").compactMap { Double($0) }.map { $0 * Self.density }
    let radius = width * Self.density / 2
    var coverage = Coverage(width: self.width, height: self.height)
    for piece in Self.pieces(of: points, dashes: lengths, radius: radius) {
      coverage.add(piece.0, piece.1, radius: radius)
    }
    fill(coverage, color)
  }

  mutating func dot(_ center: (x: Double, y: Double), radius: Double, color: String) {
    var coverage = Coverage(width: width, height: height)
    coverage.add(Point(center), Point(center), radius: radius * Self.density)
    fill(coverage, color)
  }

  mutating func text(_ text: String, at point: (x: Double, y: Double), style: TextStyle) {
    // The letters of sizes 9 ... 14 have dots of two pixels, and titles those of three.
    let dot = max(1, Int((style.size * Self.density / 12).rounded()))
    let letters = Array(text.unicodeScalars)
    let length = letters.reduce(-dot) { $0 + Font.advance(of: $1) * dot }
    let start = Point(point)
    var along = style.anchor == .start ? 0 : style.anchor == .middle ? -length / 2 : -length
    for letter in letters {
      let top = (Font.descent(of: letter) - Font.height) * dot
      for (row, bits) in Font.rows(of: letter).enumerated() {
        for column in 0..<5 where bits & (16 >> column) != 0 {
          let (u, v) = (along + column * dot, top + row * dot)
          let (x, y) = (Int(start.x.rounded()), Int(start.y.rounded()))
          fill(
            x: style.isUpright ? x + v : x + u, y: style.isUpright ? y - u - dot : y + v, side: dot,
            Self.channels(style.color))
        }
      }
      along += Font.advance(of: letter) * dot
    }
  }

  private mutating func fill(x: Int, y: Int, side: Int, _ color: [Double]) {
    for row in max(y, 0)..<max(min(y + side, height), max(y, 0)) {
      for column in max(x, 0)..<max(min(x + side, width), max(x, 0)) { blend(row * width + column, 1, color) }
    }
  }

  private mutating func fill(_ coverage: Coverage, _ color: String) {
    let color = Self.channels(color)
    for (place, part) in coverage.parts { blend(place, part, color) }
  }

  private mutating func blend(_ place: Int, _ part: Double, _ color: [Double]) {
    for channel in 0..<3 {
      let old = Double(pixels[3 * place + channel])
      pixels[3 * place + channel] = UInt8((old + part * (color[channel] - old)).rounded())
    }
  }

  /// Red, green and blue of "#RRGGBB" or "#RGB"; black for anything else.
  private static func channels(_ color: String) -> [Double] {
    let digits = color.dropFirst().compactMap(\.hexDigitValue)
    guard color.hasPrefix("#"), digits.count == 3 || digits.count == 6 else { return [0, 0, 0] }
    let pairs = digits.count == 3 ? digits.flatMap { [$0, $0] } : digits
    return (0..<3).map { Double(16 * pairs[2 * $0] + pairs[2 * $0 + 1]) }
  }
}

extension Raster {
  fileprivate struct Point {
    var x, y: Double

    init(x: Double, y: Double) { (self.x, self.y) = (x, y) }

    /// A point of the drawing, in pixels.
    init(_ point: (x: Double, y: Double)) {
      self.init(x: point.x * Raster.density, y: point.y * Raster.density)
    }

    func moved(towards other: Point, by part: Double) -> Point {
      Point(x: x + part * (other.x - x), y: y + part * (other.y - y))
    }
  }

  /// The straight pieces of a line that are drawn, none of them long, so that few pixels lie about
  /// each.
  fileprivate static func pieces(of points: [Point], dashes: [Double], radius: Double) -> [(Point, Point)] {
    var pieces: [(Point, Point)] = []
    var (dash, left) = (0, dashes.first ?? .infinity)
    for (from, to) in zip(points, points.dropFirst()) {
      let length = hypot(to.x - from.x, to.y - from.y)
      guard length > 0 else { continue }
      var done = 0.0
      while done < length {
        let step = min(left, length - done, 16)
        if dash.isMultiple(of: 2) {
          // Ends are round; those of dashes are drawn back to where they end without.
          let inset = dashes.isEmpty ? 0 : min(radius, step / 2)
          pieces.append(
            (
              from.moved(towards: to, by: (done + inset) / length),
              from.moved(towards: to, by: (done + step - inset) / length)
            ))
        }
        done += step
        left -= step
        if left <= 0 {
          dash += 1
          left = dashes[dash % dashes.count]
        }
      }
    }
    return pieces
  }

  /// Which part of each pixel something covers.
  fileprivate struct Coverage {
    let width, height: Int
    private(set) var parts: [Int: Double] = [:]

    init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

    /// Adds what is within a radius of a straight line.
    mutating func add(_ from: Point, _ to: Point, radius: Double) {
      let (left, right) = (min(from.x, to.x) - radius - 1, max(from.x, to.x) + radius + 1)
      let (top, bottom) = (min(from.y, to.y) - radius - 1, max(from.y, to.y) + radius + 1)
      guard right >= 0, bottom >= 0, left < Double(width), top < Double(height) else { return }
      let (dx, dy) = (to.x - from.x, to.y - from.y)
      let square = dx * dx + dy * dy
      for y in Int(max(top, 0))...Int(min(bottom, Double(height - 1))) {
        for x in Int(max(left, 0))...Int(min(right, Double(width - 1))) {
          let (u, v) = (Double(x) + 0.5 - from.x, Double(y) + 0.5 - from.y)
          let along = square > 0 ? min(max((u * dx + v * dy) / square, 0), 1) : 0
          let part = min(radius + 0.5 - hypot(u - along * dx, v - along * dy), 1)
          if part > 0 { parts[y * width + x] = max(part, parts[y * width + x] ?? 0) }
        }
      }
    }
  }
}
