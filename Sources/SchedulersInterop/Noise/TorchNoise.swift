import Schedulers

/// The noise of torch on a CPU: `torch.randn` or diffusers' `randn_tensor` for the same seed.
///
/// ```swift
/// var noise = TorchNoise(seed: 0)  // torch.Generator().manual_seed(0)
/// // torch.randn(4, 3, 64, 64)
/// let xT = noise.next(like: SampleBatch<Float>(zeros: [4, 3, 64, 64]))
/// ```
///
/// With one generator, a tensor is one draw of all its numbers: what a sample gets depends on the
/// batch it sits in. With one for each sample, as with a list in diffusers, it does not.
///
/// The accuracy is that of `TorchGenerator`.
public struct TorchNoise: NoiseSource, Hashable, Codable, Sendable {
  /// One, or one for each sample.
  public private(set) var generators: [TorchGenerator]
  /// The type that torch draws in, whatever the type of the tensor.
  public var precision: TorchGenerator.Precision
  /// The processor that torch runs on.
  public var arithmetic: TorchGenerator.Arithmetic

  /// The noise of one generator.
  public init(
    seed: UInt64, precision: TorchGenerator.Precision = .float32, arithmetic: TorchGenerator.Arithmetic = .avx2
  ) { self.init(seeds: [seed], precision: precision, arithmetic: arithmetic) }

  /// The noise of generators, one for each sample, or one for all samples.
  public init(
    seeds: [UInt64], precision: TorchGenerator.Precision = .float32, arithmetic: TorchGenerator.Arithmetic = .avx2
  ) {
    precondition(!seeds.isEmpty, "noise without a generator; give one seed, or one for each sample")
    generators = seeds.map(TorchGenerator.init)
    (self.precision, self.arithmetic) = (precision, arithmetic)
  }

  /// The next draw.
  ///
  /// - Precondition: there is one generator, or one for each sample.
  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    let count = drawn(by: other)
    let parts: [[Tensor.Scalar]] = generators.indices.map { i in
      generators[i].normals(count, precision: precision, arithmetic: arithmetic)
    }
    return Tensor(scalars: parts.count == 1 ? parts[0] : Array(parts.joined()), like: other)
  }

  /// Makes the next draw in place, as `Tensor.normal_()` does; in float64 with rounded numbers.
  ///
  /// - Parameter tensor: takes the numbers, sample after sample.
  /// - Precondition: there is one generator, or one for each sample.
  public mutating func fill<Tensor: ContiguousTensor<Float>>(_ tensor: inout Tensor) {
    let count = drawn(by: tensor)
    tensor.withMutableScalars { values in
      for i in generators.indices {
        let part = UnsafeMutableBufferPointer(rebasing: values[i * count..<(i + 1) * count])
        if precision == .float64 {
          _ = part.update(from: generators[i].normals(count, precision: precision) as [Float])
        } else {
          generators[i].fill(part, precision: precision, arithmetic: arithmetic)
        }
      }
    }
  }

  /// How many numbers each generator draws.
  private func drawn(by tensor: some ScalarTensor) -> Int {
    precondition(
      generators.count == 1 || generators.count == tensor.sampleCount,
      "\(generators.count) generators for \(tensor.sampleCount) samples; there must be one, or one for each sample")
    return tensor.sampleCount * tensor.sampleSize / generators.count
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    generators = try container.decode([TorchGenerator].self, forKey: .generators)
    precision = try container.decode(TorchGenerator.Precision.self, forKey: .precision)
    arithmetic = try container.decode(TorchGenerator.Arithmetic.self, forKey: .arithmetic)
    guard !generators.isEmpty else {
      throw container.corrupted(.generators, "noise without a generator; there must be one, or one for each sample")
    }
  }
}
