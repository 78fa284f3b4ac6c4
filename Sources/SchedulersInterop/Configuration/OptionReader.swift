import Schedulers

/// Reads the options of a class from a file, and learns from that which options there are.
///
/// A class names each of its options once, where it reads it. Run on an empty file, the reader
/// lists them with their defaults; run on another, it finds the values of the wrong type.
struct OptionReader {
  typealias Value = DiffusersConfiguration.Value
  typealias Option = DiffusersConfiguration.Option

  private let values: [String: Value]
  /// The options that have been read, in order.
  private(set) var options: [Option] = []
  /// The keys that the class looks for in the file, though they are none of its constructor's.
  private(set) var undeclared: Set<String> = []
  /// The first option whose value has the wrong type, and the value.
  private(set) var misfit: (option: Option, value: Value)?

  init(_ values: [String: Value] = [:]) { self.values = values }

  mutating func boolean(_ name: String, _ standard: Bool, isOptional: Bool = false) -> Given<Bool> {
    read(name, .boolean, .boolean(standard), isOptional) { $0 == .boolean(true) }
  }

  /// The same, with null for default.
  mutating func booleanOrNull(_ name: String) -> Given<Bool?> {
    read(name, .boolean, .null, true) { $0 == .null ? nil : $0 == .boolean(true) }
  }

  mutating func integer(_ name: String, _ standard: Int) -> Given<Int> {
    read(name, .integer, .integer(standard)) { $0.integer ?? standard }
  }

  /// A whole number, or null, the default.
  mutating func integerOrNull(_ name: String) -> Given<Int?> { read(name, .integer, .null, true) { $0.integer } }

  mutating func number(_ name: String, _ standard: Double) -> Given<Double> {
    read(name, .number, .number(standard)) { $0.number ?? standard }
  }

  /// A number that may be null.
  mutating func number(_ name: String, orNull standard: Double?) -> Given<Double?> {
    read(name, .number, standard.map(Value.number) ?? .null, true) { $0.number }
  }

  /// A list of numbers, or null.
  mutating func numbers(_ name: String) -> Given<[Double]?> { read(name, .numbers, .null, true) { $0.numbers } }

  /// A list of whole numbers, empty by default.
  mutating func integers(_ name: String) -> Given<[Int]> { read(name, .integers, .list([])) { $0.integers ?? [] } }

  /// A text option, whose value is one of a list of names.
  mutating func choice<Choice>(
    _ name: String, _ standard: String?, _ choices: KeyValuePairs<String, Choice>,
    _ more: KeyValuePairs<String, Choice> = [:], without absent: Set<String> = []
  ) -> NamedChoice<Choice> {
    NamedChoice(given: text(name, standard), choices: (Array(choices) + more).filter { !absent.contains($0.key) })
  }

  /// A text option, which may be null if that is the default.
  @discardableResult mutating func text(_ name: String, _ standard: String?) -> Given<String?> {
    read(name, .string, standard.map(Value.string) ?? .null, standard == nil) { $0.string }
  }

  /// An option that must be null.
  mutating func nothing(_ name: String) { _ = read(name, .nothing, .null, true) { _ in } }

  /// Whether a run ends at timestep 0 instead of clean data: `final_sigmas_type`.
  mutating func endsAtLeastNoise() -> NamedChoice<Bool> {
    choice("final_sigmas_type", "zero", ["zero": false, "sigma_min": true])
  }

  /// What a part reads of options that are none of the constructor's.
  mutating func undeclared<Part>(_ read: (inout OptionReader) -> Part) -> Part {
    var reader = self
    let part = read(&reader)
    undeclared.formUnion(reader.options.map(\.name) + reader.undeclared)
    return part
  }

  /// A number that is none of the constructor's.
  mutating func undeclaredNumber(_ name: String) -> Given<Double?> {
    undeclared.insert(name)
    let value = values[name]?.number
    return Given(value: value, name: name, shown: value.map(Value.number) ?? .null)
  }

  private mutating func read<Result>(
    _ name: String, _ kind: Option.Kind, _ standard: Value, _ isOptional: Bool = false, _ convert: (Value) -> Result
  ) -> Given<Result> {
    let option = Option(name: name, standard: standard, kind: kind, isOptional: isOptional)
    options.append(option)
    var value = standard
    if let given = values[name] {
      if let fitting = option.fitting(given) { value = fitting } else { misfit = misfit ?? (option, given) }
    }
    return Given(value: convert(value), name: name, shown: value)
  }
}

/// The value of an option, which knows its name where it has to be refused.
///
/// It is a class, as a class of diffusers holds a dozen of them, and is copied as a whole.
final class Given<Value> {
  let value: Value
  let name: String
  let shown: DiffusersConfiguration.Value

  init(value: Value, name: String, shown: DiffusersConfiguration.Value) {
    (self.value, self.name, self.shown) = (value, name, shown)
  }

  func refused(_ remedy: String) -> Refusal { .option(name, value: shown.json, remedy) }
}

extension Given<Double> {
  /// The value, if it is above 0 and finite.
  func positive() throws -> Double {
    guard value > 0, value.isFinite else { throw refused("it must be above 0 and finite") }
    return value
  }
}

extension Given<Double?> {
  /// The value, if there is none or it is above 0 and finite.
  func positive() throws -> Double? {
    try value.map { try Given<Double>(value: $0, name: name, shown: shown).positive() }
  }
}

extension Given<Int> {
  /// The value, if it is in a range.
  func within(_ range: ClosedRange<Int>, _ remedy: String) throws -> Int {
    guard range.contains(value) else { throw refused(remedy) }
    return value
  }
}

/// The value of a text option as one of a list of names, which is looked up where it is needed.
struct NamedChoice<Choice> {
  let given: Given<String?>
  let choices: [(key: String, value: Choice)]

  /// The name in the file.
  var name: String? { given.value }

  func get() throws -> Choice {
    for (key, choice) in choices where given.value == key { return choice }
    throw given.refused("use one of \(choices.map(\.key).joined(separator: ", "))")
  }
}
