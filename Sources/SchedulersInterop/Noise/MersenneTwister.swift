import Schedulers
import SchedulersKernelInterface
import SchedulersKernels
import SchedulersKernelsBaseline

/// The 32-bit Mersenne Twister MT19937, of torch and NumPy's `RandomState`, seeded as
/// `init_genrand` does.
///
/// Source: [Matsumoto and Nishimura 1998](https://doi.org/10.1145/272991.272995), and their program
/// of 2002.
struct MersenneTwister: Hashable, Sendable {
  private static let length = 624

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
    position += 1
    return Twister.tempered(words[position - 1])
  }

  /// Two words, the first one high: what both libraries take where they want 64 bits.
  mutating func next64() -> UInt64 {
    let high = UInt64(next32())
    return high << 32 | UInt64(next32())
  }

  /// Uniform numbers in [0, 1), the low 24 bits of words: as many as are made together, up to
  /// `count`.
  ///
  /// - Returns: how many.
  mutating func uniforms(_ values: UnsafeMutablePointer<Float>, atMost count: Int) -> Int {
    if position == Self.length { twist() }
    let made = min(count, Self.length - position)
    words.withUnsafeBufferPointer { Kernels.table.torch.uniforms($0.baseAddress! + position, made, values) }
    position += made
    return made
  }

  /// Uniform numbers in [0, 1) of 53 bits, as many as are made together, up to `count`, 1 or more.
  ///
  /// - Returns: how many.
  mutating func doubles(_ values: UnsafeMutablePointer<Double>, atMost count: Int) -> Int {
    if position == Self.length { twist() }
    if position == Self.length - 1 {
      // The last word of the state and the first of the next.
      let last = words[position]
      twist()
      [last, words[0]].withUnsafeBufferPointer { Kernels.table.torch.doubles($0.baseAddress!, 1, values) }
      position = 1
      return 1
    }
    let made = min(count, (Self.length - position) / 2)
    words.withUnsafeBufferPointer { Kernels.table.torch.doubles($0.baseAddress! + position, made, values) }
    position += 2 * made
    return made
  }

  /// Takes back so many numbers of 53 bits, made last and together.
  mutating func takeBack(doubles count: Int) { position -= 2 * count }

  private mutating func twist() {
    words.withUnsafeMutableBufferPointer { Kernels.table.torch.twist($0.baseAddress!) }
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
      throw container.corrupted(
        .words,
        "a Mersenne Twister has \(Self.length) words and a position in 0 ... \(Self.length), "
          + "not \(words.count) and \(position)")
    }
  }
}
