/// An object, whose values are found by their keys.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
  private let decoding: JSONDecoding
  private let members: Members

  init(_ decoding: JSONDecoding) {
    self.decoding = decoding
    members = Members(decoding.text, decoding.place)
  }

  var codingPath: [any CodingKey] { decoding.codingPath }
  /// In the order of the text.
  var allKeys: [Key] { members.keys.compactMap { Key(stringValue: $0) } }
  func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }

  /// The decoder of a key's value.
  private func value(_ key: any CodingKey) throws -> JSONDecoding {
    guard let value = found(key) else { throw missing(key) }
    return value
  }

  private func found(_ key: any CodingKey) -> JSONDecoding? {
    members[key.stringValue].map {
      JSONDecoding(text: decoding.text, place: $0, path: .inside(decoding.path, key))
    }
  }

  private func missing(_ key: any CodingKey) -> DecodingError {
    .keyNotFound(
      key,
      .init(
        codingPath: codingPath, debugDescription: "No value associated with key \(key) (\"\(key.stringValue)\")."))
  }

  private func scalar<Scalar: JSONScalar>(_ type: Scalar.Type, _ key: Key) throws -> Scalar {
    guard let place = members[key.stringValue] else { throw missing(key) }
    guard let scalar = Scalar.read(decoding.text, place) else { throw try value(key).misfit(type) }
    return scalar
  }

  func decodeNil(forKey key: Key) throws -> Bool {
    guard let place = members[key.stringValue] else { throw missing(key) }
    return decoding.text.kind(place) == .null
  }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try scalar(type, key) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try scalar(type, key) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try scalar(type, key) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try scalar(type, key) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try scalar(type, key) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try scalar(type, key) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try scalar(type, key) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try scalar(type, key) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try scalar(type, key) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try scalar(type, key) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try scalar(type, key) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try scalar(type, key) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try scalar(type, key) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try scalar(type, key) }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try value(key).value(type) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try value(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try value(key).unkeyedContainer()
  }

  func superDecoder() -> any Decoder { decoder(JSONKey.superclass) }
  func superDecoder(forKey key: Key) -> any Decoder { decoder(key) }

  /// A missing superclass is null.
  private func decoder(_ key: any CodingKey) -> any Decoder {
    found(key)
      ?? JSONDecoding(text: .null, place: CheckedText.null.root, path: .inside(decoding.path, key))
  }
}

/// The keys of an object and where their values are.
private struct Members {
  private(set) var keys: [String] = []
  private var places: [CheckedText.Place] = []
  /// The places of many.
  private var table: [String: CheckedText.Place] = [:]

  init(_ text: CheckedText, _ object: CheckedText.Place) {
    let count = text.count(object)
    keys.reserveCapacity(count)
    places.reserveCapacity(count)
    var next = text.first(in: object)
    while let key = next {
      let value = text.value(of: key)
      keys.append(text.string(key))
      places.append(value)
      next = text.next(after: value)
    }
    guard count > 8 else { return }
    // Keys of other bytes can be one String.
    table = Dictionary(zip(keys, places)) { first, _ in first }
  }

  subscript(key: String) -> CheckedText.Place? {
    keys.count > 8 ? table[key] : keys.firstIndex(of: key).map { places[$0] }
  }
}
