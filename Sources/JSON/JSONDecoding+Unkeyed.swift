/// A list, whose elements are read one after another.
struct UnkeyedDecoding: UnkeyedDecodingContainer {
  private let decoding: JSONDecoding
  private let number: Int
  private var next: CheckedText.Place?
  private(set) var currentIndex = 0

  init(_ decoding: JSONDecoding) {
    self.decoding = decoding
    number = decoding.text.count(decoding.place)
    next = decoding.text.first(in: decoding.place)
  }

  var codingPath: [any CodingKey] { decoding.codingPath }
  var count: Int? { number }
  var isAtEnd: Bool { next == nil }

  private var path: CodingPath { .element(decoding.path, currentIndex) }

  /// The place of the next element.
  private func place(_ type: Any.Type) throws -> CheckedText.Place {
    guard let next else {
      throw DecodingError.valueNotFound(
        type, .init(codingPath: path.keys, debugDescription: "Unkeyed container is at end."))
    }
    return next
  }

  /// What a body reads of the next element, which is then the last; it stays the next where the
  /// body throws.
  private mutating func element<Value>(_ type: Any.Type, _ body: (JSONDecoding) throws -> Value) throws -> Value {
    let place = try place(type)
    let value = try body(JSONDecoding(text: decoding.text, place: place, path: path))
    advance(over: place)
    return value
  }

  private mutating func advance(over place: CheckedText.Place) {
    next = decoding.text.next(after: place)
    currentIndex += 1
  }

  private mutating func scalar<Scalar: JSONScalar>(_ type: Scalar.Type) throws -> Scalar {
    let place = try place(type)
    guard let scalar = Scalar.read(decoding.text, place) else {
      throw JSONDecoding(text: decoding.text, place: place, path: path).misfit(type)
    }
    advance(over: place)
    return scalar
  }

  mutating func decodeNil() throws -> Bool {
    let place = try place(Any?.self)
    guard decoding.text.kind(place) == .null else { return false }
    advance(over: place)
    return true
  }
  mutating func decode(_ type: Bool.Type) throws -> Bool { try scalar(type) }
  mutating func decode(_ type: String.Type) throws -> String { try scalar(type) }
  mutating func decode(_ type: Double.Type) throws -> Double { try scalar(type) }
  mutating func decode(_ type: Float.Type) throws -> Float { try scalar(type) }
  mutating func decode(_ type: Int.Type) throws -> Int { try scalar(type) }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try scalar(type) }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try scalar(type) }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try scalar(type) }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try scalar(type) }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try scalar(type) }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try scalar(type) }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try scalar(type) }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try scalar(type) }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try scalar(type) }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if type == Double.self { return try scalar(Double.self) as! Value }
    return try element(type) { try $0.value(type) }
  }

  mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    try element(KeyedDecodingContainer<Key>.self) { try $0.container(keyedBy: type) }
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try element((any UnkeyedDecodingContainer).self) { try $0.unkeyedContainer() }
  }
  mutating func superDecoder() throws -> any Decoder { try element((any Decoder).self) { $0 } }
}
