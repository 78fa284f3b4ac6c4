extension DiffusersConfiguration {
  /// One option of a scheduler's constructor.
  public struct Option: Hashable, Sendable {
    /// What its value may be.
    enum Kind: Hashable {
      case boolean, integer, number, string, integers, numbers, nothing
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
      case (.boolean, .boolean), (.integer, .integer), (.number, .number), (.string, .string): value
      case (.number, .integer(let whole)): .number(Double(whole))
      case (.numbers, .list(let values)): Self.numbers(values).map { .list($0.map(Value.number)) }
      case (.integers, .list(let values)) where values.allSatisfy({ if case .integer = $0 { true } else { false } }): value
      default: nil
      }
    }

    static func numbers(_ values: [Value]) -> [Double]? {
      var numbers: [Double] = []
      for value in values {
        switch value {
        case .number(let number): numbers.append(number)
        case .integer(let whole): numbers.append(Double(whole))
        default: return nil
        }
      }
      return numbers
    }

    /// What the value must be, in words.
    var expected: String {
      let type =
        switch kind {
        case .boolean: "true or false"
        case .integer: "a whole number"
        case .number: "a number"
        case .string: "text"
        case .numbers: "a list of numbers"
        case .integers: "a list of whole numbers"
        case .nothing: "nothing"
        }
      return isOptional ? "\(type) or null" : type
    }

    /// Every option of a class, in the order in which the class reads them.
    public static func all(of schedulerClass: DiffusersConfiguration.Class) -> [Self] { schedulerClass.options }

    /// The options of all classes by name.
    static let ofAnyClass = Dictionary(
      DiffusersConfiguration.Class.allCases.flatMap(\.options).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }
}
