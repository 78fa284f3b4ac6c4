// A plan is saved in the format that Docs/Plan.md describes, for readers in any language. What
// follows from other numbers (sigma, the next timestep, `folded`, ...) is written for those who do
// not want to compute it, and not read.

extension SamplingPlan: Codable {
  /// The name of the format of saved plans. Whoever changes its meaning raises the number.
  public static let format = "scheduler-plan/1"

  private enum CodingKeys: CodingKey { case format, library, start, initialScale, clipping, learnsVariance, steps }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.format, forKey: .format)
    try container.encode(SchedulersLibrary.version, forKey: .library)
    try container.encode(start, forKey: .start)
    try container.encode(initialScale, forKey: .initialScale)
    try container.encode(clipping, forKey: .clipping)
    try container.encode(learnsVariance, forKey: .learnsVariance)
    let next = steps.dropFirst().map { $0.query.timestep as Double? } + [nil]
    try container.encode(zip(steps, next).map { FollowedStep(step: $0, nextTimestep: $1) }, forKey: .steps)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try container.check(.format, is: Self.format, of: "plan")
    do {
      try self.init(
        steps: container.decode([Step].self, forKey: .steps), start: container.decode(NoiseLevel.self, forKey: .start),
        clipping: container.decode(Clipping.self, forKey: .clipping),
        learnsVariance: container.decode(Bool.self, forKey: .learnsVariance))
    } catch let error as PlanError {
      throw container.error(.steps, "\(error)")
    }
  }

  private struct FollowedStep: Encodable {
    let step: Step
    let nextTimestep: Double?

    private enum CodingKeys: CodingKey { case nextTimestep }

    func encode(to encoder: any Encoder) throws {
      try step.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(nextTimestep, forKey: .nextTimestep)
    }
  }
}

extension SamplingPlan.Step {
  private enum CodingKeys: CodingKey {
    case timestep, level, sigma, inputScale, arrival, denoised, estimate, next, folded, explodingScale, variance
  }

  /// The factors of E, whose second is that of x̂0.
  private struct Keeping: Codable {
    let (sample, denoised): (Double, Double)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    let (level, hasSignal) = (query.level, query.level.signal > 0)
    try container.encode(query.timestep, forKey: .timestep)
    try container.encode(level, forKey: .level)
    try container.encode(level.sigma.isFinite ? level.sigma : nil, forKey: .sigma)
    try container.encode(query.inputScale, forKey: .inputScale)
    try container.encode(arrival, forKey: .arrival)
    try container.encode(denoising, forKey: .denoised)
    try container.encode(Keeping(sample: keeping.sample, denoised: keeping.output), forKey: .estimate)
    try container.encode(next, forKey: .next)
    try container.encode(folded, forKey: .folded)
    try container.encode(hasSignal ? 1 / level.signal : nil, forKey: .explodingScale)
    try container.encode(variance, forKey: .variance)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let (timestep, scale) = (
      try container.decode(Double.self, forKey: .timestep), try container.decode(Double.self, forKey: .inputScale)
    )
    guard timestep.isFinite, scale.isFinite, scale > 0 else {
      throw container.error(
        .inputScale, "timestep \(timestep), inputScale \(scale): both must be finite, and the scale above 0")
    }
    let keeping = try container.decode(Keeping.self, forKey: .estimate)
    self.init(
      query: SamplingGrid.Point(
        timestep: timestep, level: try container.decode(NoiseLevel.self, forKey: .level), inputScale: scale),
      arrival: try container.decode(NoiseLevel.self, forKey: .arrival),
      denoising: try container.decode(SamplingPlan.Readout.self, forKey: .denoised),
      keeping: SamplingPlan.Readout(sample: keeping.sample, output: keeping.denoised),
      next: try container.decode(LinearForm.self, forKey: .next),
      variance: try container.decodeIfPresent(StepVariance.self, forKey: .variance))
  }
}

extension Clipping {
  private enum Kind: String, CaseIterable { case none, range, dynamic }
  private enum CodingKeys: CodingKey { case kind, lower, upper, ratio, maximum }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .none: try container.encode(Kind.none.rawValue, forKey: .kind)
    case .range(let range):
      try container.encode(Kind.range.rawValue, forKey: .kind)
      try container.encode(range.lowerBound, forKey: .lower)
      try container.encode(range.upperBound, forKey: .upper)
    case .dynamic(let ratio, let maximum):
      try container.encode(Kind.dynamic.rawValue, forKey: .kind)
      try container.encode(ratio, forKey: .ratio)
      try container.encode(maximum, forKey: .maximum)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double { try container.decode(Double.self, forKey: key) }
    switch try container.kind(.kind, of: Kind.self) {
    case .none: self = .none
    case .range:
      let (lower, upper) = (try number(.lower), try number(.upper))
      guard lower <= upper else { throw container.error(.lower, "\(lower) must be at most the upper bound, \(upper)") }
      self = .range(lower...upper)
    case .dynamic: self = .dynamic(ratio: try number(.ratio), maximum: try number(.maximum))
    }
  }
}

extension StepVariance {
  private enum Kind: String, CaseIterable { case fixed, learned, output }
  private enum CodingKeys: CodingKey { case kind, logarithm, offset, slope }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .fixed(let logarithm):
      try container.encode(Kind.fixed.rawValue, forKey: .kind)
      try container.encode(logarithm, forKey: .logarithm)
    case .learned(let logarithm):
      try container.encode(Kind.learned.rawValue, forKey: .kind)
      try container.encode(logarithm.offset, forKey: .offset)
      try container.encode(logarithm.slope, forKey: .slope)
    case .output: try container.encode(Kind.output.rawValue, forKey: .kind)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double { try container.decode(Double.self, forKey: key) }
    switch try container.kind(.kind, of: Kind.self) {
    case .fixed: self = .fixed(logarithm: try number(.logarithm))
    case .learned: self = .learned(LogVariance(offset: try number(.offset), slope: try number(.slope)))
    case .output: self = .output
    }
  }
}

extension KeyedDecodingContainer {
  /// Throws unless something was saved in the format that is known here.
  func check(_ key: Key, is format: String, of thing: String) throws {
    let found = try decodeIfPresent(String.self, forKey: key)
    guard found == format else {
      throw error(
        key,
        "the \(thing) " + (found.map { "is in the format \"\($0)\"" } ?? "names no format")
          + ", and this library reads \"\(format)\"; make the \(thing) again, or use a library that reads it")
    }
  }

  /// A kind by its name.
  fileprivate func kind<Kind: RawRepresentable<String> & CaseIterable>(_ key: Key, of type: Kind.Type) throws -> Kind {
    let name = try decode(String.self, forKey: key)
    guard let kind = Kind(rawValue: name) else {
      throw error(key, "\"\(name)\" is unknown; known are \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return kind
  }
}
