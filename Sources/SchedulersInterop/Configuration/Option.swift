extension DiffusersConfiguration {
  /// One option of a scheduler's constructor.
  public struct Option: Hashable, Sendable {
    /// What its value may be, in words.
    enum Kind: String {
      case boolean = "true or false"
      case integer = "a whole number"
      case number = "a number"
      case string = "text"
      case numbers = "a list of numbers"
      case integers = "a list of whole numbers"
      case nothing
    }

    /// The name in the file.
    public let name: String
    /// diffusers' default.
    public let standard: Value
    let kind: Kind
    /// Whether it may be null.
    public let isOptional: Bool

    /// The value in the form of this option, or `nil` if it has the wrong type.
    func fitting(_ value: Value) -> Value? {
      switch (kind, value) {
      case (_, .null): isOptional ? .null : nil
      case (.boolean, .boolean), (.integer, .integer), (.string, .string): value
      case (.number, _): value.number.map(Value.number)
      case (.numbers, _): value.numbers.map { .list($0.map(Value.number)) }
      case (.integers, _): value.integers.map { .list($0.map(Value.integer)) }
      default: nil
      }
    }

    /// What the value must be, in words.
    var expected: String { kind.rawValue + (isOptional ? " or null" : "") }

    /// Every option of a class, in the order in which the class reads them.
    public static func all(of schedulerClass: DiffusersConfiguration.Class) -> [Self] { schedulerClass.options }

    /// The options of all classes by name.
    static let ofAnyClass = Dictionary(
      DiffusersConfiguration.Class.allCases.flatMap(\.options).map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
  }
}

extension DiffusersConfiguration.Value {
  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  var string: String? { if case .string(let value) = self { value } else { nil } }
  var list: [Self]? { if case .list(let values) = self { values } else { nil } }
  /// A number, whole or not.
  var number: Double? { if case .number(let value) = self { value } else { integer.map(Double.init) } }
  var numbers: [Double]? { list?.map(\.number).complete() }
  var integers: [Int]? { list?.map(\.integer).complete() }
}

extension Array {
  /// The elements, if none is `nil`.
  fileprivate func complete<Wrapped>() -> [Wrapped]? where Element == Wrapped? {
    contains { $0 == nil } ? nil : compactMap(\.self)
  }
}
