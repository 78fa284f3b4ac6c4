/// A list that is being written.
struct UnkeyedEncoding: UnkeyedEncodingContainer {
  let encoding: JSONEncoding

  var codingPath: [any CodingKey] { encoding.codingPath }
  var count: Int { encoding.node.count }

  private var path: CodingPath { .element(encoding.path, count) }

  private func append(_ text: String) { encoding.node.append(.text(text)) }

  /// The encoder of a new element.
  private func begun() -> JSONEncoding {
    let next = encoding.inside(JSONNode(), path)
    encoding.node.append(.node(next.node))
    return next
  }

  func encodeNil() { append("null") }
  func encode(_ value: Bool) { append("\(value)") }
  func encode(_ value: String) { append(JSONEscape.quoted(value)) }
  func encode(_ value: Double) throws { append(try encoding.number(value, path)) }
  func encode(_ value: Float) throws { append(try encoding.number(value, path)) }
  func encode(_ value: Int) { append("\(value)") }
  func encode(_ value: Int8) { append("\(value)") }
  func encode(_ value: Int16) { append("\(value)") }
  func encode(_ value: Int32) { append("\(value)") }
  func encode(_ value: Int64) { append("\(value)") }
  func encode(_ value: UInt) { append("\(value)") }
  func encode(_ value: UInt8) { append("\(value)") }
  func encode(_ value: UInt16) { append("\(value)") }
  func encode(_ value: UInt32) { append("\(value)") }
  func encode(_ value: UInt64) { append("\(value)") }
  func encode(_ value: some Encodable) throws { encoding.node.append(try encoding.part(value, path)) }

  func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    begun().container(keyedBy: type)
  }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { begun().unkeyedContainer() }
  func superEncoder() -> any Encoder { begun() }
}
