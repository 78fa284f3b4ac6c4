import SchedulersKernelsBaseline

/// A random number generator for training whose whole state is a seed, a stream and a position.
///
/// The n-th number depends on nothing else, so a saved run continues with the same numbers, on
/// every machine, and each worker has numbers of its own by taking its rank as the stream.
///
/// ```swift
/// var generator = PhiloxGenerator(seed: 42, stream: 3)
/// let draws = sampler.draw(count: 64, using: &generator)
/// ```
///
/// Layout: number n is the low (n even) or the high half of the Philox4x32-10 words of counter
/// (⌊n/2⌋, stream), each as two words with the low one first, under the key seed ⊕
/// 0x74696D6573746570. So it shares no words with `GaussianNoise` of the same seed.
public struct PhiloxGenerator: RandomNumberGenerator, Hashable, Codable, Sendable {
  /// Which family of numbers.
  public let seed: UInt64
  /// Which sequence of the family.
  public let stream: UInt64
  /// How many numbers have been drawn. Set it to go to any place in the sequence.
  public var position: UInt64 = 0

  public init(seed: UInt64, stream: UInt64 = 0) { (self.seed, self.stream) = (seed, stream) }

  public mutating func next() -> UInt64 {
    let block = position / 2
    let words = Philox.words(
      counter: (
        UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
        UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
      ), key: seed ^ 0x7469_6D65_7374_6570)
    let (low, high) = position.isMultiple(of: 2) ? (words.0, words.1) : (words.2, words.3)
    position &+= 1
    return UInt64(high) << 32 | UInt64(low)
  }
}

extension RandomNumberGenerator {
  /// A uniform number of (0, 1): (k + 1/2)·2⁻⁵², where k is the upper 52 bits of the next 64.
  mutating func uniform() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }
}
