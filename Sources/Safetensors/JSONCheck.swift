/// What a JSON decoder lets pass or dies of: keys that occur twice, of which it keeps one, and
/// brackets nested deeper than a stack.
///
/// The grammar is RFC 8259, https://www.rfc-editor.org/rfc/rfc8259, with `NaN`, `Infinity` and
/// `-Infinity` where they are allowed, as Python's `json` writes them. Nothing else of JSON5 is.
package struct JSONCheck {
  /// Where and why a text is not JSON.
  package struct Failure: Error, Hashable, CustomStringConvertible {
    let offset: Int
    let reason: String
    package var description: String { "\(reason) at byte \(offset)" }
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
      throw Failure(offset: 0, reason: "text that is not UTF-8")
    }
    var check = JSONCheck(bytes, allowsNonFinite: allowsNonFinite)
    try check.value(depth: 0)
    check.skipSpace()
    guard check.at == bytes.count else { throw check.failure("something after the end of the value") }
  }

  private func failure(_ reason: String) -> Failure { Failure(offset: at, reason: reason) }

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
      try number()
    }
  }

  private mutating func array(depth: Int) throws(Failure) {
    at += 1
    skipSpace()
    if take("]") { return }
    repeat {
      try value(depth: depth + 1)
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("no , or ] after an element") }
  }

  private mutating func object(depth: Int) throws(Failure) {
    at += 1
    var keys: Set<[UInt8]> = []
    skipSpace()
    if take("}") { return }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("no key in quotation marks") }
      let key = try string()
      guard keys.insert(key).inserted else {
        throw failure("the key \(String(decoding: key, as: UTF8.self).quoted) for the second time")
      }
      skipSpace()
      guard take(":") else { throw failure("no : after a key") }
      try value(depth: depth + 1)
      skipSpace()
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

  private mutating func digits() throws(Failure) {
    let start = at
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
    guard at > start else { throw failure("no JSON value") }
  }
}
