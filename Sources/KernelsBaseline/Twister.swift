/// The loops of the Mersenne Twister MT19937.
///
/// Source: Matsumoto and Nishimura 1998, https://doi.org/10.1145/272991.272995, equation 2.1 and
/// section 2.1.
package enum Twister {
  private static let length = 624
  private static let middle = 397

  /// Makes the next 624 words of the state.
  @inline(__always)
  static func twist(_ words: UnsafeMutablePointer<UInt32>) {
    @inline(__always) func twisted(_ i: Int, _ next: Int, _ far: Int) -> UInt32 {
      let joined = words[i] & 0x8000_0000 | words[next] & 0x7fff_ffff
      return words[far] ^ joined &>> 1 ^ (0 &- (joined & 1)) & 0x9908_b0df
    }
    let rest = length - middle
    for i in 0..<rest { words[i] = twisted(i, i &+ 1, i &+ middle) }
    for i in rest..<length - 1 { words[i] = twisted(i, i &+ 1, i &- rest) }
    words[length - 1] = twisted(length - 1, 0, middle - 1)
  }

  /// The random bits of a word of the state.
  @inline(__always)
  package static func tempered(_ word: UInt32) -> UInt32 {
    var word = word
    word ^= word &>> 11
    word ^= word &<< 7 & 0x9d2c_5680
    word ^= word &<< 15 & 0xefc6_0000
    return word ^ word &>> 18
  }

  /// Uniform numbers in [0, 1) of 53 bits, each from two words, the first one high, as NumPy's
  /// `RandomState` makes them.
  @inline(__always)
  static func doubles(of words: UnsafePointer<UInt32>, _ count: Int, into values: UnsafeMutablePointer<Double>) {
    for i in 0..<count {
      let (high, low) = (tempered(words[2 &* i]) &>> 5, tempered(words[2 &* i &+ 1]) &>> 6)
      values[i] = (Double(Int32(bitPattern: high)) * 0x1p26 + Double(Int32(bitPattern: low))) * 0x1p-53
    }
  }

  /// Uniform numbers in [0, 1), the low 24 bits of each word, as torch makes them.
  @inline(__always)
  static func uniforms(of words: UnsafePointer<UInt32>, _ count: Int, into values: UnsafeMutablePointer<Float>) {
    for i in 0..<count { values[i] = Float(Int32(bitPattern: tempered(words[i]) & 0xff_ffff)) * 0x1p-24 }
  }
}
