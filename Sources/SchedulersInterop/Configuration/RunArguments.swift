/// What a pipeline gives to `set_timesteps` and `step`, with diffusers' names and defaults.
public struct RunArguments: Hashable, Sendable {
  /// DDIM and TCD: how much fresh noise is drawn; `nil` for 0 and 0.3.
  public var eta: Double?
  /// DDIM: whether epsilon is made again from the clipped x̂0.
  public var usesClippedModelOutput: Bool
  /// Euler, EDM's too, and flow matching by Heun: how much noise is added before a step (Karras et
  /// al. 2022, https://arxiv.org/abs/2206.00364, algorithm 2).
  public var churn: Double
  /// The smallest sigma at which that noise is added; of flow matching, its noise, 0 to 1.
  public var churnMinimum: Double
  /// The largest sigma at which that noise is added.
  public var churnMaximum: Double
  /// The deviation of that noise; DPM++ SDE: the factor of all of its noise.
  public var churnNoise: Double
  /// LMS: how many evaluations a step looks at, 1 to 4.
  public var order: Int
  /// mu, from which a dynamic shift of rectified flow follows. The times are those of
  /// `set_timesteps(steps, mu=mu)`, unless `sigmas` are given.
  public var mu: Double?
  /// FlowMatchEulerDiscreteScheduler and FlowMatchLCMScheduler: times before the shift; `nil` for
  /// its own.
  ///
  /// There are as many as steps, above 0 and at most 1, each below the one before it. Flux's
  /// pipeline gives N from 1 to 1/N in equal steps.
  public var sigmas: [Double]?
  /// RePaint: how many steps a jump goes back.
  public var jumpLength: Int
  /// RePaint: how often a stretch of so many steps is made.
  public var resamplings: Int

  /// Arguments; those not given have diffusers' defaults.
  public init(
    eta: Double? = nil, usesClippedModelOutput: Bool = false, churn: Double = 0, churnMinimum: Double = 0,
    churnMaximum: Double = .infinity, churnNoise: Double = 1, order: Int = 4, mu: Double? = nil,
    sigmas: [Double]? = nil, jumpLength: Int = 10, resamplings: Int = 10
  ) {
    (self.eta, self.usesClippedModelOutput, self.order) = (eta, usesClippedModelOutput, order)
    (self.churn, self.churnNoise) = (churn, churnNoise)
    (self.churnMinimum, self.churnMaximum) = (churnMinimum, churnMaximum)
    (self.mu, self.sigmas, self.jumpLength, self.resamplings) = (mu, sigmas, jumpLength, resamplings)
  }
}

extension RunArguments: Codable {
  package typealias Key = CodingKeys

  /// The names in Python.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case eta
    case usesClippedModelOutput = "use_clipped_model_output"
    case churn = "s_churn"
    case churnMinimum = "s_tmin"
    case churnMaximum = "s_tmax"
    case churnNoise = "s_noise"
    case order, mu, sigmas
    case jumpLength = "jump_length"
    case resamplings = "jump_n_sample"
  }

  /// Reads arguments under their names in Python; those that are missing have their defaults.
  ///
  /// - Throws: `DecodingError` for a name that is none of them, or a value of the wrong type.
  public init(from decoder: any Decoder) throws {
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys where Key(stringValue: key.stringValue) == nil {
      let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath + [key],
          debugDescription: "the step argument \(key.stringValue) is not supported; supported are \(known)"))
    }
    let container = try decoder.container(keyedBy: Key.self)
    self.init()
    try container.read(.eta, into: &eta)
    try container.read(.mu, into: &mu)
    try container.read(.sigmas, into: &sigmas)
    try container.read(.usesClippedModelOutput, into: &usesClippedModelOutput)
    try container.read(.churn, into: &churn)
    try container.read(.churnMinimum, into: &churnMinimum)
    try container.read(.churnMaximum, into: &churnMaximum)
    try container.read(.churnNoise, into: &churnNoise)
    try container.read(.order, into: &order)
    try container.read(.jumpLength, into: &jumpLength)
    try container.read(.resamplings, into: &resamplings)
  }
}

extension RunArguments {
  /// Throws where a class does not take an argument that is given, or a value is out of its range.
  func check(for room: some DiffusersClass) throws {
    let plain = RunArguments()
    let given: [(key: Key, value: Double, isGiven: Bool)] = [
      (.eta, eta ?? 0, (eta ?? 0) != 0), (.usesClippedModelOutput, 1, usesClippedModelOutput),
      (.churn, churn, churn != 0), (.sigmas, Double(sigmas?.count ?? 0), sigmas != nil),
      (.order, Double(order), order != plain.order), (.jumpLength, Double(jumpLength), jumpLength != plain.jumpLength),
      (.resamplings, Double(resamplings), resamplings != plain.resamplings),
    ]
    for (key, value, isGiven) in given where isGiven && !type(of: room).takes.contains(key) {
      let name = key == .sigmas ? "the number of sigmas" : key.rawValue
      throw Refusal.argument(name, value, "leave it out; only \(Self.takers(of: key)) takes it")
    }
    for (key, value) in [(Key.churn, churn), (.churnNoise, churnNoise)] {
      try require(
        value >= 0 && value <= Double(Float.greatestFiniteMagnitude),
        .argument(key.rawValue, value, "it must be 0 or more and finite"))
    }
    for (key, value) in [(Key.churnMinimum, churnMinimum), (.churnMaximum, churnMaximum)] {
      guard !value.isNaN else { throw Refusal.argument(key.rawValue, value, "it must be a number") }
    }
    if let mu {
      try require(
        room.takesMu && mu.isFinite, .argument(Key.mu.rawValue, mu, "it is a number, for use_dynamic_shifting"))
    }
  }

  /// The classes that take an argument, in words.
  private static func takers(of key: Key) -> String {
    let names = DiffusersConfiguration.Class.allCases.filter { $0.type.takes.contains(key) }.map(\.rawValue)
    return names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
  }
}
