/// An encoder of a value into a node.
struct JSONEncoding: Encoder {
  let node: JSONNode
  let path: CodingPath
  let nonFiniteAsWords: Bool

  var codingPath: [any CodingKey] { path.keys }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.beginObject()
    return KeyedEncodingContainer(KeyedEncoding<Key>(encoding: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.beginList()
    return UnkeyedEncoding(encoding: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  /// The encoder of a part, at a longer path.
  func inside(_ node: JSONNode, _ path: CodingPath) -> JSONEncoding {
    JSONEncoding(node: node, path: path, nonFiniteAsWords: nonFiniteAsWords)
  }
}

extension JSONEncoding {
  /// The text of a value, which the node becomes.
  func written<Value: Encodable>(_ value: Value) throws -> String {
    switch try part(value, path) {
    case .text(let text): return text
    case .node(let node):
      if case .nothing = node.content {
        throw EncodingError.invalidValue(
          value,
          .init(codingPath: codingPath, debugDescription: "Top-level \(Value.self) did not encode any values."))
      }
      var text = ""
      node.write(to: &text)
      return text
    }
  }

  /// A part of what is written.
  ///
  /// - Parameter path: where the part is, made only where somebody needs it.
  func part<Value: Encodable>(_ value: Value, _ path: @autoclosure () -> CodingPath) throws -> JSONNode.Part {
    // Lists and dictionaries give so what they hold.
    if Value.self == Double.self { return .text(try number(value as! Double, path())) }
    if Value.self == String.self { return .text(JSONEscape.quoted(value as! String)) }
    if Value.self == Int.self { return .text("\(value as! Int)") }
    if Value.self == Bool.self { return .text("\(value as! Bool)") }
    let part = inside(JSONNode(), path())
    try value.encode(to: part)
    return .node(part.node)
  }

  /// The text of a number.
  func number<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    _ value: Number, _ path: @autoclosure () -> CodingPath
  ) throws -> String {
    guard value.isFinite else {
      let word = value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
      if nonFiniteAsWords { return "\"" + word + "\"" }
      throw EncodingError.invalidValue(
        value,
        .init(codingPath: path().keys, debugDescription: "\(Number.self) \(word) is not a number that JSON has."))
    }
    // The fewest digits that read back to the same bits.
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

// MARK: One value

extension JSONEncoding: SingleValueEncodingContainer {
  private func write(_ text: String) {
    guard case .nothing = node.content else {
      preconditionFailure("a value is encoded where there is another value already")
    }
    node.content = .text(text)
  }

  func encodeNil() { write("null") }
  func encode(_ value: Bool) { write("\(value)") }
  func encode(_ value: String) { write(JSONEscape.quoted(value)) }
  func encode(_ value: Double) throws { write(try number(value, path)) }
  func encode(_ value: Float) throws { write(try number(value, path)) }
  func encode(_ value: Int) { write("\(value)") }
  func encode(_ value: Int8) { write("\(value)") }
  func encode(_ value: Int16) { write("\(value)") }
  func encode(_ value: Int32) { write("\(value)") }
  func encode(_ value: Int64) { write("\(value)") }
  func encode(_ value: UInt) { write("\(value)") }
  func encode(_ value: UInt8) { write("\(value)") }
  func encode(_ value: UInt16) { write("\(value)") }
  func encode(_ value: UInt32) { write("\(value)") }
  func encode(_ value: UInt64) { write("\(value)") }
  func encode(_ value: some Encodable) throws {
    switch try part(value, path) {
    case .text(let text): write(text)
    case .node(let part): node.content = part.content
    }
  }
}
