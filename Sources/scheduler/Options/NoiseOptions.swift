import ArgumentParser
import Schedulers
import SchedulersInterop

/// Which noise, and as whose.
struct NoiseOptions: ParsableArguments {
  @Option(
    help: """
      Whose noise a seed means: philox (this library's), brownian (the same image for any number of steps, nearly), \
      torch-cpu, torch-cuda, numpy (default_rng), numpy-legacy (RandomState), jax, mlx.
      """)
  var noise = NoiseName.philox.rawValue

  @Option(parsing: .unconditional, help: "The seed of the noise, 0 ... 2^64 - 1.")
  var seed: WholeNumber = 0

  @Option(
    help: """
      The type that the other library draws in: float32, float64, float16, bfloat16 for torch-cpu; float64, float32 \
      for numpy. (default: the first of each)
      """)
  var precision: String?

  @Option(help: "The code path of torch-cpu: avx2, or standard for processors without. (default: avx2)")
  var arithmetic: String?

  @Option(
    help: """
      The device of torch-cuda, which decides how the numbers of large tensors lie: \
      \(TorchCUDANoise.Device.named.map(\.name).joined(separator: ", ")). (default: a100)
      """)
  var device: String?

  /// A source, and whether it draws numbers that take a Double.
  struct Choice {
    let source: any NoiseSource
    let isDouble: Bool
    /// The source for samples from an address on; other libraries know no addresses.
    var addressed: ((UInt64) -> any NoiseSource)?
    /// Whether each sample has an address, so that batches can be taken apart.
    var isAddressed: Bool { addressed != nil }

    /// The source for samples from an address on.
    func source(firstSample: Int) -> any NoiseSource { addressed?(UInt64(firstSample)) ?? source }
  }

  /// - Throws: `Failure` for an unknown name, an option that the source does not have, and a seed
  ///   outside its range.
  func choice() throws(Failure) -> Choice {
    // torchsde's noise asks for the ends of a run as well.
    let names = NoiseName.allCases.filter { $0 != .torchSDE }
    let unknown = Failure.unknown("noise", noise, known: names.map(\.rawValue))
    guard let name = NoiseName(rawValue: noise) else { throw unknown }
    let other = "--noise \(noise)"
    try refuse(
      "--precision", precision, unless: name == .torchCPU || name == .numPy, because: other,
      instead: "torch-cpu or numpy")
    try refuse("--arithmetic", arithmetic, unless: name == .torchCPU, because: other, instead: "torch-cpu")
    try refuse("--device", device, unless: name == .torchCUDA, because: other, instead: "torch-cuda")
    let seed = try seed.value(of: "--seed", in: 0...name.largestSeed)
    switch name {
    case .philox:
      return Choice(source: GaussianNoise(seed: seed), isDouble: false) { GaussianNoise(seed: seed, firstSample: $0) }
    case .brownian:
      return Choice(source: BrownianNoise(seed: seed), isDouble: false) { BrownianNoise(seed: seed, firstSample: $0) }
    case .torchCPU:
      let precision: TorchGenerator.Precision = try named("precision", precision) ?? .float32
      let source = TorchNoise(
        seed: seed, precision: precision, arithmetic: try named("arithmetic", arithmetic) ?? .avx2)
      return Choice(source: source, isDouble: precision == .float64)
    case .torchCUDA:
      let device = device ?? "a100"
      guard let found = TorchCUDANoise.Device.named.first(where: { $0.name == device }) else {
        throw Failure.unknown("device", device, known: TorchCUDANoise.Device.named.map(\.name))
      }
      return Choice(source: TorchCUDANoise(seed: seed, device: found.device), isDouble: false)
    case .torchSDE: throw unknown
    case .numPy:
      let precision: NumPyGenerator.Precision = try named("precision", precision) ?? .float64
      return Choice(source: NumPyGenerator(seed: seed, precision: precision), isDouble: precision == .float64)
    case .numPyLegacy: return Choice(source: NumPyRandomState(seed: UInt32(seed)), isDouble: true)
    case .jax: return Choice(source: JAXNoise(seed: seed), isDouble: false)
    case .mlx: return Choice(source: MLXNoise(seed: seed), isDouble: false)
    }
  }

  private func named<Value: RawRepresentable<String> & CaseIterable>(
    _ kind: String, _ name: String?
  ) throws(Failure) -> Value? {
    guard let name else { return nil }
    guard let value = Value(rawValue: name) else {
      throw Failure.unknown(kind, name, known: Value.allCases.map(\.rawValue))
    }
    return value
  }
}
