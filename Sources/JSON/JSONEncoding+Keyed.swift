/// An object that is being written.
struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoding: JSONEncoding

  var codingPath: [any CodingKey] { encoding.codingPath }

  private func set(_ text: String, _ key: any CodingKey) { encoding.node.set(.text(text), key.stringValue) }

  private func path(_ key: any CodingKey) -> CodingPath { .inside(encoding.path, key) }

  /// The encoder of a key's value, which may have been begun.
  private func begun(_ key: any CodingKey) -> JSONEncoding {
    let node = encoding.node[key.stringValue] ?? JSONNode()
    encoding.node.set(.node(node), key.stringValue)
    return encoding.inside(node, path(key))
  }

  func encodeNil(forKey key: Key) { set("null", key) }
  func encode(_ value: Bool, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: String, forKey key: Key) { set(JSONEscape.quoted(value), key) }
  func encode(_ value: Double, forKey key: Key) throws { set(try encoding.number(value, path(key)), key) }
  func encode(_ value: Float, forKey key: Key) throws { set(try encoding.number(value, path(key)), key) }
  func encode(_ value: Int, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: Int8, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: Int16, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: Int32, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: Int64, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: UInt, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: UInt8, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: UInt16, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: UInt32, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: UInt64, forKey key: Key) { set("\(value)", key) }
  func encode(_ value: some Encodable, forKey key: Key) throws {
    encoding.node.set(try encoding.part(value, path(key)), key.stringValue)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { begun(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { begun(key).unkeyedContainer() }
  func superEncoder() -> any Encoder { begun(JSONKey.superclass) }
  func superEncoder(forKey key: Key) -> any Encoder { begun(key) }
}
