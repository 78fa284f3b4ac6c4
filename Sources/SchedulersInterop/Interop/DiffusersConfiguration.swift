import Schedulers

/// A `scheduler_config.json` of the diffusers library, as of its version 0.42.1.
///
/// ```swift
/// let decoder = JSONDecoder()
/// decoder.allowsJSON5 = true                              // Python writes -Infinity
/// let configuration = try decoder.decode(DiffusersConfiguration.self, from: file)
/// let plan = try configuration.plan(steps: 30)            // the mathematics; .diffusers for what diffusers does
/// print(configuration.unhonoured, configuration.deviations(steps: 30))
/// ```
///
/// Every key of the file is kept, known or not; `json` writes them back. An option that the file does not have takes diffusers' default
/// for the class, so that older files are read as diffusers reads them.
public struct DiffusersConfiguration: Hashable, Sendable {
  /// The scheduler classes of diffusers that are supported.
  public enum Class: String, Hashable, Codable, CaseIterable, Sendable {
    case ddpm = "DDPMScheduler"
    case ddim = "DDIMScheduler"
    case ddimInverse = "DDIMInverseScheduler"
    case eulerDiscrete = "EulerDiscreteScheduler"
    case eulerAncestralDiscrete = "EulerAncestralDiscreteScheduler"
    case heunDiscrete = "HeunDiscreteScheduler"
    case dpmSolverMultistep = "DPMSolverMultistepScheduler"
    case uniPC = "UniPCMultistepScheduler"
    case deis = "DEISMultistepScheduler"
    case lms = "LMSDiscreteScheduler"
    case ipndm = "IPNDMScheduler"
    case pndm = "PNDMScheduler"
    case dpmSolverSinglestep = "DPMSolverSinglestepScheduler"
    case kdpm2Discrete = "KDPM2DiscreteScheduler"
    case kdpm2AncestralDiscrete = "KDPM2AncestralDiscreteScheduler"
    case lcm = "LCMScheduler"
    case tcd = "TCDScheduler"
    case flowMatchEulerDiscrete = "FlowMatchEulerDiscreteScheduler"
    case edmEuler = "EDMEulerScheduler"
    case edmDPMSolverMultistep = "EDMDPMSolverMultistepScheduler"
    case saSolver = "SASolverScheduler"
    case flowMatchHeunDiscrete = "FlowMatchHeunDiscreteScheduler"
    case flowMatchLCM = "FlowMatchLCMScheduler"
    case consistency = "CMStochasticIterativeScheduler"
    case dpmSolverSDE = "DPMSolverSDEScheduler"
    case dpmSolverMultistepInverse = "DPMSolverMultistepInverseScheduler"
    case rePaint = "RePaintScheduler"

    /// The class that a name means; that of `DDPMParallelScheduler` and `DDIMParallelScheduler` is the one without "Parallel".
    public init?(named name: String) {
      switch name {
      case "DDPMParallelScheduler": self = .ddpm
      case "DDIMParallelScheduler": self = .ddim
      default: self.init(rawValue: name)
      }
    }
  }

  /// `_class_name` as it is written in the file.
  public let className: String
  /// The scheduler that it names.
  public let schedulerClass: Class
  /// Every key of the file but `_class_name`, with its value.
  public let values: [String: Value]
  /// Where `.diffusers` is to have been run.
  package var processor = Torch.Processor.unknown
  /// Whether the noise of DPM++ SDE's whole step is all that a Brownian path does in it, of which `.diffusers` otherwise takes the first half
  /// from the step to the middle.
  package var drawsWholeSteps = false

  /// A configuration of a class with some of its options; the others have diffusers' defaults.
  ///
  /// - Throws: `ConfigurationError` if the class is not supported or an option has a value of the wrong type.
  public init(_ className: String, _ values: [String: Value] = [:]) throws(ConfigurationError) {
    guard let schedulerClass = Class(named: className) else { throw .unsupportedClass(className) }
    self.className = className
    self.schedulerClass = schedulerClass
    // JSON does not always tell 1.0 from 1; an option of another class keeps the form that it has there.
    var normalised = values.reduce(into: [:]) { $0[$1.key] = Option.ofAnyClass[$1.key]?.fitting($1.value) ?? $1.value }
    for option in Option.all(of: schedulerClass) {
      guard let value = values[option.name] else { continue }
      guard let fitting = option.fitting(value) else {
        throw .type(option: option.name, value: value.json, className: className, expected: option.expected)
      }
      normalised[option.name] = fitting
    }
    self.values = normalised
  }

  /// A configuration of a class with some of its options.
  ///
  /// - Throws: `ConfigurationError` if an option has a value of the wrong type.
  public init(_ schedulerClass: Class, _ values: [String: Value] = [:]) throws(ConfigurationError) {
    try self.init(schedulerClass.rawValue, values)
  }

  /// The value of a key: the file's, or diffusers' default; `nil` for a key that is neither in the file nor an option of the class.
  public subscript(key: String) -> Value? {
    values[key] ?? Option.all(of: schedulerClass).first { $0.name == key }?.standard
  }

  /// The keys that have no effect: unknown ones, and options of other classes. diffusers ignores them too. And the seed of a noise that
  /// torchsde alone draws.
  public var unhonoured: [String] {
    let known = Set(Option.all(of: schedulerClass).map(\.name) + ["_diffusers_version"])
    return values.keys.filter { !known.contains($0) || $0 == "noise_sampler_seed" && values[$0] != .null }.sorted()
  }
}

extension DiffusersConfiguration {
  /// This configuration for another class, as `OtherScheduler.from_config(scheduler.config)` makes it: options of both classes keep
  /// their values, options of this class alone go, and what neither knows stays.
  ///
  /// - Returns: the configuration, and the names of the options that were given and are gone, or that were not given and have
  ///   another default there.
  public func converted(to other: Class) -> (configuration: DiffusersConfiguration, lost: [String]) {
    let here = Option.all(of: schedulerClass)
    let there = Dictionary(uniqueKeysWithValues: Option.all(of: other).map { ($0.name, $0) })
    let gone = Set(here.map(\.name)).subtracting(there.keys)
    let kept = values.filter { key, value in !gone.contains(key) && there[key].map { $0.fitting(value) != nil } ?? true }
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
  /// - Throws: `ConfigurationError.unsupportedClass` for a class that is not supported; `DecodingError` with the coding path for a
  ///   value of the wrong type.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    let className = try container.decode(String.self, forKey: Self.classNameKey)
    var values: [String: Value] = [:]
    for key in container.allKeys where key.stringValue != Self.classNameKey.stringValue {
      values[key.stringValue] = try container.decode(Value.self, forKey: key)
    }
    do {
      try self.init(className, values)
    } catch ConfigurationError.type(let option, let value, let className, let expected) {
      throw DecodingError.typeMismatch(
        Value.self,
        DecodingError.Context(
          codingPath: container.codingPath + [AnyKey(stringValue: option)],
          debugDescription: "\(option) of \(className) must be \(expected), not \(value)"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: AnyKey.self)
    try container.encode(className, forKey: Self.classNameKey)
    for (key, value) in values { try container.encode(value, forKey: AnyKey(stringValue: key)) }
  }

  /// The configuration as diffusers writes it: keys in order, two spaces, and `-Infinity` and `NaN` bare, as Python reads them.
  public var json: String {
    Value.object(values.merging(["_class_name": .string(className)]) { $1 }).json
  }
}
