/// A decoder at a value of a checked text.
struct JSONDecoding: Decoder {
  let text: CheckedText
  let place: CheckedText.Place
  let path: CodingPath

  var codingPath: [any CodingKey] { path.keys }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard text.kind(place) == .object else { throw misfit(keyed: true) }
    return KeyedDecodingContainer(KeyedDecoding<Key>(self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try list() }

  func list() throws -> UnkeyedDecoding {
    guard text.kind(place) == .list else { throw misfit(keyed: false) }
    return UnkeyedDecoding(self)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }
}

extension JSONDecoding {
  /// A boolean, a string or a number.
  func scalar<Scalar: JSONScalar>(_ type: Scalar.Type) throws -> Scalar {
    guard let scalar = Scalar.read(text, place) else { throw misfit(type) }
    return scalar
  }

  func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
    // Lists and dictionaries ask so for what they hold, and the types themselves would ask a
    // container.
    if type == Double.self { return try scalar(Double.self) as! Value }
    if type == String.self { return try scalar(String.self) as! Value }
    if type == Int.self { return try scalar(Int.self) as! Value }
    if type == Bool.self { return try scalar(Bool.self) as! Value }
    if type == [Double].self { return try doubles() as! Value }
    return try Value(from: self)
  }

  /// A list of numbers, as long as the memory that it takes.
  private func doubles() throws -> [Double] {
    var list = try list()
    var doubles: [Double] = []
    doubles.reserveCapacity(list.count ?? 0)
    while !list.isAtEnd { doubles.append(try list.decode(Double.self)) }
    return doubles
  }
}

// MARK: Errors

extension JSONDecoding {
  private var found: String { text.kind(place).rawValue }

  /// What to throw where a scalar is wanted and not there.
  func misfit<Scalar: JSONScalar>(_ type: Scalar.Type) -> DecodingError {
    let kind = text.kind(place)
    if kind == .number, Scalar.self != Bool.self, Scalar.self != String.self {
      let number = JSONNumber(text.bytes, at: place.offset)
      return .dataCorrupted(
        context("the number " + number.description + " does not fit its place, which is for " + Scalar.name))
    }
    if kind == .null, Scalar.self != Bool.self {
      return .valueNotFound(
        type, context("Cannot get value of type " + Scalar.name + " -- found null value instead"))
    }
    return .typeMismatch(type, context("Expected to decode " + Scalar.name + " but found " + found + " instead."))
  }

  /// What to throw where a container is wanted and not there.
  private func misfit(keyed: Bool) -> DecodingError {
    let type: Any.Type = keyed ? [String: Any].self : [Any].self
    guard text.kind(place) != .null else {
      return .valueNotFound(
        type,
        context("Cannot get " + (keyed ? "keyed" : "unkeyed") + " decoding container -- found null value instead"))
    }
    let name = keyed ? "Dictionary<String, Any>" : "Array<Any>"
    return .typeMismatch(type, context("Expected to decode " + name + " but found " + found + " instead."))
  }

  private func context(_ description: String) -> DecodingError.Context {
    DecodingError.Context(codingPath: codingPath, debugDescription: description)
  }
}

// MARK: One value

extension JSONDecoding: SingleValueDecodingContainer {
  func decodeNil() -> Bool { text.kind(place) == .null }
  func decode(_ type: Bool.Type) throws -> Bool { try scalar(type) }
  func decode(_ type: String.Type) throws -> String { try scalar(type) }
  func decode(_ type: Double.Type) throws -> Double { try scalar(type) }
  func decode(_ type: Float.Type) throws -> Float { try scalar(type) }
  func decode(_ type: Int.Type) throws -> Int { try scalar(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try scalar(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try scalar(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try scalar(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try scalar(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try scalar(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try scalar(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try scalar(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try scalar(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try scalar(type) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try value(type) }
}
