import Schedulers

/// NumPy's older generator: `numpy.random.RandomState(seed)` and, after `numpy.random.seed(seed)`,
/// `numpy.random.randn` and the rest.
///
/// As a noise source it gives `randn` in the tensor's shape: samples depend on their batch.
///
/// - Accuracy: NumPy's bits; normals use the logarithm of the C library, as NumPy does: the same
///   bits with the same library, within 2⁻⁵⁰ of the number with another.
///
/// Source: NumPy 2.4, `legacy-distributions.c`, `mt19937.c`, `_bounded_integers.pyx`.
public struct NumPyRandomState: NoiseSource, Hashable, Codable, Sendable {
  private var words: MersenneTwister
  /// The second normal of the last pair.
  private var spare: Double?

  /// The generator of a seed.
  public init(seed: UInt32) { words = MersenneTwister(seed: seed) }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    Tensor(scalars: Tensor.Scalar.rounding(normals(other.sampleCount * other.sampleSize)), like: other)
  }

  /// Standard normal numbers, as `randn` draws them: Marsaglia's polar method, the second of a pair
  /// first.
  ///
  /// Source: [Marsaglia and Bray 1964](https://doi.org/10.1137/1006063).
  public mutating func normals(_ count: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { normals, initialized in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 64) { uniforms in
        // Those that are made, and how many of them are used.
        var (made, used) = (0, 0)
        func uniform() -> Double {
          if used == made { (made, used) = (words.doubles(uniforms.baseAddress!, atMost: 64), 0) }
          used += 1
          return uniforms[used - 1]
        }
        while initialized < count {
          if let waiting = spare {
            spare = nil
            normals.initializeElement(at: initialized, to: waiting)
            initialized += 1
            continue
          }
          let x = 2 * uniform() - 1
          let y = 2 * uniform() - 1
          let square = x * x + y * y
          guard square < 1, square != 0 else { continue }
          let factor = (-2 * Math.log(square) / square).squareRoot()
          spare = factor * x
          normals.initializeElement(at: initialized, to: factor * y)
          initialized += 1
        }
        words.takeBack(doubles: made - used)
      }
    }
  }

  /// Uniform numbers in [0, 1), as `random_sample` and `rand` draw them.
  public mutating func uniforms(_ count: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { values, initialized in
      while initialized < count {
        initialized += words.doubles(values.baseAddress! + initialized, atMost: count - initialized)
      }
    }
  }

  /// `count` whole numbers of a range that is not empty, each equally likely: `randint`, as it
  /// draws its default type.
  public mutating func integers(in range: Range<Int>, count: Int) -> [Int] {
    precondition(!range.isEmpty, "there are no integers in \(range)")
    let largest = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) - 1
    return (0..<count).map { _ in range.lowerBound &+ Int(truncatingIfNeeded: words.masked(upTo: largest)) }
  }

  /// The numbers below `count` in random order, as `permutation` draws them.
  public mutating func permutation(_ count: Int) -> [Int] { words.permutation(count) }
}

/// A generator that gives words of two sizes.
protocol WordGenerator {
  mutating func next32() -> UInt32
  mutating func next64() -> UInt64
}

extension MersenneTwister: WordGenerator {}
extension PCG64: WordGenerator {}

extension WordGenerator {
  /// A whole number in 0 ... `largest`, each equally likely: words cut to its bits until one is not
  /// larger.
  mutating func masked(upTo largest: UInt64) -> UInt64 {
    guard largest > 0 else { return 0 }
    let mask = UInt64.max >> largest.leadingZeroBitCount
    while true {
      let value = (largest <= UInt32.max ? UInt64(next32()) : next64()) & mask
      if value <= largest { return value }
    }
  }

  /// The numbers below `count` in random order, as both of NumPy's generators shuffle them.
  mutating func permutation(_ count: Int) -> [Int] {
    precondition(count >= 0, "a permutation of \(count) numbers")
    var numbers = Array(0..<count)
    for i in numbers.indices.dropFirst().reversed() { numbers.swapAt(i, Int(masked(upTo: UInt64(i)))) }
    return numbers
  }
}
