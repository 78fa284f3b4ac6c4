/// What a pipeline gives to `set_timesteps` and `step`, with diffusers' names and defaults.
public struct RunArguments: Hashable, Sendable {
  /// DDIM and TCD: how much fresh noise is drawn; `nil` for 0 and 0.3.
  public var eta: Double?
  /// DDIM: whether epsilon is made again from the clipped x̂0.
  public var usesClippedModelOutput: Bool
  /// Euler, EDM's too, and flow matching by Heun: how much noise is added before a step ([Karras et
  /// al. 2022](https://arxiv.org/abs/2206.00364), algorithm 2).
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
  /// The tokens of the picture, of which the file's own constants make mu.
  public var tokens: Int?
  /// The times at which the network is called, noisiest first, in place of the class's own; on
  /// rectified flow they need not descend.
  public var timesteps: [Double]?
  /// The sigmas of those calls, in place of the class's own: rectified flow's before the shift,
  /// and for Euler with the end; EDM's Euler takes them for shares of the way, 0 to 1.
  public var sigmas: [Double]?
  /// SCM: the angle of the first call, 1.5708 if it is `nil`.
  public var firstAngle: Double?
  /// SCM: that of the second call of two, 1.3 if it is `nil`.
  public var secondAngle: Double?
  /// UnCLIP: where the first step goes, the second timestep of the run; the class is told it at
  /// every step.
  public var nextTimestep: Int?
  /// LCM and TCD: how many timesteps the network was distilled at, if not as many as the file says.
  public var originalSteps: Int?
  /// How much of the run is made, 0 to 1, as image-to-image pipelines count it: rectified flow
  /// leaves out ⌊N − N·strength⌋ steps, the others make ⌊N·strength⌋. LCM and TCD shorten the
  /// timesteps of their network instead.
  public var strength: Double?
  /// The call with which the run begins, counted from 0 as in `timesteps(steps:)`, where a second
  /// call in a step counts too.
  public var begin: Int?
  /// The call before which the run ends, counted in the same way.
  public var end: Int?
  /// Whether the pipeline has called `set_begin_index`. It matters where two timesteps are equal:
  /// not told where it begins, diffusers takes the second.
  public var setsBeginIndex: Bool
  /// The exponent of Karras' sigmas, which is 7 in every class. With another a run can be judged
  /// that had it by mistake.
  package var karrasExponent = 7.0
  /// RePaint: how many steps a jump goes back.
  public var jumpLength: Int
  /// RePaint: how often a stretch of so many steps is made.
  public var resamplings: Int

