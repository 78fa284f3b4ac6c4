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
///
/// Each sample may have a seed of its own, and is then sample 0 of that seed: a picture of a batch
/// is the picture that its seed makes alone.
///
/// ```swift
/// var noise = GaussianNoise(seeds: [42, 1234, 7])
/// let xT = noise.next(like: SampleBatch<Float>(zeros: [3, 4, 64, 64]))
/// ```
public struct GaussianNoise: NoiseSource, Hashable, Codable, Sendable {
  /// The key of the generator; that of the first sample, where each has its own.
  public let seed: UInt64
  /// The address of a tensor's first sample: 8 for what samples 8, 9, ... of a larger batch get.
  public let firstSample: UInt64
  /// The key of each sample, where each has its own.
  public let seeds: [UInt64]?
  /// How many tensors have been drawn.
  public private(set) var draws: UInt32 = 0

  /// The noise of one seed, in which samples have addresses.
  public init(seed: UInt64, firstSample: UInt64 = 0) {
    (self.seed, self.firstSample, seeds) = (seed, firstSample, nil)
  }

  /// The noise of one seed after so many draws.
  package init(seed: UInt64, firstSample: UInt64, draws: UInt32) {
    self.init(seed: seed, firstSample: firstSample)
    self.draws = draws
  }

  /// The noise of a seed for each sample.
  ///
  /// - Precondition: there is a seed, and one for each sample of the tensors that are drawn.
  public init(seeds: [UInt64]) {
    stop(unless: !seeds.isEmpty, "there are no seeds; give one for each sample")
    (seed, firstSample, self.seeds) = (seeds[0], 0, seeds)
  }

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
    checkSeeds(for: samples)
    let count = samples * size
    stop(unless: buffer.count == count, "a tensor lends \(buffer.count) scalars, and has \(samples) × \(size)")
    nonisolated(unsafe) let buffer = buffer.baseAddress
    let parts = threads ?? min(Kernels.processors, count >> 16)
    Kernels.concurrently(samples: size, of: count, parts: parts) { n, part in
      let elements = part.lowerBound - n * size..<part.upperBound - n * size
      Kernels.table.normals(address(of: n), elements, buffer! + n * size)
    }
  }

  public mutating func _skip() -> GaussianNoise? {
    defer { draws &+= 1 }
    return self
  }

  /// The address of the n-th sample in the current draw.
  func address(of n: Int) -> NormalAddress {
    guard let seeds else { return NormalAddress(seed: seed, sample: firstSample &+ UInt64(n), draw: draws) }
    return NormalAddress(seed: seeds[n], sample: 0, draw: draws)
  }

  /// Ends the program if samples have seeds of their own, and there are more or fewer than seeds.
  func checkSeeds(for samples: Int) {
    guard let seeds else { return }
    stop(unless: seeds.count == samples, "\(seeds.count) seeds for a tensor of \(samples) samples; give one for each")
  }

  /// The noise of one element under the key `seed`.
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
      let address = NormalAddress(seed: seed, sample: sample, draw: draw)
      Kernels.table.normals(address, element..<element + 1, normal.baseAddress! - element)
      return normal[0]
    }
  }

  private static let mostElements = 1 << 34
}

extension GaussianNoise {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let seed = try container.decode(UInt64.self, forKey: .seed)
    if let seeds = try container.decodeIfPresent([UInt64].self, forKey: .seeds) {
      guard seeds.first == seed else {
        throw container.error(.seeds, "the seeds \(seeds) do not begin with the seed \(seed)")
      }
      self.init(seeds: seeds)
    } else {
      self.init(seed: seed, firstSample: try container.decode(UInt64.self, forKey: .firstSample))
    }
    draws = try container.decode(UInt32.self, forKey: .draws)
  }
}
