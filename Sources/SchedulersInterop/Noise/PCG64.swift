import Schedulers

/// The permuted congruential generator PCG XSL RR 128/64, seeded as NumPy's `default_rng` does.
///
/// Source: [O'Neill 2014](https://www.pcg-random.org/pdf/hmc-cs-2014-0905.pdf), section 6.3.
struct PCG64: Hashable, Sendable {
  private var state: Wide
  /// Odd.
  private let increment: Wide
  /// The high half of a number of which the low half has been handed out.
  private var spare: UInt32?

  private static let multiplier = Wide(high: 0x2360_ed05_1fc6_5da4, low: 0x4385_df64_9fcc_f645)

  /// A number of 128 bits, whose sums and products wrap around. Swift's own is of macOS 15 and
  /// iOS 18.
  private struct Wide: Hashable, Sendable {
    var high, low: UInt64

    static func &+ (a: Self, b: Self) -> Self {
      let (low, carries) = a.low.addingReportingOverflow(b.low)
      return Self(high: a.high &+ b.high &+ (carries ? 1 : 0), low: low)
    }

    static func &* (a: Self, b: Self) -> Self {
      let lows = a.low.multipliedFullWidth(by: b.low)
      return Self(high: lows.high &+ a.low &* b.high &+ a.high &* b.low, low: lows.low)
    }
  }

  /// The generator of a seed, by way of NumPy's `SeedSequence`.
  init(seed: UInt64) {
    let words = SeedSequence(seed).words()
    increment = Wide(high: words[2] << 1 | words[3] >> 63, low: words[3] << 1 | 1)
    state = (increment &+ Wide(high: words[0], low: words[1])) &* Self.multiplier &+ increment
  }

  /// The next 64 random bits.
  mutating func next64() -> UInt64 {
    state = state &* Self.multiplier &+ increment
    let (folded, turn) = (state.high ^ state.low, state.high >> 58)
    return folded >> turn | folded << ((64 - turn) & 63)
  }

  /// The next 32 random bits: the low half of a number, then its high half.
  mutating func next32() -> UInt32 {
    if let high = spare {
      spare = nil
      return high
    }
    let number = next64()
    spare = UInt32(truncatingIfNeeded: number >> 32)
    return UInt32(truncatingIfNeeded: number)
  }

  /// A whole number in 0 ... `largest`, each as likely as any other: the high part of a product.
  ///
  /// Source: [Lemire 2019](https://doi.org/10.1145/3230636), algorithm 5.
  mutating func bounded(upTo largest: UInt64) -> UInt64 {
    switch largest {
    case 0: return 0
    case UInt64(UInt32.max): return UInt64(next32())
    case .max: return next64()
    case ..<UInt64(UInt32.max): return UInt64(below(UInt32(largest) + 1) { $0.next32() })
    default: return below(largest + 1) { $0.next64() }
    }
  }

  private mutating func below<Word: FixedWidthInteger>(_ count: Word, _ next: (inout Self) -> Word) -> Word {
    let threshold = (0 &- count) % count
    while true {
      let product = next(&self).multipliedFullWidth(by: count)
      if product.low >= threshold { return product.high }
    }
  }
}

extension PCG64: Codable {
  private enum CodingKeys: CodingKey { case state, increment, spare }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Wide {
      let halves = try container.decode([UInt64].self, forKey: key)
      guard halves.count == 2 else {
        throw container.corrupted(key, "128 bits are two numbers of 64, not \(halves.count)")
      }
      return Wide(high: halves[0], low: halves[1])
    }
    (state, increment) = try (number(.state), number(.increment))
    spare = try container.decodeIfPresent(UInt32.self, forKey: .spare)
    guard increment.low & 1 == 1 else { throw container.corrupted(.increment, "the increment must be odd") }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    for (key, number) in [(CodingKeys.state, state), (.increment, increment)] {
      try container.encode([number.high, number.low], forKey: key)
    }
    try container.encodeIfPresent(spare, forKey: .spare)
  }
}
