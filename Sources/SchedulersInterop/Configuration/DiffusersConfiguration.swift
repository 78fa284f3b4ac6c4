import Schedulers

/// A `scheduler_config.json` of the diffusers library, as of its version 0.42.1.
///
/// ```swift
/// let decoder = JSONDecoder()
/// decoder.allowsJSON5 = true  // Python writes -Infinity
/// let configuration = try decoder.decode(DiffusersConfiguration.self, from: file)
/// // the mathematics; or fidelity: .diffusers
/// let plan = try configuration.plan(steps: 30)
/// print(configuration.ignoredKeys, configuration.deviations(steps: 30))
/// ```
///
/// Every key of the file is kept, known or not; `json` writes them back. An option that the file
/// does not have takes diffusers' default for the class, so that older files are read so too.
public struct DiffusersConfiguration: Hashable, Sendable {
  /// `_class_name` as it is written in the file.
  public let className: String
  /// The scheduler that it names.
  public let schedulerClass: Class
  /// Every key of the file but `_class_name`, with its value.
  public let values: [String: Value]

  /// A configuration of a class with some of its options; the others have diffusers' defaults.
  ///
  /// - Throws: `ConfigurationError` for an unsupported class or an option of the wrong type.
  public init(_ className: String, _ values: [String: Value] = [:]) throws(ConfigurationError) {
    guard let schedulerClass = Class(named: className) else { throw .unsupportedClass(className) }
    (self.className, self.schedulerClass) = (className, schedulerClass)
    var reader = OptionReader(values)
    _ = schedulerClass.type.init(&reader)
    if let (option, value) = reader.misfit {
      throw .type(option: option.name, value: value.json, className: className, expected: option.expected)
    }
    // JSON does not always tell 1.0 from 1; another class's option keeps its form.
    let own = Dictionary(uniqueKeysWithValues: reader.options.map { ($0.name, $0) })
    self.values = values.reduce(into: [:]) {
      $0[$1.key] = (own[$1.key] ?? Option.ofAnyClass[$1.key])?.fitting($1.value) ?? $1.value
    }
  }

  /// A configuration of a class with some of its options.
  ///
  /// - Throws: `ConfigurationError` if an option has a value of the wrong type.
  public init(_ schedulerClass: Class, _ values: [String: Value] = [:]) throws(ConfigurationError) {
    try self.init(schedulerClass.rawValue, values)
  }

  /// The class with the values of the file.
  private var room: any DiffusersClass {
    var reader = OptionReader(values)
    return schedulerClass.type.init(&reader)
  }

  /// The value of a key: the file's, or diffusers' default; `nil` for a key that is neither.
  public subscript(key: String) -> Value? { values[key] ?? schedulerClass.options.first { $0.name == key }?.standard }

  /// The keys that have no effect: unknown ones, and options of other classes. diffusers ignores
  /// them too. And the seed of DPM++ SDE's noise, which is for `TorchSDENoise`.
  public var ignoredKeys: [String] {
    let known = schedulerClass.undeclaredKeys.union(schedulerClass.options.map(\.name) + ["_diffusers_version"])
    let ignored = room.ignoredKeys
    return values.keys.filter { !known.contains($0) || ignored.contains($0) }.sorted()
  }
}

extension DiffusersConfiguration {
  /// The schedule that the network was trained with.
  ///
  /// - Parameter fidelity: `.corrected` for the formula in Double; `.diffusers` for its float32 ᾱ
  ///   exactly.
  /// - Throws: `ConfigurationError` if the class has no such schedule, or the numbers make none.
  public func schedule(fidelity: Fidelity = .corrected) throws(ConfigurationError) -> NoiseSchedule {
    try naming { room in
      guard let table = room.betas else { throw ConfigurationError.continuous(className: className) }
      guard fidelity == .diffusers else { return try table.schedule() }
      let bars = try table.tables(in: TorchArithmetic()).alphaBars.map(Double.init)
      return try table.naming { try NoiseSchedule(alphaBars: bars) }
    }
  }

  /// diffusers' float32 tables: bit for bit those that it makes with torch 2.13 on AVX2, where
  /// torch's square root, which the rescaled ones go through, rounds correctly. CogVideoX keeps
  /// those of `scaled_linear` in Double; they are rounded here.
  ///
  /// - Throws: `ConfigurationError` for a schedule that the class has not, or whose ᾱ leave [0, 1].
  public func tables() throws(ConfigurationError) -> Tables {
    try naming { room in
      guard let table = room.betas else { throw ConfigurationError.continuous(className: className) }
      return try table.tables(in: TorchArithmetic())
    }
  }

  /// What a body makes of the class; what this refuses names it.
  private func naming<Result>(_ body: (any DiffusersClass) throws -> Result) throws(ConfigurationError) -> Result {
    try ConfigurationError.naming(className) { try body(room) }
  }

