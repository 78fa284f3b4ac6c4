import SchedulersKernelInterface
import SchedulersKernels

/// Gaussian noise in which every number has an address: seed, sample, draw, element.
///
/// A sample's noise does not depend on the batch it sits in, on the number of threads, or on the
/// machine. The numbers of a seed do not change within a major version of this library.
///
/// ```swift
/// var noise = GaussianNoise(seed: 42)
/// let xT = noise.next(like: SampleBatch<Float>(zeros: [64, 1, 8, 8]))
/// ```
///
/// Layout: element i of a sample lies in block b = i / 256 at plane p = i % 256 / 64, lane j = i %
/// 64. Counter (64·b + j, draw, sample's low half, sample's high half) under the seed as key gives
/// four Philox words; planes 0 and 1 are the Box–Muller pair of the first two, planes 2 and 3 that
/// of the last two.
///
/// The numbers are made in Float, and converted: a run in Double sees the same noise.
public struct GaussianNoise: NoiseSource, Hashable, Codable, Sendable {
  /// The key of the generator.
  public let seed: UInt64
  /// The address of a tensor's first sample: 8 for what samples 8, 9, ... of a larger batch get.
  public let firstSample: UInt64
  /// How many tensors have been drawn.
  public private(set) var draws: UInt32 = 0

  public init(seed: UInt64, firstSample: UInt64 = 0) { (self.seed, self.firstSample) = (seed, firstSample) }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    defer { draws &+= 1 }
    return Tensor(
      scalars: Tensor.Scalar.rounding(normals(samples: other.sampleCount, size: other.sampleSize)), like: other)
  }

  /// Makes the next draw in place.
  ///
  /// - `threads`: how many threads it is spread over; `nil` for as many as pay.
  public mutating func fill<Tensor: ContiguousTensor<Float>>(_ tensor: inout Tensor, threads: Int? = nil) {
    let (samples, size) = (tensor.sampleCount, tensor.sampleSize)
    tensor.withMutableScalars { fill($0, samples: samples, size: size, threads: threads) }
    draws &+= 1
  }

  /// The numbers of the current draw, sample after sample.
  func normals(samples: Int, size: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: samples * size) { buffer, initialized in
      fill(buffer, samples: samples, size: size, threads: nil)
      initialized = samples * size
    }
  }

  private func fill(_ buffer: UnsafeMutableBufferPointer<Float>, samples: Int, size: Int, threads: Int?) {
    stop(unless: size <= Self.mostElements, "a sample has at most 2^34 elements of noise")
    let count = samples * size
    nonisolated(unsafe) let buffer = buffer.baseAddress
    Kernels.concurrently(count, parts: threads ?? min(Kernels.processors, count >> 16), block: 1024) { range in
      guard let buffer else { return }
      for n in range.lowerBound / size...(range.upperBound - 1) / size {
        let part = range.clamped(to: n * size..<(n + 1) * size)
        let elements = part.lowerBound - n * size..<part.upperBound - n * size
        Kernels.table.normals(address(sample: firstSample &+ UInt64(n), draw: draws), elements, buffer + n * size)
      }
    }
  }

  public mutating func _skip() -> GaussianNoise? {
    defer { draws &+= 1 }
    return self
  }

  func address(sample: UInt64, draw: UInt32) -> NormalAddress { NormalAddress(seed: seed, sample: sample, draw: draw) }

  /// The noise of one element.
  ///
  /// - Parameters:
  ///   - element: the position in the sample, below 2³⁴.
  ///   - sample: the sample's address.
  ///   - draw: which tensor, counted from 0.
  public func normal(element: Int, sample: UInt64, draw: UInt32) -> Float {
    stop(
      unless: (0..<Self.mostElements).contains(element),
      "element \(element) is outside 0 ..< 2^34, the elements of a sample")
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { normal in
      Kernels.table.normals(address(sample: sample, draw: draw), element..<element + 1, normal.baseAddress! - element)
      return normal[0]
    }
  }

  private static let mostElements = 1 << 34
}
