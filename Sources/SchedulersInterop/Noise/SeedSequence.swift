/// NumPy's `SeedSequence`: a whole number, and the place of a child, as well mixed words.
///
/// Source: NumPy's documentation of `numpy.random.SeedSequence`, after [O'Neill
/// 2015](https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html).
struct SeedSequence {
  private var pool: [UInt32]

  /// The sequence of a seed.
  ///
  /// - Parameters:
  ///   - spawnKey: the numbers of a child.
  ///   - poolSize: how many words are mixed, 4 or more.
  init(_ seed: UInt64, spawnKey: [UInt64] = [], poolSize: Int = 4) {
    var factor: UInt32 = 0x43b0_d7e5
    func hashed(_ value: UInt32) -> UInt32 { Self.hashed(value, &factor, multiplier: 0x931e_8875) }
    func mixed(_ target: UInt32, _ source: UInt32) -> UInt32 {
      let mixed = 0xca01_f9dd &* target &- 0x4973_f715 &* hashed(source)
      return mixed ^ mixed >> 16
    }
    let words = [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)]
    pool = (words + Array(repeating: 0, count: poolSize - 2)).map(hashed)
    for source in pool.indices {
      for target in pool.indices where target != source { pool[target] = mixed(pool[target], pool[source]) }
    }
    for number in spawnKey {
      let (low, high) = (UInt32(truncatingIfNeeded: number), UInt32(number >> 32))
      for word in high == 0 ? [low] : [low, high] {
        for target in pool.indices { pool[target] = mixed(pool[target], word) }
      }
    }
  }

  /// The first words of 64 bits.
  func words() -> [UInt64] {
    let halves = words32(8).map(UInt64.init)
    return (0..<4).map { halves[2 * $0 + 1] << 32 | halves[2 * $0] }
  }

  /// The first `count` words of 32 bits.
  func words32(_ count: Int) -> [UInt32] {
    var factor: UInt32 = 0x8b51_f9dd
    return (0..<count).map { Self.hashed(pool[$0 % pool.count], &factor, multiplier: 0x58f3_8ded) }
  }

  private static func hashed(_ value: UInt32, _ factor: inout UInt32, multiplier: UInt32) -> UInt32 {
    let first = value ^ factor
    factor = factor &* multiplier
    let second = first &* factor
    return second ^ second >> 16
  }
}