  /// The plan of a run.
  ///
  /// - Parameters:
  ///   - steps: the number of inference steps of a whole run, 1 ... T; nil where times are given.
  ///     Heun calls the network nearly twice as often.
  ///   - fidelity: `.corrected` for the mathematics, `.diffusers` for what diffusers does.
  ///   - arguments: what a pipeline gives besides.
  /// - Throws: `ConfigurationError` for a value that would change the numbers and is not supported,
  ///   and where the numbers do not exist.
  public func plan(
    steps: Int? = nil, fidelity: Fidelity = .corrected, with arguments: RunArguments = RunArguments()
  ) throws(ConfigurationError) -> SamplingPlan { try plan(steps: steps, fidelity: fidelity, with: arguments, in: nil) }

  /// The same, where diffusers runs in a given arithmetic. Without one, roots are rounded
  /// correctly, and what is NaN on one make of processors is refused on all.
  package func plan(
    steps: Int?, fidelity: Fidelity, with arguments: RunArguments, in torch: TorchArithmetic?
  ) throws(ConfigurationError) -> SamplingPlan {
    try begun(steps, arguments, fidelity) { room, run in try recipe(room, run, fidelity, in: torch).plan() }
  }

  /// The points at which the network is called, noisiest first, and the end.
  ///
  /// Under `.diffusers` the points are diffusers' and need not descend. The samples of Euler,
  /// ancestral Euler, Heun and LMS are x0 + σ·epsilon, the input scaled; the others' preserve
  /// variance.
  ///
  /// - Throws: `ConfigurationError` for what is not supported, or steps outside 1 ... T.
  public func grid(
    steps: Int? = nil, fidelity: Fidelity = .corrected, with arguments: RunArguments = RunArguments()
  ) throws(ConfigurationError) -> SamplingGrid {
    try begun(steps, arguments, fidelity) { room, run in try recipe(room, run, fidelity).grid }
  }

  /// The method that the class means by the mathematics, for those who plan over a grid of their
  /// own. That of a solver in lambda holds its moves over the class's grid.
  ///
  /// - Throws: `ConfigurationError` for what is not supported, or steps outside 1 ... T.
  public func sampler(
    steps: Int? = nil, with arguments: RunArguments = RunArguments()
  ) throws(ConfigurationError) -> any Sampler {
    try begun(steps, arguments, .corrected) { room, run in try room.sampler(run) }
  }

  /// How the network's output is read, by the mathematics.
  ///
  /// - Throws: `ConfigurationError` for a prediction that is not supported.
  public func reading() throws(ConfigurationError) -> any OutputReading { try naming { try $0.reading() } }

  /// Whether and to what the class clips x̂0.
  ///
  /// - Throws: `ConfigurationError` for numbers that make no range.
  public func clipping() throws(ConfigurationError) -> Clipping { try naming { try $0.clipping() } }

  /// The timesteps in the order in which the network is told them; Heun's with its repeats.
  ///
  /// - Throws: `ConfigurationError` for what is not supported, or steps outside 1 ... T.
  public func timesteps(
    steps: Int? = nil, fidelity: Fidelity = .corrected, with arguments: RunArguments = RunArguments()
  ) throws(ConfigurationError) -> [Double] {
    try begun(steps, arguments, fidelity) { room, run in
      let timesteps = try fidelity == .diffusers ? room.timesteps(run) : room.corrected(run).moves.map(\.query.timestep)
      return try Array(timesteps[run.made(of: timesteps.count)])
    }
  }

  /// diffusers' sigmas in float32, that of the end last; without Heun's repeats.
  ///
  /// - Returns: nothing for DDPM, DDIM, DDIM inverse and IPNDM, which have none.
  /// - Throws: `ConfigurationError` for what is not supported, or steps outside 1 ... T.
  public func sigmas(steps: Int? = nil, with arguments: RunArguments = RunArguments()) throws(ConfigurationError)
    -> [Float]
  {
    try begun(steps, arguments) { room, run in try room.begun(run).sigmas }
  }

  /// At which calls diffusers takes noise from its generator: where a step adds noise, and in some
  /// classes where it adds none. Who draws from the same stream draws there too.
  ///
  /// ```swift
  /// if draws[run.evaluations], !run.needsNoise { _ = noise.next(like: run.sample) }
  /// ```
  ///
  /// - Throws: `ConfigurationError` where there is no plan under `.diffusers`.
  public func draws(steps: Int? = nil, with arguments: RunArguments = RunArguments()) throws(ConfigurationError)
    -> [Bool]
  {
    let always = try drawsAlways(steps: steps, with: arguments)
    return try begun(steps, arguments) { room, run in
      try recipe(room, run, .diffusers).plan().steps.map { $0.next.noise != 0 || always }
    }
  }

  /// Whether diffusers takes noise from its generator at every call.
  package func drawsAlways(steps: Int?, with arguments: RunArguments) throws(ConfigurationError) -> Bool {
    try begun(steps, arguments) { room, run in room.drawsAlways(run) }
  }

