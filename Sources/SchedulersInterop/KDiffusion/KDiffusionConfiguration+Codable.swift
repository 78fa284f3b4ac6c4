import Schedulers

extension KDiffusionConfiguration: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case className = "_class_name"
    case sampler, sigmas, process, output, eta
    case noiseFactor = "s_noise"
    case churn = "s_churn"
    case churnMinimum = "s_tmin"
    case churnMaximum = "s_tmax"
    case order
    case largestOrder = "max_order"
    case middle = "r"
    case solverType = "solver_type"
  }

  /// Reads a run; arguments left out have the sampler's defaults. So may `process`, which is then
  /// eps, `output`, which is then denoised, and `_class_name` be.
  ///
  /// - Throws: `ConfigurationError` for another class, or an unknown process or output;
  ///   `DecodingError` with the coding path for a value of the wrong type.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let className = try container.decodeIfPresent(String.self, forKey: .className) ?? Self.className
    guard className == Self.className else { throw ConfigurationError.unsupportedClass(className) }
    func choice<Choice: RawRepresentable & CaseIterable>(_ key: Key, _ standard: Choice) throws -> Choice
    where Choice.RawValue == String {
      guard let name = try container.decodeIfPresent(String.self, forKey: key) else { return standard }
      if let choice = Choice(rawValue: name) { return choice }
      throw ConfigurationError.option(
        key.rawValue, value: DiffusersConfiguration.Value.string(name).json, className: Self.className,
        remedy: "use one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.init(
      sampler: try container.decode(String.self, forKey: .sampler),
      sigmas: try container.decodeIfPresent([Double].self, forKey: .sigmas) ?? [],
      process: try choice(.process, .eps), output: try choice(.output, .denoised))
    eta = try container.decodeIfPresent(Double.self, forKey: .eta)
    try container.read(.noiseFactor, into: &noiseFactor)
    try container.read(.churn, into: &churn)
    try container.read(.churnMinimum, into: &churnMinimum)
    try container.read(.churnMaximum, into: &churnMaximum)
    for key in [Key.largestOrder, .order] {
      guard let number = try container.decodeIfPresent(Double.self, forKey: key) else { continue }
      guard let whole = Int(exactly: number) else {
        throw container.corrupted(key, "\(number.plain) is not a whole number")
      }
      order = whole
    }
    try container.read(.middle, into: &middle)
    solverType = try container.decodeIfPresent(String.self, forKey: .solverType)
    var effective: Set = [Key.className, .sampler, .sigmas, .process, .output]
    // Of an unknown sampler nothing is said but that it is unknown.
    if let method = try? method() {
      if method.usualEta != nil { effective.insert(.eta) }
      if method.takesChurn { effective.formUnion([.churn, .churnMinimum, .churnMaximum, .noiseFactor]) }
      if method.takesNoiseFactor { effective.insert(.noiseFactor) }
      if method == .lms { effective.insert(.order) }
      if method == .ipndm { effective.formUnion([.order, .largestOrder]) }
      if method == .dpmppSDE { effective.insert(.middle) }
      if method == .dpmpp2mSDE || method == .dpmpp2mSDEHeun { effective.insert(.solverType) }
    } else {
      effective.formUnion(Key.allCases)
    }
    let known = Set(effective.map(\.rawValue))
    ignoredKeys = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).filter { !known.contains($0) }
      .sorted()
  }

  /// Writes the run and `_class_name`, and what is not the default.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Self.className, forKey: .className)
    try container.encode(sampler, forKey: .sampler)
    try container.encode(sigmas, forKey: .sigmas)
    try container.encode(process, forKey: .process)
    try container.encode(output, forKey: .output)
    try container.encodeIfPresent(eta, forKey: .eta)
    let usual = Self(sampler: sampler, sigmas: [])
    for (key, path): (Key, KeyPath<Self, Double>) in [
      (.noiseFactor, \.noiseFactor), (.churn, \.churn), (.churnMinimum, \.churnMinimum),
      (.churnMaximum, \.churnMaximum), (.middle, \.middle),
    ] where self[keyPath: path] != usual[keyPath: path] { try container.encode(self[keyPath: path], forKey: key) }
    try container.encodeIfPresent(order, forKey: .order)
    try container.encodeIfPresent(solverType, forKey: .solverType)
  }
}
