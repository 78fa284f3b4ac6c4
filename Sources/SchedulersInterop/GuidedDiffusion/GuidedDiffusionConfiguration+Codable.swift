import Schedulers

extension GuidedDiffusionConfiguration: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case className = "_class_name"
    case steps
    case learnSigma = "learn_sigma"
    case sigmaSmall = "sigma_small"
    case noiseSchedule = "noise_schedule"
    case useKL = "use_kl"
    case predictXStart = "predict_xstart"
    case rescaleTimesteps = "rescale_timesteps"
    case rescaleLearnedSigmas = "rescale_learned_sigmas"
    case timestepRespacing = "timestep_respacing"
    case sampler, eta
    case clipDenoised = "clip_denoised"
  }

  private static let switches: [(Key, WritableKeyPath<Self, Bool> & Sendable)] = [
    (.learnSigma, \.learnSigma), (.sigmaSmall, \.sigmaSmall), (.useKL, \.useKL), (.predictXStart, \.predictXStart),
    (.rescaleTimesteps, \.rescaleTimesteps), (.rescaleLearnedSigmas, \.rescaleLearnedSigmas),
    (.clipDenoised, \.clipDenoised),
  ]

  /// Reads arguments; those left out have guided-diffusion's defaults. So may `_class_name` be.
  ///
  /// - Throws: `ConfigurationError.unsupportedClass` for another class; `DecodingError` with the
  ///   coding path for a value of the wrong type, an unknown method, or a respacing that cannot be
  ///   read.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let className = try container.decodeIfPresent(String.self, forKey: .className) ?? Self.className
    guard className == Self.className else { throw ConfigurationError.unsupportedClass(className) }
    if let number = try container.decodeIfPresent(Double.self, forKey: .steps) {
      guard let whole = Int(exactly: number) else {
        throw container.corrupted(.steps, "\(number.plain) is not a whole number")
      }
      steps = whole
    }
    for (key, path) in Self.switches { try container.read(key, into: &self[keyPath: path]) }
    try container.read(.noiseSchedule, into: &noiseSchedule)
    timestepRespacing = try Self.respacing(in: container)
    try container.read(.sampler, into: &sampler)
    try container.read(.eta, into: &eta)
    let known = Set(Key.allCases.map(\.rawValue))
    ignoredKeys = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).filter { !known.contains($0) }
      .sorted()
  }

  /// "10,15,20", "ddim50", [10, 15, 20] or 50; nothing where Python sees nothing, as in "" and [].
  private static func respacing(in container: KeyedDecodingContainer<Key>) throws -> Respacing? {
    let key = Key.timestepRespacing
    guard container.contains(key), try !container.decodeNil(forKey: key) else { return nil }
    if let count = try? container.decode(Int.self, forKey: key) { return count == 0 ? nil : .sections([count]) }
    if let counts = try? container.decode([Int].self, forKey: key) { return counts.isEmpty ? nil : .sections(counts) }
    let text = try container.decode(String.self, forKey: key)
    do { return text.isEmpty ? nil : try Respacing(parsing: text) } catch { throw container.corrupted(key, "\(error)") }
  }

  /// Writes every argument under its name, and `_class_name`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Self.className, forKey: .className)
    try container.encode(steps, forKey: .steps)
    for (key, path) in Self.switches { try container.encode(self[keyPath: path], forKey: key) }
    try container.encode(noiseSchedule, forKey: .noiseSchedule)
    try container.encode(timestepRespacing?.text ?? "", forKey: .timestepRespacing)
    try container.encode(sampler, forKey: .sampler)
    try container.encode(eta, forKey: .eta)
  }
}

extension Respacing {
  /// As guided-diffusion writes it, and as `init(parsing:)` reads it.
  public var text: String {
    switch self {
    case .sections(let counts): counts.map { "\($0)" }.joined(separator: ",")
    case .ddim(let count): "ddim\(count)"
    }
  }
}
