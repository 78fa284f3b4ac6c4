import Schedulers

/// A key of MLX's generator, Threefry-2x32: `mx.random.key(seed)`, and what is drawn with it.
///
/// - Accuracy: uniforms are MLX's to the bit. Normals pass through the logarithm of the C library:
///   the bits of MLX 0.32 on a CPU with the same library; with another, and on Apple's GPUs, within
///   2e-6, as an error of 1 ulp of the logarithm goes through.
///
/// Source: MLX 0.32, `mlx/random.cpp`, `mlx/backend/cpu/primitives.cpp`,
/// `mlx/backend/cpu/simd/math.h`.
public struct MLXKey: Hashable, Codable, Sendable {
  private let high: UInt32
  private let low: UInt32

  /// The key of a seed, all 64 bits of which count.
  public init(seed: UInt64) { self.init(UInt32(truncatingIfNeeded: seed >> 32), UInt32(truncatingIfNeeded: seed)) }

  private init(_ high: UInt32, _ low: UInt32) { (self.high, self.low) = (high, low) }

  /// `count` new keys, as `mx.random.split` makes them.
  public func split(_ count: Int = 2) -> [MLXKey] {
    let words = words(2 * count)
    return (0..<count).map { MLXKey(words[2 * $0], words[2 * $0 + 1]) }
  }

  /// Uniform numbers in [0, 1), as `mx.random.uniform` draws them in float32.
  public func uniforms(_ count: Int) -> [Float] { words(count).map { min(Float($0) * 0x1p-32, (1 as Float).nextDown) } }

  /// Standard normal numbers, as `mx.random.normal` draws them: √2·erf⁻¹ of uniforms in (−1, 1).
  public func normals(_ count: Int) -> [Float] {
    // The span from the number above −1 to 1 is rounded to 2.
    uniforms(count).map { 0x1.6a09e6p+0 * Self.inverseErrorFunction(2 * $0 - (1 as Float).nextDown) }
  }

  /// Random words, of which each counter gives two, half a tensor apart; an odd one is alone in it.
  private func words(_ count: Int) -> [UInt32] {
    let (half, odd) = (count / 2, count % 2)
    var words = [UInt32](repeating: 0, count: count)
    for i in 0..<half {
      let far = i + half + odd
      (words[i], words[far]) = Threefry.words(
        counter: (UInt32(truncatingIfNeeded: i), UInt32(truncatingIfNeeded: far)), key: (high, low))
    }
    if odd == 1 { words[half] = Threefry.words(counter: (UInt32(truncatingIfNeeded: half), 0), key: (high, low)).0 }
    return words
  }

  /// erf⁻¹(x) for x in (−1, 1), by one of two polynomials in ln(1 − x²).
  private static func inverseErrorFunction(_ x: Float) -> Float {
    let t = Math.log((1 as Float).addingProduct(x, -x))
    return x
      * Math.fusedPolynomial(
        abs(t) > 6.125
          ? [
            3.03697567e-10, 2.93243101e-8, 1.22150334e-6, 2.84108955e-5, 3.93552968e-4, 3.02698812e-3, 4.83185798e-3,
            -2.64646143e-1, 8.40016484e-1,
          ]
          : [
            5.43877832e-9, 1.43285448e-7, 1.22774793e-6, 1.12963626e-7, -5.61530760e-5, -1.47697632e-4, 2.31468678e-3,
            1.15392581e-2, -2.32015476e-1, 8.86226892e-1,
          ], at: t)
  }
}

/// The noise of MLX after `mx.random.seed(seed)`: the key is split for each draw.
///
/// A tensor is one draw of all its numbers, and what a number is depends on the size of the tensor:
/// a batch does not begin with the numbers of a smaller one. The accuracy is that of `MLXKey`.
public struct MLXNoise: NoiseSource, Hashable, Codable, Sendable {
  /// The key that the next draw splits.
  public private(set) var key: MLXKey

  /// The noise of `mx.random.seed(seed)`.
  public init(seed: UInt64) { key = MLXKey(seed: seed) }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    let keys = key.split()
    key = keys[0]
    return Tensor(scalars: Tensor.Scalar.rounding(keys[1].normals(other.sampleCount * other.sampleSize)), like: other)
  }
}