  private func recipe(
    _ room: any DiffusersClass, _ run: Run, _ fidelity: Fidelity, in torch: TorchArithmetic? = nil
  ) throws -> Recipe {
    var recipe = try wholeRecipe(room, run, fidelity, in: torch)
    let made = try run.made(of: recipe.moves.count)
    if made.count < recipe.moves.count { recipe.moves.removeSubrange(made.upperBound...) }
    return recipe
  }

  /// The run to its end.
  private func wholeRecipe(
    _ room: any DiffusersClass, _ run: Run, _ fidelity: Fidelity, in torch: TorchArithmetic?
  ) throws -> Recipe {
    guard fidelity == .diffusers else { return try room.corrected(run) }
    var run = run
    run.torch = torch ?? TorchArithmetic()
    let recipe = try room.faithful(run)
    run.torch.isOnAMD = true
    if torch == nil { _ = try room.faithful(run) }
    return recipe
  }

  /// What a body makes of the class and a run of it that it takes.
  private func begun<Result>(
    _ steps: Int?, _ arguments: RunArguments, _ fidelity: Fidelity = .diffusers,
    _ body: (any DiffusersClass, Run) throws -> Result
  ) throws(ConfigurationError) -> Result {
    try naming { room in
      try arguments.check(for: room)
      var arguments = arguments
      if let tokens = arguments.tokens { (arguments.mu, arguments.tokens) = (try mu(tokens: tokens), nil) }
      return try body(room, room.run(steps, arguments, isFaithful: fidelity == .diffusers))
    }
  }

  /// Which deviations a run of this configuration meets: where the two fidelities differ.
  ///
  /// - Returns: nothing for a configuration or a number of steps that diffusers refuses.
  public func deviations(steps: Int? = nil, with arguments: RunArguments = RunArguments()) -> [Deviation] {
    (try? begun(steps, arguments) { room, run in try room.deviations(run, room.setting(run)) }) ?? []
  }

  /// What diffusers' float32 leaves uncertain of each step, beside the roundings of its few
  /// operations; nothing for classes whose coefficients do not cancel.
  ///
  /// - Throws: `ConfigurationError` where there is no plan.
  package func roundings(
    steps: Int?, with arguments: RunArguments = RunArguments()
  ) throws(ConfigurationError) -> [[Rounding]] { try begun(steps, arguments) { room, run in try room.roundings(run) } }

  /// A method whose step between any two levels is that of the class, if there is one.
  package func rule(with arguments: RunArguments, fidelity: Fidelity) -> (any Sampler)? {
    room.rule(arguments, fidelity)
  }
}

extension DiffusersConfiguration {
  /// This configuration for another class, as `OtherScheduler.from_config(scheduler.config)` makes
  /// it: options of both classes keep their values, options of this class alone go, unknown keys
  /// stay.
  ///
  /// - Returns: the configuration, and the names of the options that were given and are gone, or
  ///   that were not given and have another default there.
  public func converted(to other: Class) -> (configuration: DiffusersConfiguration, lost: [String]) {
    let here = schedulerClass.options
    let there = Dictionary(uniqueKeysWithValues: other.options.map { ($0.name, $0) })
    let gone = Set(here.map(\.name)).subtracting(there.keys)
    let kept = values.filter { key, value in there[key].map { $0.fitting(value) != nil } ?? !gone.contains(key) }
    let changed = here.filter { option in
      values[option.name] == nil && there[option.name].map { $0.standard != option.standard } ?? false
    }
    let lost = values.keys.filter { kept[$0] == nil } + changed.map(\.name)
    // What is kept fits: it was checked above.
    return (try! DiffusersConfiguration(other, kept), lost.sorted())
  }
}

extension DiffusersConfiguration: Codable {
  private static let classNameKey = AnyKey(stringValue: "_class_name")

  /// Reads a configuration.
  ///
  /// - Throws: `ConfigurationError.unsupportedClass` for a class that is not supported;
  ///   `DecodingError` with the coding path for a value of the wrong type.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    let className = try container.decode(String.self, forKey: Self.classNameKey)
    var values: [String: Value] = [:]
    for key in container.allKeys where key.stringValue != Self.classNameKey.stringValue {
      values[key.stringValue] = try Value(container, key, expecting: Option.ofAnyClass[key.stringValue]?.kind)
    }
    do { try self.init(className, values) } catch {
      guard case .type(let option, _, _, _) = error else { throw error }
      let path = container.codingPath + [AnyKey(stringValue: option)]
      throw DecodingError.typeMismatch(Value.self, .init(codingPath: path, debugDescription: "\(error)"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    try container.encode(className, forKey: Self.classNameKey)
    for (key, value) in values { try container.encode(value, forKey: AnyKey(stringValue: key)) }
  }

  /// The configuration as diffusers writes it: keys in order, two spaces, `-Infinity` and `NaN`
  /// bare.
  public var json: String { Value.object(values.merging(["_class_name": .string(className)]) { $1 }).json }
}
