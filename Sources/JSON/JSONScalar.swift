/// A type whose values are booleans, strings or numbers of JSON.
protocol JSONScalar {
  /// The type's name, for messages: a decoder's failures are often tries, and should cost little.
  static var name: String { get }

  /// The value at a place; nil if none of this type is there.
  static func read(_ text: CheckedText, _ place: CheckedText.Place) -> Self?
}

extension Bool: JSONScalar {
  static var name: String { "Bool" }
  static func read(_ text: CheckedText, _ place: CheckedText.Place) -> Bool? {
    text.kind(place) == .boolean ? text.bytes[place.offset] == UInt8(ascii: "t") : nil
  }
}

extension String: JSONScalar {
  static var name: String { "String" }
  static func read(_ text: CheckedText, _ place: CheckedText.Place) -> String? {
    text.kind(place) == .string ? text.string(place) : nil
  }
}

extension Double: JSONScalar {
  static var name: String { "Double" }
  static func read(_ text: CheckedText, _ place: CheckedText.Place) -> Double? {
    text.kind(place) == .number ? JSONNumber(text.bytes, at: place.offset).double : nil
  }
}

extension Float: JSONScalar {
  static var name: String { "Float" }
  static func read(_ text: CheckedText, _ place: CheckedText.Place) -> Float? {
    text.kind(place) == .number ? JSONNumber(text.bytes, at: place.offset).float : nil
  }
}

extension JSONScalar where Self: FixedWidthInteger {
  static var name: String { Self.self == Int.self ? "Int" : "\(Self.self)" }
  static func read(_ text: CheckedText, _ place: CheckedText.Place) -> Self? {
    text.kind(place) == .number ? JSONNumber(text.bytes, at: place.offset).integer() : nil
  }
}

extension Int: JSONScalar {}
extension Int8: JSONScalar {}
extension Int16: JSONScalar {}
extension Int32: JSONScalar {}
extension Int64: JSONScalar {}
extension UInt: JSONScalar {}
extension UInt8: JSONScalar {}
extension UInt16: JSONScalar {}
extension UInt32: JSONScalar {}
extension UInt64: JSONScalar {}
