import Schedulers
import SchedulersJSON

extension DiffusersConfiguration {
  /// A value of a JSON file, as Python reads and writes them.
  public enum Value: Hashable, Sendable {
    /// Python's `None`.
    case null
    /// `True` or `False`.
    case boolean(Bool)
    /// A number without a point.
    case integer(Int)
    /// A number with one.
    case number(Double)
    /// Python's `NaN`, which as a Double would not equal itself.
    case notANumber
    /// Text.
    case string(String)
    /// Values in order.
    case list([Value])
    /// Values by name.
    case object([String: Value])
  }
}

extension DiffusersConfiguration.Value: Codable {
  /// Reads any JSON value.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    func value<Content: Decodable>(_ make: (Content) -> Self) -> Self? {
      (try? container.decode(Content.self)).map(make)
    }
    let scalar =
      container.decodeNil()
      ? .null
      : value(Self.boolean) ?? value(Self.integer) ?? value { $0.isNaN ? .notANumber : .number($0) }
        ?? value(Self.string)
    guard let value = scalar ?? value(Self.list) ?? value(Self.object) else {
      // Nothing else is left of what JSON has.
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "it is, or it holds, a number that is larger than a Double can be")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .notANumber: try container.encode(Double.nan)
    case .string(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }
}

extension DiffusersConfiguration.Value {
  /// The value of a key, whatever it is. That of the expected kind is looked for first, as each
  /// failure of a decoder takes as long as the reading of several values.
  init(
    _ container: KeyedDecodingContainer<AnyKey>, _ key: AnyKey, expecting kind: DiffusersConfiguration.Option.Kind?
  ) throws {
    func value<Content: Decodable>(_ make: (Content) -> Self) -> Self? {
      (try? container.decode(Content.self, forKey: key)).map(make)
    }
    let expected: Self? =
      switch kind {
      case _ where try container.decodeNil(forKey: key): .null
      case .boolean: value(Self.boolean)
      case .integer: value(Self.integer)
      case .number: value(Self.integer) ?? value { $0.isNaN ? .notANumber : .number($0) }
      case .string: value(Self.string)
      default: nil
      }
    self = try expected ?? container.decode(Self.self, forKey: key)
  }

  /// The value as JSON text: keys in order, two spaces for each level, `-Infinity` and `NaN` bare.
  public var json: String { json(indentation: "") }

  private func json(indentation: String) -> String {
    let inner = indentation + "  "
    func block(_ open: String, _ lines: [String], _ close: String) -> String {
      lines.isEmpty
        ? open + close : open + "\n" + lines.map { inner + $0 }.joined(separator: ",\n") + "\n" + indentation + close
    }
    switch self {
    case .null: return "null"
    case .boolean(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .number(let value): return value.isFinite ? "\(value)" : value < 0 ? "-Infinity" : "Infinity"
    case .notANumber: return "NaN"
    case .string(let value): return JSONText.quoted(value)
    case .list(let values): return block("[", values.map { $0.json(indentation: inner) }, "]")
    case .object(let values):
      let sorted = values.sorted { $0.key < $1.key }
      return block("{", sorted.map { "\(JSONText.quoted($0)): \($1.json(indentation: inner))" }, "}")
    }
  }
}

extension DiffusersConfiguration.Value: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: DiffusersConfiguration.Value...) { self = .list(elements) }
  public init(nilLiteral: ()) { self = .null }
}
