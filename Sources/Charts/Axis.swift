import Foundation

/// The numbers along one side of a chart.
public struct Axis: Sendable {
  /// How numbers become places.
  public enum Scale: Sendable {
    case linear, logarithmic
  }

  /// What the numbers are.
  public let title: String
  let scale: Scale
  /// What the axis spans; above 0 where it is logarithmic.
  let range: ClosedRange<Double>
  /// The numbers that are written, with their grid lines.
  let ticks: [Double]
  /// The numbers between those, of a logarithmic axis, from which its scale can be seen.
  let minorTicks: [Double]

  /// An axis for numbers, with ends that are ticks where it is linear.
  ///
  /// - Parameter values: those that are not finite, or not above 0 on a logarithmic axis, are left
  ///   out.
  public init(_ title: String, scale: Scale, spanning values: some Sequence<Double>) {
    self.title = title
    self.scale = scale
    let usable = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
    let least = usable.min() ?? (scale == .linear ? 0 : 1)
    let most = usable.max() ?? 1
    switch scale {
    case .linear:
      let spread = most > least ? most - least : max(abs(most), 1)
      let step = Self.roundStep(near: spread / 6)
      let first = (least / step + 1e-9).rounded(.down)
      let last = (most / step - 1e-9).rounded(.up)
      ticks = (0...Int(max(last - first, 1))).map { (first + Double($0)) * step }
      minorTicks = []
      range = ticks[0]...ticks[ticks.count - 1]
    case .logarithmic:
      let margin = most > least ? pow(most / least, 0.04) : 2
      range = least / margin...most * margin
      let powers = Self.logarithmicTicks(in: range)
      // Within less than a decade there may be none, or one, from which no other place can be read.
      ticks = powers.count > 2 ? powers : Self.evenTicks(in: range)
      minorTicks = Self.minorTicks(between: ticks, in: range)
    }
  }

  /// How far along the axis a number lies; 0 ... 1 for those it spans.
  func place(of value: Double) -> Double {
    switch scale {
    case .linear: (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    case .logarithmic: log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
    }
  }

  /// A tick as text, in powers of ten where it is far from 1.
  func label(_ tick: Double) -> String {
    if tick != 0, scale == .logarithmic, tick < 1e-3 || tick >= 1e5 {
      let exponent = Int(log10(tick).rounded(.down))
      let factor = (tick / pow(10, Double(exponent))).rounded()
      let power = "10" + Self.superscript(exponent)
      return factor == 1 ? power : "\(Int(factor))·\(power)"
    }
    return String(format: "%.6g", abs(tick) < 1e-12 ? 0 : tick).replacing("-", with: "−")
  }

  /// 1, 2 or 5 times a power of ten.
  private static func roundStep(near step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= step * 0.999 } ?? 10 * power
  }

  /// Multiples of a round step.
  private static func evenTicks(in range: ClosedRange<Double>, count: Double = 6) -> [Double] {
    let step = roundStep(near: (range.upperBound - range.lowerBound) / count)
    guard step > 0 else { return [] }
    let first = Int((range.lowerBound / step).rounded(.up))
    let last = Int((range.upperBound / step).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// Powers of ten alone where there are many of them, with 2 and 5 times them where there are few.
  private static func logarithmicTicks(in range: ClosedRange<Double>) -> [Double] {
    let decades = Int(log10(range.lowerBound).rounded(.down))...Int(log10(range.upperBound).rounded(.up))
    let factors: [Double] = decades.count <= 4 ? [1, 2, 5] : [1]
    let stride = max(1, decades.count / 10)
    return decades.filter { $0.isMultiple(of: stride) }
      .flatMap { decade in factors.map { $0 * pow(10, Double(decade)) } }.filter(range.contains)
  }

  /// What a reader counts between ticks: twice to nine times the powers of ten, or the powers alone
  /// where they are many, or even steps within a decade.
  private static func minorTicks(between ticks: [Double], in range: ClosedRange<Double>) -> [Double] {
    let decades = log10(range.upperBound / range.lowerBound)
    let powers = Int(log10(range.lowerBound).rounded(.down))...Int(log10(range.upperBound).rounded(.up))
    let all =
      decades < 1
      ? evenTicks(in: range, count: 30)
      : powers.flatMap { power in (decades <= 10 ? 1...9 : 1...1).map { Double($0) * pow(10, Double(power)) } }
        .filter(range.contains)
    return all.filter { value in !ticks.contains { abs($0 - value) <= 1e-9 * abs(value) } }
  }

  private static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return (number < 0 ? "⁻" : "") + String("\(abs(number))".map { digits[$0.wholeNumberValue ?? 0] })
  }
}
