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
  var noise = Name.philox.rawValue

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
      \(Self.deviceNames.joined(separator: ", ")). (default: a100)
      """)
  var device: String?

  private enum Name: String, CaseIterable {
    case philox, brownian
    case torchCPU = "torch-cpu"
    case torchCUDA = "torch-cuda"
    case numPy = "numpy"
    case numPyLegacy = "numpy-legacy"
    case jax, mlx
  }

  private static let devices: [(name: String, device: TorchCUDANoise.Device)] = [
    ("t4", .t4), ("v100", .v100), ("a100", .a100), ("h100", .h100), ("rtx3090", .rtx3090), ("rtx4090", .rtx4090),
  ]
  private static var deviceNames: [String] { devices.map(\.name) }

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
    guard let name = Name(rawValue: noise) else {
      throw Failure.unknown("noise", noise, known: Name.allCases.map(\.rawValue))
    }
    let other = "--noise \(noise)"
    try refuse(
      "--precision", precision, unless: name == .torchCPU || name == .numPy, because: other,
      instead: "torch-cpu or numpy")
    try refuse("--arithmetic", arithmetic, unless: name == .torchCPU, because: other, instead: "torch-cpu")
    try refuse("--device", device, unless: name == .torchCUDA, because: other, instead: "torch-cuda")
    let largest = name == .numPyLegacy || name == .jax ? UInt64(UInt32.max) : UInt64.max
    let seed = try seed.value(of: "--seed", in: 0...largest)
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
      guard let found = Self.devices.first(where: { $0.name == device }) else {
        throw Failure.unknown("device", device, known: Self.deviceNames)
      }
      return Choice(source: TorchCUDANoise(seed: seed, device: found.device), isDouble: false)
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