  /// Arguments; those not given have diffusers' defaults.
  public init(
    eta: Double? = nil, usesClippedModelOutput: Bool = false, churn: Double = 0, churnMinimum: Double = 0,
    churnMaximum: Double = .infinity, churnNoise: Double = 1, order: Int = 4, mu: Double? = nil,
    tokens: Int? = nil, timesteps: [Double]? = nil, sigmas: [Double]? = nil, originalSteps: Int? = nil,
    firstAngle: Double? = nil, secondAngle: Double? = nil, nextTimestep: Int? = nil, strength: Double? = nil,
    begin: Int? = nil, end: Int? = nil, setsBeginIndex: Bool = false, jumpLength: Int = 10, resamplings: Int = 10
  ) {
    (self.eta, self.usesClippedModelOutput, self.order) = (eta, usesClippedModelOutput, order)
    (self.churn, self.churnNoise) = (churn, churnNoise)
    (self.churnMinimum, self.churnMaximum) = (churnMinimum, churnMaximum)
    (self.mu, self.tokens, self.timesteps, self.sigmas) = (mu, tokens, timesteps, sigmas)
    (self.originalSteps, self.nextTimestep) = (originalSteps, nextTimestep)
    (self.firstAngle, self.secondAngle) = (firstAngle, secondAngle)
    (self.strength, self.begin, self.end, self.setsBeginIndex) = (strength, begin, end, setsBeginIndex)
    (self.jumpLength, self.resamplings) = (jumpLength, resamplings)
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
    case order, mu
    case tokens = "image_seq_len"
    case timesteps, sigmas
    case originalSteps = "original_inference_steps"
    case firstAngle = "max_timesteps"
    case secondAngle = "intermediate_timesteps"
    case nextTimestep = "prev_timestep"
    case strength
    case begin = "first_step"
    case end = "last_step"
    case setsBeginIndex = "begin_index"
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
    try container.read(.tokens, into: &tokens)
    try container.read(.timesteps, into: &timesteps)
    try container.read(.sigmas, into: &sigmas)
    try container.read(.originalSteps, into: &originalSteps)
    try container.read(.firstAngle, into: &firstAngle)
    try container.read(.secondAngle, into: &secondAngle)
    try container.read(.nextTimestep, into: &nextTimestep)
    try container.read(.strength, into: &strength)
    try container.read(.begin, into: &begin)
    try container.read(.end, into: &end)
    try container.read(.setsBeginIndex, into: &setsBeginIndex)
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
    let (plain, takes) = (RunArguments(), type(of: room).takes)
    let given: [(key: Key, value: Double, isGiven: Bool)] = [
      (.eta, eta ?? 0, (eta ?? 0) != 0), (.usesClippedModelOutput, 1, usesClippedModelOutput),
      (.churn, churn, churn != 0), (.timesteps, Double(timesteps?.count ?? 0), timesteps != nil),
      (.sigmas, Double(sigmas?.count ?? 0), sigmas != nil),
      (.originalSteps, Double(originalSteps ?? 0), originalSteps != nil),
      (.firstAngle, firstAngle ?? 0, firstAngle != nil), (.secondAngle, secondAngle ?? 0, secondAngle != nil),
      (.nextTimestep, Double(nextTimestep ?? 0), nextTimestep != nil),
      (.order, Double(order), order != plain.order), (.jumpLength, Double(jumpLength), jumpLength != plain.jumpLength),
      (.resamplings, Double(resamplings), resamplings != plain.resamplings),
    ]
    for (key, value, isGiven) in given where isGiven && !takes.contains(key) {
      let name = key == .sigmas || key == .timesteps ? "the number of \(key.rawValue)" : key.rawValue
      throw Refusal.argument(name, value, "leave it out; only \(Self.takers(of: key)) takes it")
    }
    try checkPart(hasOwnStrength: takes.contains(.strength))
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
        tokens == nil, .argument(Key.tokens.rawValue, Double(tokens ?? 0), "leave it out, or mu; either says the other")
      )
      try require(
        room.takesMu, .argument(Key.mu.rawValue, mu, "leave it out; it is for classes with use_dynamic_shifting"))
      try require(mu.isFinite, .argument(Key.mu.rawValue, mu, "it must be finite"))
    }
  }

  /// Throws where arguments about the part of a run that is made exclude each other.
  private func checkPart(hasOwnStrength: Bool) throws {
    if let strength {
      let name = Key.strength.rawValue
      try require(strength >= 0 && strength <= 1, .argument(name, strength, "it must be in 0 ... 1"))
      try require(
        hasOwnStrength || timesteps == nil && sigmas == nil,
        .argument(name, strength, "leave it out, or the given times; give those that are left, or first_step"))
      try require(
        hasOwnStrength || begin == nil,
        .argument(name, strength, "leave it out, or first_step; both say where to begin")
      )
    }
    for (key, value) in [(Key.begin, begin), (.end, end)] {
      if let value { try require(value >= 0, .argument(key.rawValue, Double(value), "it must be 0 or more")) }
    }
    if let begin, let end {
      try require(begin < end, .argument(Key.begin.rawValue, Double(begin), "it must be below last_step, \(end)"))
    }
  }

  /// The number of steps: what was asked for, or what the given times make.
  func count(_ steps: Int?, holdingEnd: Set<Key>) throws -> Int {
    var count = steps
    for (key, times) in [(Key.timesteps, timesteps), (.sigmas, sigmas)] {
      guard let times else { continue }
      let (name, hasEnd) = ("the number of \(key.rawValue)", holdingEnd.contains(key))
      let given = hasEnd ? times.count - 1 : times.count
      try require(
        given > 0, .argument(name, Double(times.count), "give one for each step" + (hasEnd ? ", and the end" : "")))
      try require(
        count ?? given == given,
        .argument(
          name, Double(times.count), "they make \(given) steps; it must be the number of steps, \(count ?? given)"))
      count = given
    }
    guard let count else { throw Refusal.steps(0, "give the number of steps, or the times") }
    return count
  }

  /// Given timesteps, if they are those of a table and, where they must, descend.
  func timesteps(of total: Int, areWhole: Bool = true, mustFall: Bool = true) throws -> [Double]? {
    guard let timesteps else { return nil }
    for (i, timestep) in timesteps.enumerated() {
      let name = "\(Key.timesteps.rawValue)[\(i)]"
      try require(
        timestep >= 0 && timestep <= Double(total - 1), .argument(name, timestep, "it must be in 0 ... \(total - 1)"))
      try require(!areWhole || timestep == timestep.rounded(), .argument(name, timestep, "it must be a whole number"))
      try require(
        i == 0 || !mustFall || timestep < timesteps[i - 1],
        .argument(name, timestep, "it must be below the one before it, \(timesteps[max(i - 1, 0)].plain)"))
    }
    return timesteps
  }

  /// Given sigmas of rectified flow, if they are times of it.
  func flowSigmas() throws -> [Double]? {
    guard let sigmas else { return nil }
    for (i, sigma) in sigmas.enumerated() {
      try require((0...1).contains(sigma), .argument("sigmas[\(i)]", sigma, "it must be in 0 ... 1"))
    }
    return sigmas
  }

  package var hasGivenTimes: Bool { timesteps != nil || sigmas != nil }

  /// The classes that take an argument, in words.
  private static func takers(of key: Key) -> String {
    let names = DiffusersConfiguration.Class.allCases.filter { $0.type.takes.contains(key) }.map(\.rawValue)
    return names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
  }
}
