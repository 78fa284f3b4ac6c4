/// Grey values, row by row, from 0 (black) to 255 (white).
package struct Picture: Hashable, Sendable {
  package let width: Int
  package let height: Int
  package private(set) var pixels: [UInt8]

  /// - Precondition: both extents are 1 or more and fit the pixels.
  package init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      width >= 1 && height >= 1 && pixels.count == width * height,
      "\(pixels.count) pixels are not \(width) x \(height)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A blank picture.
  package init(width: Int, height: Int, grey: UInt8 = 255) {
    self.init(width: width, height: height, pixels: Array(repeating: grey, count: width * height))
  }

  package subscript(x: Int, y: Int) -> UInt8 {
    get { pixels[y * width + x] }
    set { pixels[y * width + x] = newValue }
  }

  /// Fills a rectangle; what lies outside the picture is left out.
  package mutating func fill(x: Int, y: Int, width: Int, height: Int, grey: UInt8) {
    let columns = max(x, 0)..<max(min(x + width, self.width), max(x, 0))
    for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
      for column in columns { self[column, row] = grey }
    }
  }
}

extension Picture {
  /// Draws a square image, each value as a block of `scale` pixels.
  ///
  /// - Parameters:
  ///   - values: row by row; see `grey(_:)`.
  ///   - range: the value that is drawn as full ink; its negative is paper.
  package mutating func draw(
    _ values: some Collection<Double>, side: Int, x: Int, y: Int, scale: Int, range: Double = 1
  ) {
    for (i, value) in values.enumerated() {
      fill(
        x: x + i % side * scale, y: y + i / side * scale, width: scale, height: scale, grey: Self.grey(value / range))
    }
  }

  /// Dark ink on white paper: −1 is 255 and 1 is 0; what is beyond is cut off, and NaN, which is no
  /// ink, is paper.
  package static func grey(_ value: Double) -> UInt8 {
    value.isNaN ? 255 : UInt8(((1 - min(max(value, -1), 1)) / 2 * 255).rounded())
  }

  /// The value of a grey, the inverse of `grey(_:)` up to its rounding.
  package static func value(_ grey: Double) -> Double { 1 - grey / 255 * 2 }
}
