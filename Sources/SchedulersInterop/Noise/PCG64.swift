import Schedulers

/// The permuted congruential generator PCG XSL RR 128/64, seeded as NumPy's `default_rng` does.
///
/// Source: O'Neill 2014, https://www.pcg-random.org/pdf/hmc-cs-2014-0905.pdf, section 6.3.
struct PCG64: Hashable, Sendable {
  private var state: UInt128
  /// Odd.
  private let increment: UInt128
  /// The high half of a number of which the low half has been handed out.
  private var spare: UInt32?

  private static let multiplier: UInt128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645

  /// The generator of a seed, by way of NumPy's `SeedSequence`.
  init(seed: UInt64) {
    let words = SeedSequence(seed).words()
    let start = UInt128(words[0]) << 64 | UInt128(words[1])
    increment = (UInt128(words[2]) << 64 | UInt128(words[3])) << 1 | 1
    state = (increment &+ start) &* Self.multiplier &+ increment
  }

  /// The next 64 random bits.
  mutating func next64() -> UInt64 {
    state = state &* Self.multiplier &+ increment
    let folded = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
    let turn = UInt64(truncatingIfNeeded: state >> 122)
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
  /// Source: Lemire 2019, https://doi.org/10.1145/3230636, algorithm 5.
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

  // Not every coder knows 128 bits.
  private static func halves(_ number: UInt128) -> [UInt64] {
    [UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number)]
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> UInt128 {
      let halves = try container.decode([UInt64].self, forKey: key)
      guard halves.count == 2 else {
        throw container.corrupted(key, "128 bits are two numbers of 64, not \(halves.count)")
      }
      return UInt128(halves[0]) << 64 | UInt128(halves[1])
    }
    (state, increment) = try (number(.state), number(.increment))
    spare = try container.decodeIfPresent(UInt32.self, forKey: .spare)
    guard increment & 1 == 1 else { throw container.corrupted(.increment, "the increment must be odd") }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.halves(state), forKey: .state)
    try container.encode(Self.halves(increment), forKey: .increment)
    try container.encodeIfPresent(spare, forKey: .spare)
  }
}
