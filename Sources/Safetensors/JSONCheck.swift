/// What a JSON decoder lets pass or dies of: keys that occur twice, of which it keeps one, and
/// brackets nested deeper than a stack.
///
/// The grammar is RFC 8259, https://www.rfc-editor.org/rfc/rfc8259, with `NaN`, `Infinity` and
/// `-Infinity` where they are allowed, as Python's `json` writes them. Nothing else of JSON5 is.
package struct JSONCheck {
  /// Where and why a text is not JSON, and what it is instead where that is known.
  package struct Failure: Error, Hashable, CustomStringConvertible {
    /// From 1.
    let line: Int
    /// In characters of Unicode, from 1.
    let column: Int
    let reason: String
    /// What is in the place of JSON.
    package let kind: FileKind?

    package var description: String {
      "\(reason) at line \(line), column \(column)" + (kind.map { "; \($0)" } ?? "")
    }

    fileprivate init(_ reason: String, at offset: Int, of bytes: [UInt8]) {
      let before = bytes.prefix(offset)
      let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
      line = 1 + before.count { $0 == 0x0A }
      // Bytes of the form 10xxxxxx go on with a character.
      column = 1 + before[start...].count { $0 & 0xC0 != 0x80 }
      self.reason = reason
      let kind = FileKind(bytes)
      self.kind = kind == .json ? nil : kind
    }
  }

  /// Deeper than any file that a person writes, and far from the end of a stack.
  static let maximumDepth = 64

  private let bytes: [UInt8]
  private let allowsNonFinite: Bool
  private var at = 0

  private init(_ bytes: [UInt8], allowsNonFinite: Bool) {
    self.bytes = bytes
    self.allowsNonFinite = allowsNonFinite
  }

  /// Throws unless the bytes are one JSON value in UTF-8, without repeated keys and not deeper than
  /// `maximumDepth`.
  package static func check(_ bytes: [UInt8], allowsNonFinite: Bool = false) throws(Failure) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Failure("text that is not UTF-8", at: validLength(of: bytes), of: bytes)
    }
    var check = JSONCheck(bytes, allowsNonFinite: allowsNonFinite)
    try check.value(depth: 0)
    check.skipSpace()
    guard check.at == bytes.count else { throw check.failure("something after the end of the value") }
  }

  private func failure(_ reason: String) -> Failure { Failure(reason, at: at, of: bytes) }

  /// A failure where something should begin and does not, with what people write there instead.
  private func stranger(_ nothing: String) -> Failure {
    let rest = bytes[at...]
    let known = [
      ("'", "a single quotation mark"), ("\u{201C}", "a typographic quotation mark"), ("//", "a comment"),
      ("/*", "a comment"), ("#", "a comment"), ("True", "Python's True"), ("False", "Python's False"),
      ("None", "Python's None"),
    ]
    return failure(nothing + (known.first { rest.starts(with: $0.0.utf8) }.map { ", but \($0.1)," } ?? ""))
  }

  /// How many bytes from the start are UTF-8.
  private static func validLength(of bytes: [UInt8]) -> Int {
    var (parser, rest, length) = (Unicode.UTF8.ForwardParser(), bytes.makeIterator(), 0)
    while case .valid(let character) = parser.parseScalar(from: &rest) { length += character.count }
    return length
  }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func take(word: String) -> Bool {
    guard bytes[at...].starts(with: word.utf8) else { return false }
    at += word.utf8.count
    return true
  }

  private mutating func value(depth: Int) throws(Failure) {
    guard depth < Self.maximumDepth else { throw failure("more than \(Self.maximumDepth) nested brackets") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): try object(depth: depth)
    case UInt8(ascii: "["): try array(depth: depth)
    case UInt8(ascii: "\""): _ = try string()
    case nil: throw failure("an end where a value should be")
    default:
      let isWord = take(word: "true") || take(word: "false") || take(word: "null")
      if isWord || (allowsNonFinite && (take(word: "NaN") || take(word: "Infinity") || take(word: "-Infinity"))) {
        return
      }
      guard let next, next == UInt8(ascii: "-") || Self.digits.contains(next) else { throw stranger("no JSON value") }
      try number()
    }
  }

  /// Throws if nothing but the closing bracket follows a comma.
  private mutating func refuse(_ comma: Int?, before bracket: Unicode.Scalar) throws(Failure) {
    skipSpace()
    guard let comma, next == UInt8(ascii: bracket) else { return }
    let missing = bracket == "}" ? "key" : "value"
    throw Failure("no \(missing) after a comma, which JSON does not have before \(bracket),", at: comma, of: bytes)
  }

  private mutating func array(depth: Int) throws(Failure) {
    at += 1
    skipSpace()
    if take("]") { return }
    var comma: Int?
    repeat {
      try refuse(comma, before: "]")
      try value(depth: depth + 1)
      skipSpace()
      comma = at
    } while take(",")
    guard take("]") else { throw failure("no , or ] after an element") }
  }

  private mutating func object(depth: Int) throws(Failure) {
    at += 1
    var keys: Set<[UInt8]> = []
    skipSpace()
    if take("}") { return }
    var comma: Int?
    repeat {
      try refuse(comma, before: "}")
      guard next == UInt8(ascii: "\"") else { throw stranger("no key in quotation marks") }
      let key = try string()
      guard keys.insert(key).inserted else {
        throw failure("the key \(String(decoding: key, as: UTF8.self).quoted) for the second time")
      }
      skipSpace()
      guard take(":") else { throw failure("no : after a key") }
      try value(depth: depth + 1)
      skipSpace()
      comma = at
    } while take(",")
    guard take("}") else { throw failure("no , or } after a value") }
  }

  /// A string; its text in UTF-8, so that a key is the same however it is escaped.
  private mutating func string() throws(Failure) -> [UInt8] {
    at += 1
    var text: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return text
      case UInt8(ascii: "\\"): text += try escaped()
      case ..<0x20: throw failure("a control character in a string")
      default: text.append(byte)
      }
    }
    throw failure("an end inside a string")
  }

  private mutating func escaped() throws(Failure) -> [UInt8] {
    guard let byte = next else { throw failure("an end inside a string") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]) {
        guard take(word: "\\u") else { throw failure("half of a surrogate pair") }
        units.append(try codeUnit())
      }
      guard let character = String(validating: units, as: UTF16.self) else { throw failure("half of a surrogate pair") }
      return Array(character.utf8)
    default: throw failure("an escape that JSON does not have")
    }
  }

  private mutating func codeUnit() throws(Failure) -> UInt16 {
    guard at + 4 <= bytes.count else { throw failure("an end inside a string") }
    let digits = bytes[at..<at + 4].map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard !digits.contains(nil) else { throw failure("no four hexadecimal digits") }
    at += 4
    return digits.reduce(0) { $0 << 4 | UInt16($1 ?? 0) }
  }

  private mutating func number() throws(Failure) {
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
  }

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  private mutating func digits() throws(Failure) {
    let start = at
    while let byte = next, Self.digits.contains(byte) { at += 1 }
    guard at > start else { throw failure("no JSON value") }
  }
}
