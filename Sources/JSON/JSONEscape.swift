/// The escapes of JSON's strings.
enum JSONEscape {
  /// What is wrong with an escape.
  struct Failure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  /// The character of an escape.
  ///
  /// - Parameters:
  ///   - bytes: the text.
  ///   - at: the offset after the backslash, which becomes that after the escape or of the mistake.
  static func character(_ bytes: [UInt8], _ at: inout Int) throws(Failure) -> Unicode.Scalar {
    guard at < bytes.count else { throw Failure("an end inside a string") }
    let byte = bytes[at]
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try codeUnit(bytes, &at)
      guard UTF16.isLeadSurrogate(unit) else { return try scalar([unit]) }
      guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else {
        throw Failure("half of a surrogate pair")
      }
      at += 2
      return try scalar([unit, codeUnit(bytes, &at)])
    default: throw Failure("an escape that JSON does not have")
    }
  }

  private static func scalar(_ units: [UInt16]) throws(Failure) -> Unicode.Scalar {
    var (decoder, rest) = (UTF16(), units.makeIterator())
    guard case .scalarValue(let scalar) = decoder.decode(&rest) else { throw Failure("half of a surrogate pair") }
    return scalar
  }

  private static func codeUnit(_ bytes: [UInt8], _ at: inout Int) throws(Failure) -> UInt16 {
    guard at + 4 <= bytes.count else { throw Failure("an end inside a string") }
    var unit: UInt16 = 0
    for byte in bytes[at..<at + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw Failure("no four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
    }
    at += 4
    return unit
  }

  /// The UTF-8 of a part of a checked text, without its escapes.
  static func unescaped(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
    var text: [UInt8] = []
    var at = range.lowerBound
    while at < range.upperBound {
      let byte = bytes[at]
      at += 1
      guard byte == UInt8(ascii: "\\"), let character = try? character(bytes, &at) else {
        text.append(byte)
        continue
      }
      text.append(contentsOf: UTF8.encode(character)!)
    }
    return text
  }

  /// A text as JSON writes it, in quotation marks.
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\u{8}": quoted += "\\b"
      case "\u{C}": quoted += "\\f"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case ..<" ": quoted += (scalar.value < 16 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
