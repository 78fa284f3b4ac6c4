extension Trace {
  /// The type of the numbers that a run was computed in.
  public enum Precision: String, Hashable, Codable, CaseIterable, Sendable {
    case float16, bfloat16, float32, float64

    /// Half of the distance from 1 to the next number: the most by which a rounding is off, of what
    /// is rounded.
    var unit: Double {
      switch self {
      case .float16: 0x1p-11
      case .bfloat16: 0x1p-8
      case .float32: 0x1p-24
      case .float64: 0x1p-53
      }
    }

    /// Whether a number takes two bytes.
    var isHalf: Bool { self == .float16 || self == .bfloat16 }

    /// The number of its fraction's bits, and the exponent of its smallest normal number.
    private var layout: (bits: Int, least: Int) {
      switch self {
      case .float16: (10, -14)
      case .bfloat16: (7, -126)
      case .float32: (23, -126)
      case .float64: (52, -1022)
      }
    }

    /// A number as the type has it, ties to even.
    func rounded(_ x: Double) -> Double {
      guard x.isFinite, x != 0 else { return x }
      let unit = Double(sign: .plus, exponent: max(Int(x.exponent), layout.least) - layout.bits, significand: 1)
      let y = (x / unit).rounded(.toNearestOrEven) * unit
      return self == .float16 && abs(y) > 65504 ? (y > 0 ? .infinity : -.infinity) : y
    }

    /// Whether the type has a number.
    func contains(_ x: Double) -> Bool { !x.isFinite || rounded(x) == x }
  }
}
