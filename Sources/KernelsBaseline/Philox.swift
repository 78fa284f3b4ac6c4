/// The counter-based random number generator Philox4x32-10: four random words for each counter,
/// without any state.
///
/// Source: Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405, section 3.3.
package enum Philox {
  /// Four 32-bit words.
  package typealias Words = (UInt32, UInt32, UInt32, UInt32)

  /// The words of one counter under a key; the low half of the key is its first word.
  @inline(__always)
  package static func words(counter: Words, key: UInt64) -> Words {
    var (c0, c1, c2, c3) = counter
    var k0 = UInt32(truncatingIfNeeded: key)
    var k1 = UInt32(truncatingIfNeeded: key >> 32)
    for _ in 0..<10 {
      let first = UInt64(0xD251_1F53) &* UInt64(c0)
      let second = UInt64(0xCD9E_8D57) &* UInt64(c2)
      c0 = UInt32(truncatingIfNeeded: second >> 32) ^ c1 ^ k0
      c1 = UInt32(truncatingIfNeeded: second)
      c2 = UInt32(truncatingIfNeeded: first >> 32) ^ c3 ^ k1
      c3 = UInt32(truncatingIfNeeded: first)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }
}
