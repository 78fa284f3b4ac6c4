/// Gaussian noise in which every number has an address: seed, sample, draw, element.
///
/// A sample's noise does not depend on the batch it sits in, on the number of threads, or on the machine. The numbers of a seed do
/// not change within a major version of this library.
///
/// ```swift
/// var noise = GaussianNoise(seed: 42)
/// let xT = noise.next(like: Batch<Float>(zeros: [64, 1, 8, 8]))
/// ```
///
/// Layout: element i of a sample lies in block b = i / 256 at plane p = i % 256 / 64, lane j = i % 64. Counter
/// (64·b + j, draw, sample's low half, sample's high half) under the seed as key gives four Philox words; planes 0 and 1 are the
/// Box–Muller pair of the first two, planes 2 and 3 that of the last two.
///
/// The numbers are made in Float, and converted for other scalar types: a run in Double sees the same noise as one in Float.
public struct GaussianNoise: NoiseSource, Hashable, Codable, Sendable {
  /// The key of the generator.
  public let seed: UInt64
  /// The address of a tensor's first sample. Set it to 8 to draw what samples 8, 9, ... of a larger batch would be given.
  public let firstSample: UInt64
  /// How many tensors have been drawn.
  public private(set) var draws: UInt32 = 0

  /// The noise of a seed.
  public init(seed: UInt64, firstSample: UInt64 = 0) {
    self.seed = seed
    self.firstSample = firstSample
  }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    let normals = normals(samples: other.sampleCount, size: other.sampleSize)
    draws &+= 1
    return Tensor(scalars: Tensor.Scalar.rounding(normals), like: other)
  }

  /// The numbers of the current draw, sample after sample.
  func normals(samples: Int, size: Int) -> [Float] {
    var normals: [Float] = []
    normals.reserveCapacity(samples * size)
    for sample in 0..<samples {
      for start in stride(from: 0, to: size, by: Self.blockSize) {
        withBlock(start / Self.blockSize, sample: firstSample &+ UInt64(sample), draw: draws) { block in
          normals.append(contentsOf: block.prefix(size - start))
        }
      }
    }
    return normals
  }

  /// The noise of one element.
  ///
  /// - Parameters:
  ///   - element: the position in the sample, below 2³⁴.
  ///   - sample: the sample's address.
  ///   - draw: which tensor, counted from 0.
  public func normal(element: Int, sample: UInt64, draw: UInt32) -> Float {
    let position = element % Self.blockSize
    let lane = element / Self.blockSize * Self.lanes + position % Self.lanes
    let plane = position / Self.lanes
    let words = words(lane: lane, sample: sample, draw: draw)
    let pair = plane < 2 ? BoxMuller.normals(words.0, words.1) : BoxMuller.normals(words.2, words.3)
    return plane.isMultiple(of: 2) ? pair.0 : pair.1
  }

  private static let blockSize = 256
  private static let lanes = 64

  private func words(lane: Int, sample: UInt64, draw: UInt32) -> Philox.Words {
    precondition(lane >= 0 && lane <= Int(UInt32.max), "a sample has at most 2^34 elements of noise")
    return Philox.words(
      counter: (
        UInt32(lane), draw, UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: sample >> 32)
      ), key: seed)
  }

  /// Calls a closure with the 256 normals of one block.
  private func withBlock(
    _ block: Int, sample: UInt64, draw: UInt32, _ body: (UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.blockSize) { normals in
      for lane in 0..<Self.lanes {
        let words = words(lane: block * Self.lanes + lane, sample: sample, draw: draw)
        let first = BoxMuller.normals(words.0, words.1)
        let second = BoxMuller.normals(words.2, words.3)
        normals[lane] = first.0
        normals[lane + Self.lanes] = first.1
        normals[lane + 2 * Self.lanes] = second.0
        normals[lane + 3 * Self.lanes] = second.1
      }
      body(normals)
    }
  }
}
