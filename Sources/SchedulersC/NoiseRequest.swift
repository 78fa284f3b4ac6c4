import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersJSON

/// What `schedulers_noise_create` is asked for.
struct NoiseRequest: Decodable {
  let source: NoiseName
  /// The source where it was saved, if it was.
  private let saved: (any NoiseSource & Codable)?
  private let seeds: [UInt64]
  /// Whether each sample has a seed of its own.
  private let isList: Bool
  private let firstSample: UInt64
  private let sigmas: [Double]?
  private let precision: String?
  private let device: String?

  private enum Key: String, CodingKey, CaseIterable {
    case source, state, seed, seeds, firstSample, sigmas, precision, device
  }

  /// - Throws: `DecodingError` for values of other types, `Refusal` for what no source has.
  init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    if let key = keys.sorted().first(where: { Key(rawValue: $0) == nil }) {
      let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
      throw Refusal.request("the key \"\(key)\" of the request is unknown here; known are \(known)")
    }
    let container = try decoder.container(keyedBy: Key.self)
    let name = try container.decode(String.self, forKey: .source)
    guard let source = NoiseName(rawValue: name) else {
      throw Refusal.unknown("noise", name, known: NoiseName.allCases.map(\.rawValue))
    }
    self.source = source
    if container.contains(.state) {
      if let key = keys.sorted().first(where: { ![Key.source, .state].map(\.rawValue).contains($0) }) {
        throw Refusal.request("\"state\" of the request says all; drop \"\(key)\"")
      }
      saved = try source.type.init(from: container.superDecoder(forKey: .state))
      (seeds, isList, firstSample, sigmas, precision, device) = ([], false, 0, nil, nil, nil)
      return
    }
    saved = nil
    isList = container.contains(.seeds)
    guard isList != container.contains(.seed) else {
      throw Refusal.request("the request must have \"seed\", or \"seeds\", one for each sample")
    }
    seeds =
      isList
      ? try container.decode([UInt64].self, forKey: .seeds) : [try container.decode(UInt64.self, forKey: .seed)]
    firstSample = try container.decodeIfPresent(UInt64.self, forKey: .firstSample) ?? 0
    sigmas = try container.decodeIfPresent([Double].self, forKey: .sigmas)
    precision = try container.decodeIfPresent(String.self, forKey: .precision)
    device = try container.decodeIfPresent(String.self, forKey: .device)
    func refuse(_ key: Key, unless isKnown: Bool, _ instead: String) throws(Refusal) {
      guard keys.contains(key.rawValue), !isKnown else { return }
      throw .request("\"\(key.rawValue)\" means nothing for source \(name); drop it, or choose \(instead)")
    }
    try refuse(.seeds, unless: [.philox, .torchCPU, .torchSDE].contains(source), "philox, torch-cpu or torch-sde")
    try refuse(.firstSample, unless: (source == .philox && !isList) || source == .brownian, "philox or brownian")
    try refuse(.sigmas, unless: source == .torchSDE, "torch-sde")
    try refuse(.precision, unless: source == .torchCPU || source == .numPy, "torch-cpu or numpy")
    try refuse(.device, unless: source == .torchCUDA, "torch-cuda")
    guard !seeds.isEmpty, seeds.count <= 1 << 20 else {
      throw Refusal.request("there are \(seeds.count) seeds; give one for each sample, and at most 2^20")
    }
    guard seeds[0] <= source.largestSeed else {
      throw Refusal.request("seed \(seeds[0]) of source \(name) must be in 0 ... \(source.largestSeed)")
    }
  }

  /// The source of the request.
  func makeSource() throws(Refusal) -> any NoiseSource & Codable {
    if let saved { return saved }
    let seed = seeds[0]
    switch source {
    case .philox: return isList ? GaussianNoise(seeds: seeds) : GaussianNoise(seed: seed, firstSample: firstSample)
    case .brownian: return BrownianNoise(seed: seed, firstSample: firstSample)
    case .torchCPU: return TorchNoise(seeds: seeds, precision: try named(precision, "precision") ?? .float32)
    case .torchCUDA:
      let devices = TorchCUDANoise.Device.named
      guard let found = devices.first(where: { $0.name == device ?? "a100" }) else {
        throw .unknown("device", device ?? "", known: devices.map(\.name))
      }
      return TorchCUDANoise(seed: seed, device: found.device)
    case .torchSDE:
      guard let sigmas, sigmas.count == 2, sigmas[0] >= 0, sigmas[0] < sigmas[1], sigmas[1].isFinite else {
        throw .request(
          "source torch-sde needs \"sigmas\", the smallest and the largest of the run, such as [0.03, 14.6]")
      }
      return TorchSDENoise(seeds: seeds, sigmas: sigmas[0]...sigmas[1])
    case .numPy: return NumPyGenerator(seed: seed, precision: try named(precision, "precision") ?? .float64)
    case .numPyLegacy: return NumPyRandomState(seed: UInt32(seed))
    case .jax: return JAXNoise(seed: seed)
    case .mlx: return MLXNoise(seed: seed)
    }
  }

  private func named<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String?, _ kind: String
  ) throws(Refusal) -> Value? {
    guard let name else { return nil }
    guard let value = Value(rawValue: name) else {
      throw .unknown(kind, name, known: Value.allCases.map(\.rawValue))
    }
    return value
  }
}
