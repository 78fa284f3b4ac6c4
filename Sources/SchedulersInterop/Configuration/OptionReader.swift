import Schedulers

/// Reads the options of a class from a file, and learns from that which options there are.
///
/// A class names each of its options once, where it reads it. Run on an empty file, the reader lists
/// them with their defaults; run on another, it finds the values of the wrong type.
struct OptionReader {
  typealias Value = DiffusersConfiguration.Value
  typealias Option = DiffusersConfiguration.Option

  let origin: Origin
  private let values: [String: Value]
  /// The options that have been read, in order.
  private(set) var options: [Option] = []
  /// The first value that has the wrong type.
  private(set) var error: ConfigurationError?

  init(className: String, values: [String: Value] = [:]) {
    origin = Origin(className: className)
    self.values = values
  }

  mutating func boolean(_ name: String, _ standard: Bool, isOptional: Bool = false) -> Given<Bool> {
    let option = Option(name: name, standard: .boolean(standard), kind: .boolean, isOptional: isOptional)
    return read(option) { $0 == .boolean(true) }
  }

  /// The same, with null for default.
  mutating func booleanOrNull(_ name: String) -> Given<Bool?> {
    read(Option(name: name, standard: .null, kind: .boolean, isOptional: true)) {
      if case .boolean(let value) = $0 { value } else { nil }
    }
  }

  mutating func integer(_ name: String, _ standard: Int) -> Given<Int> {
    read(Option(name: name, standard: .integer(standard), kind: .integer, isOptional: false)) {
      if case .integer(let value) = $0 { value } else { standard }
    }
  }

  mutating func number(_ name: String, _ standard: Double) -> Given<Double> {
    read(Option(name: name, standard: .number(standard), kind: .number, isOptional: false)) {
      if case .number(let value) = $0 { value } else { standard }
    }
  }

  /// A number that may be null.
  mutating func number(_ name: String, orNull standard: Double?) -> Given<Double?> {
    let option = Option(name: name, standard: standard.map(Value.number) ?? .null, kind: .number, isOptional: true)
    return read(option) { if case .number(let value) = $0 { value } else { nil } }
  }

  /// A list of numbers, or null.
  mutating func numbers(_ name: String) -> Given<[Double]?> {
    read(Option(name: name, standard: .null, kind: .numbers, isOptional: true)) {
      if case .list(let values) = $0 { Option.numbers(values) } else { nil }
    }
  }

  /// A list of whole numbers, empty by default.
  mutating func integers(_ name: String) -> Given<[Int]> {
    read(Option(name: name, standard: .list([]), kind: .integers, isOptional: false)) {
      guard case .list(let values) = $0 else { return [] }
      return values.compactMap { if case .integer(let value) = $0 { value } else { nil } }
    }
  }

  /// A text option, whose value is one of a list of names.
  mutating func choice<Choice>(
    _ name: String, _ standard: String?, _ choices: KeyValuePairs<String, Choice>
  ) -> NamedChoice<Choice> {
    NamedChoice(given: text(name, standard), choices: choices)
  }

  /// A text option, which may be null if that is the default.
  @discardableResult
  mutating func text(_ name: String, _ standard: String?) -> Given<String?> {
    let option = Option(
      name: name, standard: standard.map(Value.string) ?? .null, kind: .string, isOptional: standard == nil)
    return read(option) { if case .string(let value) = $0 { value } else { nil } }
  }

  /// A whole number, or null, the default.
  mutating func integerOrNull(_ name: String) -> Given<Int?> {
    read(Option(name: name, standard: .null, kind: .integer, isOptional: true)) {
      if case .integer(let value) = $0 { value } else { nil }
    }
  }

  /// An option that must be null.
  mutating func nothing(_ name: String) {
    _ = read(Option(name: name, standard: .null, kind: .nothing, isOptional: true)) { _ in }
  }

  /// Whether a run ends at timestep 0 instead of clean data: `final_sigmas_type`.
  mutating func endsAtLeastNoise() -> NamedChoice<Bool> {
    choice("final_sigmas_type", "zero", ["zero": false, "sigma_min": true])
  }

  /// A number that the class looks for in the file, though it is none of its constructor's.
  func undeclaredNumber(_ name: String) -> Given<Double?> {
    let option = Option(name: name, standard: .null, kind: .number, isOptional: true)
    let value = values[name].flatMap(option.fitting) ?? .null
    return Given(
      value: { if case .number(let number) = value { number } else { nil } }(), name: name, shown: value, origin: origin)
  }

  /// The number of an option that the class does not have.
  func none() -> Given<Double?> { Given(value: nil, name: "", shown: .null, origin: origin) }

  private mutating func read<Result>(_ option: Option, _ convert: (Value) -> Result) -> Given<Result> {
    options.append(option)
    var value = option.standard
    if let given = values[option.name] {
      if let fitting = option.fitting(given) {
        value = fitting
      } else if error == nil {
        error = .type(
          option: option.name, value: given.json, className: origin.className, expected: option.expected)
      }
    }
    return Given(value: convert(value), name: option.name, shown: value, origin: origin)
  }
}

/// The value of an option, which knows its name where it has to be refused.
struct Given<Value> {
  let value: Value
  let name: String
  let shown: DiffusersConfiguration.Value
  let origin: Origin

  func refused(_ remedy: String) -> ConfigurationError {
    .option(name, value: shown.json, className: origin.className, remedy: remedy)
  }
}

extension Given<Double> {
  /// The value, if it is above 0 and finite.
  func positive() throws(ConfigurationError) -> Double {
    guard value > 0, value.isFinite else { throw refused("it must be above 0 and finite") }
    return value
  }
}

extension Given<Double?> {
  /// The value, if there is none or it is above 0 and finite.
  func positive() throws(ConfigurationError) -> Double? {
    guard let value else { return nil }
    guard value > 0, value.isFinite else { throw refused("it must be above 0 and finite") }
    return value
  }
}

extension Given<Int> {
  /// The value, if it is in a range.
  func within(_ range: ClosedRange<Int>, _ remedy: String) throws(ConfigurationError) -> Int {
    guard range.contains(value) else { throw refused(remedy) }
    return value
  }
}

/// The value of a text option as one of a list of names, which is looked up where it is needed.
struct NamedChoice<Choice> {
  let given: Given<String?>
  let choices: KeyValuePairs<String, Choice>

  /// The name in the file.
  var name: String? { given.value }

  func get() throws(ConfigurationError) -> Choice {
    for (key, choice) in choices where given.value == key { return choice }
    throw given.refused("use one of \(choices.map(\.key).joined(separator: ", "))")
  }
}

/// The class by whose name errors are known.
struct Origin {
  let className: String

  func notFinite(step: Int, timestep: Double, _ reason: String) -> ConfigurationError {
    .notFinite(step: step, timestep: timestep, className: className, reason: reason)
  }

  func argument(_ name: String, _ value: Double, _ remedy: String) -> ConfigurationError {
    .argument(name, value: value, className: className, remedy: remedy)
  }

  func steps(_ steps: Int, _ reason: String) -> ConfigurationError {
    .steps(steps, className: className, reason: reason)
  }

  /// What a body makes; an error of its grid or its plan names the class.
  func naming<Result>(_ body: () throws -> Result) throws(ConfigurationError) -> Result {
    do { return try body() } catch {
      switch error {
      case let error as ConfigurationError: throw error
      case let error as GridError: throw .grid(error, className: className)
      case let error as PlanError: throw .plan(error, className: className)
      default: preconditionFailure("\(className) fails with an error of no part of it: \(error)")
      }
    }
  }
}
