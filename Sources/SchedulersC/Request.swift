import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersJSON

/// The keys of a request, each taken once; what is left over is refused.
struct Request {
  typealias Value = DiffusersConfiguration.Value

  private var values: [String: Value]
  private var known: [String] = []

  /// Reads a JSON object; Python's NaN and Infinity are allowed.
  init(_ json: String) throws {
    guard case .object(let values) = try JSONText.decode(Value.self, from: Array(json.utf8), allowsNonFinite: true)
    else { throw Refusal(SCHEDULERS_JSON, "the request must be a JSON object") }
    self.values = values
  }

  /// The request in a request.
  init(_ values: [String: Value]) { self.values = values }

  func has(_ key: String) -> Bool { values[key] != nil }

  /// The value of a key that will be taken later.
  func peek(_ key: String) -> Value? { values[key] }

  /// The value of a key, without null.
  mutating func value(_ key: String) -> Value? {
    known.append(key)
    let value = values.removeValue(forKey: key)
    return value == .null ? nil : value
  }

  mutating func text(_ key: String) throws(Refusal) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let text) = value else { throw misfit(key, value, "text") }
    return text
  }

  mutating func boolean(_ key: String) throws(Refusal) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .boolean(let flag) = value else { throw misfit(key, value, "true or false") }
    return flag
  }

  mutating func whole(_ key: String, in range: ClosedRange<Int>) throws(Refusal) -> Int? {
    guard let value = value(key) else { return nil }
    guard case .integer(let number) = value, range.contains(number) else {
      throw misfit(key, value, "a whole number in \(range.lowerBound) ... \(range.upperBound)")
    }
    return number
  }

  mutating func number(_ key: String, in range: ClosedRange<Double>) throws(Refusal) -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = Self.number(value), range.contains(number) else {
      throw misfit(key, value, "a number in \(range.lowerBound) ... \(range.upperBound)")
    }
    return number
  }

  /// A list of numbers, each finite.
  mutating func numbers(_ key: String, atMost most: Int) throws(Refusal) -> [Double]? {
    guard let value = value(key) else { return nil }
    guard case .list(let values) = value, values.count <= most else {
      throw misfit(key, value, "a list of at most \(most) numbers")
    }
    let numbers = values.compactMap(Self.number)
    guard numbers.count == values.count, numbers.allSatisfy(\.isFinite) else {
      throw misfit(key, value, "a list of finite numbers")
    }
    return numbers
  }

  /// One of some names; `nil` if the key is not there.
  mutating func choice<Choice>(
    _ key: String, of kind: String, among known: [String], _ find: (String) -> Choice?
  ) throws(Refusal) -> Choice? {
    guard let name = try text(key) else { return nil }
    guard let found = find(name) else { throw .unknown(kind, name, known: known) }
    return found
  }

  /// Refuses what nobody asked for.
  func finish() throws(Refusal) {
    guard let key = values.keys.min() else { return }
    throw .request("the key \"\(key)\" of the request is unknown here; known are \(known.joined(separator: ", "))")
  }

  private static func number(_ value: Value) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  private func misfit(_ key: String, _ value: Value, _ expected: String) -> Refusal {
    .request("\"\(key)\" of the request must be \(expected), not \(value.json.prefix(80))")
  }
}
