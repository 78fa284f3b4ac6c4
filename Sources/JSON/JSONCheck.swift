/// The reader of JSON's grammar, which refuses too what a decoder would let pass or die of: keys
/// that occur twice, of which it would keep one, and brackets nested deeper than a stack.
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

    init(_ reason: String, at offset: Int, of bytes: [UInt8]) {
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
  private var containers: [CheckedText.Container] = []

  private init(_ bytes: [UInt8], allowsNonFinite: Bool) {
    self.bytes = bytes
    self.allowsNonFinite = allowsNonFinite
  }

  /// Throws unless the bytes are one JSON value in UTF-8, without repeated keys and not deeper than
  /// `maximumDepth`.
  package static func check(_ bytes: [UInt8], allowsNonFinite: Bool = false) throws(Failure) {
    _ = try checked(bytes, allowsNonFinite: allowsNonFinite)
  }

  /// The same, and where its lists and objects end.
  static func checked(_ bytes: [UInt8], allowsNonFinite: Bool) throws(Failure) -> CheckedText {
    guard bytes.count < UInt32.max else { throw Failure("4 GiB of text or more", at: 0, of: Array(bytes.prefix(4096))) }
    let valid = UTF8Check.validLength(of: bytes)
    guard valid == bytes.count else { throw Failure("text that is not UTF-8", at: valid, of: bytes) }
    var check = JSONCheck(bytes, allowsNonFinite: allowsNonFinite)
    try check.value(depth: 0)
    check.skipSpace()
    guard check.at == bytes.count else { throw check.failure("something after the end of the value") }
    return CheckedText(bytes: bytes, containers: check.containers)
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

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func take(word: StaticString) -> Bool {
    let end = at + word.utf8CodeUnitCount
    guard end <= bytes.count, word.withUTF8Buffer({ bytes[at..<end].elementsEqual($0) }) else { return false }
    at = end
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
    case let byte?:
      if Self.digits.contains(byte) { return try number() }
      let isWord = take(word: "true") || take(word: "false") || take(word: "null")
      if isWord || (allowsNonFinite && (take(word: "NaN") || take(word: "Infinity") || take(word: "-Infinity"))) {
        return
      }
      guard byte == UInt8(ascii: "-") else { throw stranger("no JSON value") }
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

  /// Notes the end of a list or an object, after its closing bracket.
  private mutating func close(_ container: Int, count: Int) {
    let inner = containers.count - container - 1
    containers[container] = CheckedText.Container(end: UInt32(at), inner: UInt32(inner), count: UInt32(count))
  }

  private mutating func array(depth: Int) throws(Failure) {
    at += 1
    let container = containers.count
    containers.append(CheckedText.Container())
    skipSpace()
    var (count, comma): (Int, Int?) = (0, nil)
    if take("]") { return close(container, count: count) }
    repeat {
      try refuse(comma, before: "]")
      try value(depth: depth + 1)
      count += 1
      skipSpace()
      comma = at
    } while take(",")
    guard take("]") else { throw failure("no , or ] after an element") }
    close(container, count: count)
  }

  private mutating func object(depth: Int) throws(Failure) {
    at += 1
    let container = containers.count
    containers.append(CheckedText.Container())
    var keys = KeySet()
    skipSpace()
    var comma: Int?
    if take("}") { return close(container, count: 0) }
    repeat {
      try refuse(comma, before: "}")
      guard next == UInt8(ascii: "\"") else { throw stranger("no key in quotation marks") }
      let key = try string()
      guard keys.insert(key) else {
        throw failure("the key \(String(decoding: key, as: UTF8.self).quoted) for the second time")
      }
      skipSpace()
      guard take(":") else { throw failure("no : after a key") }
      try value(depth: depth + 1)
      skipSpace()
      comma = at
    } while take(",")
    guard take("}") else { throw failure("no , or } after a value") }
    close(container, count: keys.count)
  }

  /// A string; its text in UTF-8, so that a key is the same however it is escaped.
  private mutating func string() throws(Failure) -> ArraySlice<UInt8> {
    at += 1
    let start = at
    var hasEscapes = false
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        let content = start..<at - 1
        return hasEscapes ? JSONEscape.unescaped(bytes, content)[...] : bytes[content]
      case UInt8(ascii: "\\"):
        hasEscapes = true
        do { _ = try JSONEscape.character(bytes, &at) } catch { throw failure(error.reason) }
      case ..<0x20: throw failure("a control character in a string")
      default: break
      }
    }
    throw failure("an end inside a string")
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
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { at += 1 }
    guard at > start else { throw failure("no JSON value") }
  }
}

/// The keys of an object.
private struct KeySet {
  private var few: [ArraySlice<UInt8>] = []
  private var many: Set<ArraySlice<UInt8>> = []

  var count: Int { few.count + many.count }

  /// Whether a key is new.
  mutating func insert(_ key: ArraySlice<UInt8>) -> Bool {
    // Comparing a few is faster than hashing them.
    guard !few.contains(key) else { return false }
    guard few.count == 16 else { few.append(key); return true }
    return many.insert(key).inserted
  }
}
