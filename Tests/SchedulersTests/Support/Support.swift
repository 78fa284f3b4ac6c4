import Schedulers
import Testing

/// The rounding unit of Double.
let unit = 0x1p-53

extension SamplerCatalog.Entry: CustomTestStringConvertible {
  public var testDescription: String { name }
}

extension SamplerCatalog {
  /// Those that go from noise to data.
  static var denoising: [Entry] { all.filter { !$0.isInversion } }
  /// Those of them that draw nothing.
  static var deterministic: [Entry] { denoising.filter { !$0.isStochastic } }
  /// Those of them that draw noise.
  static var stochastic: [Entry] { denoising.filter(\.isStochastic) }
}

/// A way to choose grid points, of either kind.
enum Spacing: Sendable, CaseIterable {
  case leading, trailing, linspace, karras, exponential, linear

  func grid(_ schedule: NoiseSchedule, steps: Int) throws(GridError) -> SamplingGrid {
    switch self {
    case .leading: try SamplingGrid(schedule, steps: steps, spacing: TimestepSpacing.leading())
    case .trailing: try SamplingGrid(schedule, steps: steps, spacing: TimestepSpacing.trailing)
    case .linspace: try SamplingGrid(schedule, steps: steps, spacing: TimestepSpacing.linspace)
    case .karras: try SamplingGrid(schedule, steps: steps, spacing: SigmaSpacing.karras())
    case .exponential: try SamplingGrid(schedule, steps: steps, spacing: SigmaSpacing.exponential)
    case .linear: try SamplingGrid(schedule, steps: steps, spacing: SigmaSpacing.linear)
    }
  }
}

/// Whether two numbers differ by at most a fraction of the larger one.
func isClose(_ a: Double, _ b: Double, relative tolerance: Double) -> Bool {
  // An infinity is as far from a number as its own size.
  a == b || a.isFinite && b.isFinite && abs(a - b) <= tolerance * max(abs(a), abs(b))
}

/// What a program that an exit test ran said as it ended.
func said(by program: ExitTest.Result?) -> String {
  String(decoding: program?.standardErrorContent ?? [], as: UTF8.self)
}

/// A seeded generator for tests: SplitMix64, Steele et al. 2014.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Gives out recorded numbers.
struct Replay: RandomNumberGenerator {
  private var words: [UInt64]

  init(words: [UInt64]) { self.words = words.reversed() }

  /// The words whose uniform numbers are nearest to given ones of [0, 1).
  init(uniforms: [Double]) { self.init(words: uniforms.map { UInt64($0 * 0x1p52) << 12 }) }

  mutating func next() -> UInt64 { words.removeLast() }
}
