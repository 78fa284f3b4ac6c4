import Schedulers

/// Whose noise a seed means: the names on the command line and in requests.
package enum NoiseName: String, CaseIterable, Sendable {
  case philox, brownian
  case torchCPU = "torch-cpu"
  case torchCUDA = "torch-cuda"
  case torchSDE = "torch-sde"
  case numPy = "numpy"
  case numPyLegacy = "numpy-legacy"
  case jax, mlx

  /// The type of its sources.
  package var type: any (NoiseSource & Codable).Type {
    switch self {
    case .philox: GaussianNoise.self
    case .brownian: BrownianNoise.self
    case .torchCPU: TorchNoise.self
    case .torchCUDA: TorchCUDANoise.self
    case .torchSDE: TorchSDENoise.self
    case .numPy: NumPyGenerator.self
    case .numPyLegacy: NumPyRandomState.self
    case .jax: JAXNoise.self
    case .mlx: MLXNoise.self
    }
  }

  /// The largest seed that the library takes.
  package var largestSeed: UInt64 { self == .numPyLegacy || self == .jax ? UInt64(UInt32.max) : .max }
}

extension TorchCUDANoise.Device {
  /// The devices that have a name.
  package static let named: [(name: String, device: Self)] = [
    ("t4", .t4), ("v100", .v100), ("a100", .a100), ("h100", .h100), ("rtx3090", .rtx3090), ("rtx4090", .rtx4090),
  ]
}
