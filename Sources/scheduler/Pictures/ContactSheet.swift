import DigitsModel
import SchedulersCharts

/// One picture of everything that a command sampled: a panel for each sampler, and the way of one
/// digit from noise.
struct ContactSheet {
  /// The digits of one sampler under a legend.
  struct Panel {
    let title: String
    let subtitle: String
    /// Each row by row, −1 (paper) ... 1 (ink).
    let digits: [[Double]]
  }

  /// A sample on its way, and what the model took it for.
  struct Frame {
    let label: String
    let sample: [Double]
    /// The value that is drawn as full ink in the sample; noise reaches farther than data.
    let range: Double
    let denoised: [Double]?
  }

  let title: String
  let panels: [Panel]
  let stripTitle: String
  let strip: [Frame]

  private static let margin = 32
  private static let textScale = 2
  private static let lineHeight = 22
  private static let digitScale = 5
  private static let gap = 4
  private static let desk: UInt8 = 226
  /// Blocks of the strip's digits, as large as fits under the panels.
  private static let stripScales = 8...20
  private static let stripGap = 14
  private static let stripLabel = "prediction"

  private var columns: Int { Int(Double(panels.map(\.digits.count).max() ?? 1).squareRoot().rounded(.up)) }
  private var rows: Int { ((panels.map(\.digits.count).max() ?? 1) + columns - 1) / columns }
  private var cell: Int { Digits.side * Self.digitScale + Self.gap }
  private var panelHeight: Int { 2 * Self.lineHeight + 4 + rows * cell + Self.gap }
  private var panelWidth: Int {
    panels.flatMap { [$0.title, $0.subtitle] }.map { Picture.width(of: $0, scale: Self.textScale) }
      .reduce(columns * cell + Self.gap, max)
  }
  /// Up to five panels in one row, so that they are easily compared. More are set in fewer columns,
  /// as a page shows a wide sheet too small to be read.
  private var panelsAbreast: Int {
    max(1, panels.count <= 5 ? min(panels.count, 2400 / panelWidth) : 1400 / panelWidth)
  }
  private var panelsWidth: Int { panelsAbreast * (panelWidth + Self.margin) - Self.margin }
  private var stripScale: Int {
    let room = (panelsWidth - stripLeft + Self.stripGap) / max(strip.count, 1) - Self.stripGap
    let widestLabel = strip.map { Picture.width(of: $0.label, scale: Self.textScale) }.max() ?? 0
    return min(
      max(room / Digits.side, widestLabel / Digits.side, Self.stripScales.lowerBound), Self.stripScales.upperBound)
  }
  private var stripCell: Int { Digits.side * stripScale }
  private var stripLeft: Int { Picture.width(of: Self.stripLabel, scale: Self.textScale) + 16 }
  private var stripWidth: Int {
    max(
      stripLeft + strip.count * (stripCell + Self.stripGap) - Self.stripGap,
      Picture.width(of: stripTitle, scale: Self.textScale))
  }

  /// The sheet: dark ink on white paper.
  func picture() -> Picture {
    let panelRows = (panels.count + panelsAbreast - 1) / panelsAbreast
    let titleWidth = Picture.width(of: title, scale: Self.textScale)
    let stripHeight = strip.isEmpty ? 0 : 2 * Self.lineHeight + 8 + 2 * (stripCell + Self.stripGap) + Self.margin
    let top = Self.margin + Self.lineHeight + 14
    var sheet = Picture(
      width: 2 * Self.margin + max(panelsWidth, titleWidth, strip.isEmpty ? 0 : stripWidth),
      height: top + panelRows * (panelHeight + Self.margin) + stripHeight)
    sheet.write(title, x: Self.margin, y: Self.margin, scale: Self.textScale)
    for (i, panel) in panels.enumerated() {
      draw(
        panel, x: Self.margin + i % panelsAbreast * (panelWidth + Self.margin),
        y: top + i / panelsAbreast * (panelHeight + Self.margin), on: &sheet)
    }
    if !strip.isEmpty { drawStrip(y: top + panelRows * (panelHeight + Self.margin), on: &sheet) }
    return sheet
  }

  private func draw(_ panel: Panel, x: Int, y: Int, on sheet: inout Picture) {
    sheet.write(panel.title, x: x, y: y, scale: Self.textScale)
    sheet.write(panel.subtitle, x: x, y: y + Self.lineHeight, scale: Self.textScale, grey: 110)
    let top = y + 2 * Self.lineHeight + 4
    sheet.fill(x: x, y: top, width: columns * cell + Self.gap, height: rows * cell + Self.gap, grey: Self.desk)
    for (i, digit) in panel.digits.enumerated() {
      sheet.draw(
        digit, side: Digits.side, x: x + Self.gap + i % columns * cell, y: top + Self.gap + i / columns * cell,
        scale: Self.digitScale)
    }
  }

  private func drawStrip(y: Int, on sheet: inout Picture) {
    sheet.write(stripTitle, x: Self.margin, y: y, scale: Self.textScale)
    let top = y + Self.lineHeight + 8
    let bottom = top + stripCell + Self.stripGap
    let middle = stripCell / 2 - Font.height
    sheet.write("sample", x: Self.margin, y: top + middle, scale: Self.textScale, grey: 110)
    sheet.write(Self.stripLabel, x: Self.margin, y: bottom + middle, scale: Self.textScale, grey: 110)
    for (i, frame) in strip.enumerated() {
      let x = Self.margin + stripLeft + i * (stripCell + Self.stripGap)
      drawTile(frame.sample, range: frame.range, x: x, y: top, on: &sheet)
      if let denoised = frame.denoised { drawTile(denoised, range: 1, x: x, y: bottom, on: &sheet) }
      let width = Picture.width(of: frame.label, scale: Self.textScale)
      sheet.write(
        frame.label, x: x + (stripCell - width) / 2, y: bottom + stripCell + 10, scale: Self.textScale, grey: 110)
    }
  }

  private func drawTile(_ values: [Double], range: Double, x: Int, y: Int, on sheet: inout Picture) {
    sheet.fill(x: x - 2, y: y - 2, width: stripCell + 4, height: stripCell + 4, grey: Self.desk)
    sheet.draw(values, side: Digits.side, x: x, y: y, scale: stripScale, range: range)
  }
}
