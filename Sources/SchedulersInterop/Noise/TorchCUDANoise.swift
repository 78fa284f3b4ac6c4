import Schedulers
import SchedulersKernelsBaseline

/// The noise of torch on a CUDA device: `torch.randn(..., device="cuda")` for the same seed.
///
/// ```swift
/// var noise = TorchCUDANoise(seed: 0, device: .rtx4090)
/// ```
///
/// Each thread of a launch takes four normals from its own stream and writes them a whole launch
/// apart. So a tensor that is larger than what the device runs at once, multiprocessors times
/// threads of each, depends on the model of the device; a smaller one does not.
///
/// - Accuracy: of the layout, exact; of the numbers, about 1e-6 from what CUDA computes and 3e-6 at
///   worst, as estimated, since its sine and cosine are those of the hardware. It agrees with the
///   values that emulators publish. **It has not been checked on a device.**
/// - Precision: float32. float16 and bfloat16 tensors on a device are these numbers rounded;
///   float64 is another stream, and not here.
///
/// Source: torch 2.13, `cuda/DistributionTemplates.h` and cuRAND's `curand_normal4` on
/// Philox4x32-10.
public struct TorchCUDANoise: NoiseSource, Hashable, Codable, Sendable {
  /// How much a device runs at once.
  public struct Device: Hashable, Codable, Sendable {
    /// `multi_processor_count` of `torch.cuda.get_device_properties`.
    public let multiprocessors: Int
    /// `max_threads_per_multi_processor` of `torch.cuda.get_device_properties`.
    public let threadsPerMultiprocessor: Int

    /// A device by its properties.
    ///
    /// - Precondition: there is a multiprocessor, and 256 ... 65,536 threads for each.
    public init(multiprocessors: Int, threadsPerMultiprocessor: Int) {
      precondition(
        Self.isPossible(multiprocessors, threadsPerMultiprocessor),
        "a device of \(multiprocessors) multiprocessors with \(threadsPerMultiprocessor) threads each; "
          + "there must be 1 ... 65536 and 256 ... 65536")
      (self.multiprocessors, self.threadsPerMultiprocessor) = (multiprocessors, threadsPerMultiprocessor)
    }

    fileprivate static func isPossible(_ multiprocessors: Int, _ threads: Int) -> Bool {
      (1...65536).contains(multiprocessors) && (256...65536).contains(threads)
    }

    /// Blocks of 256 threads, the size of torch's launches, that run at once.
    fileprivate var blocks: Int { multiprocessors * (threadsPerMultiprocessor / TorchCUDANoise.blockSize) }
  }

  /// The key of the generator.
  public let seed: UInt64
  /// The device that the noise is drawn on.
  public let device: Device
  /// How many words each thread's stream is ahead, as torch's generator keeps it: a multiple of 4.
  public private(set) var offset: UInt64

  fileprivate static let blockSize = 256

  /// The noise of a seed.
  ///
  /// - Parameters:
  ///   - seed: that of `torch.manual_seed`, all 64 bits.
  ///   - device: which one torch draws on; tensors beyond its size depend on it.
  ///   - offset: where the generator stands, 0 when fresh, a multiple of 4.
  public init(seed: UInt64, device: Device = .a100, offset: UInt64 = 0) {
    precondition(offset.isMultiple(of: 4), "the offset \(offset) is no multiple of 4, as torch's are")
    (self.seed, self.device, self.offset) = (seed, device, offset)
  }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    Tensor(scalars: Tensor.Scalar.rounding(normals(other.sampleCount * other.sampleSize)), like: other)
  }

  private mutating func normals(_ count: Int) -> [Float] {
    guard count > 0 else { return [] }
    let threads = min((count + Self.blockSize - 1) / Self.blockSize, device.blocks) * Self.blockSize
    // Rounds in which every thread writes four numbers, `threads` apart.
    let rounds = (count - 1) / (threads * 4) + 1
    defer { offset &+= UInt64(rounds) * 4 }
    return [Float](unsafeUninitializedCapacity: count) { values, initialized in
      for round in 0..<rounds {
        let counter = offset / 4 &+ UInt64(round)
        for thread in 0..<threads {
          let first = round * threads * 4 + thread
          guard first < count else { break }
          let words = Philox.words(
            counter: (UInt32(truncatingIfNeeded: counter), UInt32(counter >> 32), UInt32(thread), 0), key: seed)
          func write(_ normals: (Float, Float), _ k: Int) {
            let (i, j) = (first + k * threads, first + (k + 1) * threads)
            if i < count { values.initializeElement(at: i, to: normals.0) }
            if j < count { values.initializeElement(at: j, to: normals.1) }
          }
          write(Self.pair(words.0, words.1), 0)
          write(Self.pair(words.2, words.3), 2)
        }
      }
      initialized = count
    }
  }

  /// cuRAND's Box and Muller: the sine first, and angles of a whole turn in 32 bits.
  private static func pair(_ x: UInt32, _ y: UInt32) -> (Float, Float) {
    let u = Float(x) * 0x1p-32 + 0x1p-33
    // The compiler fuses this one; in the one above the product is exact.
    let angle = (0x1.921fb6p-31 as Float).addingProduct(Float(y), 0x1.921fb6p-30)
    let radius = (-2 * Math.log(u)).squareRoot()
    return (radius * Math.sin(angle), radius * Math.cos(angle))
  }
}

extension TorchCUDANoise.Device {
  /// Tesla T4: 40 multiprocessors of 1,024 threads.
  public static let t4 = Self(multiprocessors: 40, threadsPerMultiprocessor: 1024)
  /// Tesla V100: 80 multiprocessors of 2,048 threads.
  public static let v100 = Self(multiprocessors: 80, threadsPerMultiprocessor: 2048)
  /// A100: 108 multiprocessors of 2,048 threads.
  public static let a100 = Self(multiprocessors: 108, threadsPerMultiprocessor: 2048)
  /// H100 SXM: 132 multiprocessors of 2,048 threads.
  public static let h100 = Self(multiprocessors: 132, threadsPerMultiprocessor: 2048)
  /// GeForce RTX 3090: 82 multiprocessors of 1,536 threads.
  public static let rtx3090 = Self(multiprocessors: 82, threadsPerMultiprocessor: 1536)
  /// GeForce RTX 4090: 128 multiprocessors of 1,536 threads.
  public static let rtx4090 = Self(multiprocessors: 128, threadsPerMultiprocessor: 1536)
}

// MARK: - Saving

extension TorchCUDANoise.Device {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    multiprocessors = try container.decode(Int.self, forKey: .multiprocessors)
    threadsPerMultiprocessor = try container.decode(Int.self, forKey: .threadsPerMultiprocessor)
    guard Self.isPossible(multiprocessors, threadsPerMultiprocessor) else {
      throw container.corrupted(
        .multiprocessors, "no device has \(multiprocessors) multiprocessors of \(threadsPerMultiprocessor) threads")
    }
  }
}

extension TorchCUDANoise {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    seed = try container.decode(UInt64.self, forKey: .seed)
    device = try container.decode(Device.self, forKey: .device)
    offset = try container.decode(UInt64.self, forKey: .offset)
    guard offset.isMultiple(of: 4) else {
      throw container.corrupted(.offset, "the offset \(offset) is no multiple of 4")
    }
  }
}
