/// JSON text without Foundation: what is read is checked first, and what is written is the same
/// text for equal values.
///
/// The grammar is RFC 8259, https://www.rfc-editor.org/rfc/rfc8259.
package enum JSONText {
  /// Reads a value.
  ///
  /// A number is read as a whole number where it is one, however it is written: 1.0 and 1e2 are.
  /// Doubles and Floats are correctly rounded; a number nearer to 0 than the smallest is 0.
  /// Booleans are no numbers.
  ///
  /// - Parameters:
  ///   - type: what the text holds.
  ///   - bytes: the text in UTF-8, of less than 4 GiB.
  ///   - allowsNonFinite: whether `NaN`, `Infinity` and `-Infinity` are numbers, as Python's `json`
  ///     writes them.
  /// - Throws: `JSONCheck.Failure` for what is no JSON; `DecodingError` with the coding path for a
  ///   value that does not fit; and what the type's own `init(from:)` throws.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: [UInt8], allowsNonFinite: Bool = false
  ) throws -> Value {
    let text = try JSONCheck.checked(bytes, allowsNonFinite: allowsNonFinite)
    return try JSONDecoding(text: text, place: text.root, path: .root).value(type)
  }

  /// Writes a value: keys in the order of their UTF-8, no spaces, slashes as they are, and the
  /// shortest digits that read back to the same bits.
  ///
  /// - Parameters:
  ///   - value: what to write.
  ///   - nonFiniteAsWords: whether to write NaN and the infinities as the strings "nan", "inf" and
  ///     "-inf".
  /// - Throws: `EncodingError` with the coding path for a number that JSON does not have, and what
  ///   the value's own `encode(to:)` throws.
  package static func encode(_ value: some Encodable, nonFiniteAsWords: Bool = false) throws -> String {
    let encoding = JSONEncoding(node: JSONNode(), path: .root, nonFiniteAsWords: nonFiniteAsWords)
    return try encoding.written(value)
  }

  /// A text as JSON writes it, in quotation marks.
  package static func quoted(_ text: String) -> String { JSONEscape.quoted(text) }
}
