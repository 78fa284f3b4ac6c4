/// The 32-bit Mersenne Twister MT19937, seeded as `init_genrand` does, which torch and NumPy's `RandomState` draw from.
///
/// Source: Matsumoto and Nishimura 1998, https://doi.org/10.1145/272991.272995, and their program of 2002 for the seeding.
struct MersenneTwister: Hashable, Sendable {
  private static let length = 624
  private static let middle = 397

  private var words: [UInt32]
  /// How many of the words have been handed out.
  private var position = length

  /// The generator of a seed.
  init(seed: UInt32) {
    words = [seed]
    words.reserveCapacity(Self.length)
    for i in 1..<UInt32(Self.length) {
      let last = words[words.count - 1]
      words.append(1_812_433_253 &* (last ^ last >> 30) &+ i)
    }
  }

  /// The next 32 random bits.
  mutating func next32() -> UInt32 {
    if position == Self.length { twist() }
    var word = words[position]
    position += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9d2c_5680
    word ^= word << 15 & 0xefc6_0000
    return word ^ word >> 18
  }

  /// Two words, the first one high: what both libraries take where they want 64 bits.
  mutating func next64() -> UInt64 {
    let high = UInt64(next32())
    return high << 32 | UInt64(next32())
  }

  private mutating func twist() {
    words.withUnsafeMutableBufferPointer { words in
      func twisted(_ i: Int, _ next: Int, _ far: Int) -> UInt32 {
        let joined = words[i] & 0x8000_0000 | words[next] & 0x7fff_ffff
        return words[far] ^ joined >> 1 ^ (0 &- (joined & 1)) & 0x9908_b0df
      }
      let rest = Self.length - Self.middle
      for i in 0..<rest { words[i] = twisted(i, i + 1, i + Self.middle) }
      for i in rest..<Self.length - 1 { words[i] = twisted(i, i + 1, i - rest) }
      words[Self.length - 1] = twisted(Self.length - 1, 0, Self.middle - 1)
    }
    position = 0
  }
}

extension MersenneTwister: Codable {
  private enum CodingKeys: CodingKey { case words, position }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    words = try container.decode([UInt32].self, forKey: .words)
    position = try container.decode(Int.self, forKey: .position)
    guard words.count == Self.length, (0...Self.length).contains(position) else {
      throw DecodingError.dataCorruptedError(
        forKey: .words, in: container,
        debugDescription: "a Mersenne Twister has \(Self.length) words and a position in 0 ... \(Self.length), "
          + "not \(words.count) and \(position)")
    }
  }
}
