import Schedulers

/// A key of JAX's default generator, Threefry-2x32: `jax.random.key(seed)`.
///
/// - Accuracy: the bits of JAX 0.10 on a CPU with fused multiply-add, in float32. Other devices
///   compute another logarithm: normals are within 5e-7 of these, as far as other orders of the
///   same operations show; uniforms are the same.
///
/// Source: JAX 0.10, `jax/_src/prng.py` and `random.py`, with
/// `jax_threefry_partitionable`, the default.
public struct JAXKey: Hashable, Codable, Sendable {
  private let high: UInt32
  private let low: UInt32

  /// The key of a seed, of which JAX takes the low 32 bits unless it is told to use 64.
  public init(seed: UInt64) { self.init(0, UInt32(truncatingIfNeeded: seed)) }

  private init(_ high: UInt32, _ low: UInt32) { (self.high, self.low) = (high, low) }

  /// `count` new keys, as `jax.random.split` makes them.
  public func split(_ count: Int = 2) -> [JAXKey] {
    (0..<count).map { i in
      let words = words(UInt64(i))
      return JAXKey(words.0, words.1)
    }
  }

  /// Uniform numbers in [0, 1), as `jax.random.uniform` draws them: multiples of 2⁻²³.
  public func uniforms(_ count: Int) -> [Float] { (0..<count).map { uniform($0) } }

  /// Standard normal numbers, as `jax.random.normal` draws them: √2·erf⁻¹ of uniforms in (−1, 1).
  public func normals(_ count: Int) -> [Float] {
    (0..<count).map { i in
      // The span is 2 in float32; a uniform of 0 gives the smallest number above −1.
      let uniform = max((-1 as Float).nextUp, uniform(i) * 2 + (-1 as Float).nextUp)
      return 0x1.6a09e6p+0 * JAXArithmetic.inverseErrorFunction(uniform)
    }
  }

  private func uniform(_ i: Int) -> Float {
    let words = words(UInt64(i))
    return Float(bitPattern: (words.0 ^ words.1) >> 9 | 0x3f80_0000) - 1
  }

  private func words(_ counter: UInt64) -> (UInt32, UInt32) {
    Threefry.words(
      counter: (UInt32(truncatingIfNeeded: counter >> 32), UInt32(truncatingIfNeeded: counter)), key: (high, low))
  }
}

/// The noise of JAX: for each draw `key, subkey = jax.random.split(key)`, and
/// `jax.random.normal(subkey, shape)`.
///
/// A tensor is one draw of all its numbers, each of which depends on its position alone: a batch
/// begins with the numbers of a smaller one. The accuracy is that of `JAXKey`.
public struct JAXNoise: NoiseSource, Hashable, Codable, Sendable {
  /// The key that the next draw splits.
  public private(set) var key: JAXKey

  /// The noise of `jax.random.key(seed)`.
  public init(seed: UInt64) { key = JAXKey(seed: seed) }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    let keys = key.split()
    key = keys[0]
    return Tensor(scalars: Tensor.Scalar.rounding(keys[1].normals(other.sampleCount * other.sampleSize)), like: other)
  }
}
