/// A text that is known to be JSON, and where its lists and objects end. Nothing is kept of other
/// values: they are read where they lie.
struct CheckedText {
  /// A list or an object.
  struct Container {
    /// The offset after its closing bracket.
    var end: UInt32 = 0
    /// How many lists and objects lie in it, at any depth.
    var inner: UInt32 = 0
    /// How many elements or keys it has.
    var count: UInt32 = 0
  }

  /// Where a value or a key begins.
  struct Place {
    var offset: Int
    /// How many lists and objects begin before it.
    var container: Int
  }

  let bytes: [UInt8]
  /// In the order of their opening brackets.
  let containers: [Container]

  /// The text `null`.
  static let null = CheckedText(bytes: Array("null".utf8), containers: [])

  /// The value that the text is.
  var root: Place { Place(offset: spaceEnd(0), container: 0) }
}

extension CheckedText {
  /// What a value is, by its first byte.
  enum Kind: String {
    // As the errors of a decoder call them.
    case null
    case boolean = "bool"
    case number
    case string = "a string"
    case list = "an array"
    case object = "a dictionary"
  }

  func kind(_ place: Place) -> Kind {
    switch bytes[place.offset] {
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "["): .list
    case UInt8(ascii: "{"): .object
    default: .number
    }
  }

  /// How many elements or keys a list or an object has.
  func count(_ place: Place) -> Int { Int(containers[place.container].count) }

  /// The first element of a list or key of an object.
  func first(in place: Place) -> Place? {
    count(place) == 0 ? nil : Place(offset: spaceEnd(place.offset + 1), container: place.container + 1)
  }

  /// The value of a key.
  func value(of key: Place) -> Place {
    // A colon comes after the key.
    Place(offset: spaceEnd(spaceEnd(end(of: key).offset) + 1), container: key.container)
  }

  /// The element after one of a list, or the key after a value of an object.
  func next(after place: Place) -> Place? {
    var next = end(of: place)
    next.offset = spaceEnd(next.offset)
    guard bytes[next.offset] == UInt8(ascii: ",") else { return nil }
    next.offset = spaceEnd(next.offset + 1)
    return next
  }

  /// Where a value has ended.
  private func end(of place: Place) -> Place {
    switch kind(place) {
    case .list, .object:
      let container = containers[place.container]
      return Place(offset: Int(container.end), container: place.container + 1 + Int(container.inner))
    case .string: return Place(offset: stringEnd(place.offset) + 1, container: place.container)
    case .null, .boolean, .number:
      var end = place.offset
      while end < bytes.count, !Self.isDelimiter(bytes[end]) { end += 1 }
      return Place(offset: end, container: place.container)
    }
  }

  private static func isDelimiter(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
  }

  private func spaceEnd(_ start: Int) -> Int {
    var end = start
    while end < bytes.count, bytes[end] <= 0x20 { end += 1 }
    return end
  }

  /// The offset of a string's closing quotation mark.
  private func stringEnd(_ start: Int) -> Int {
    var end = start + 1
    while bytes[end] != UInt8(ascii: "\"") { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
    return end
  }

  /// The string that begins at a place.
  func string(_ place: Place) -> String {
    let content = place.offset + 1..<stringEnd(place.offset)
    guard bytes[content].contains(UInt8(ascii: "\\")) else { return String(decoding: bytes[content], as: UTF8.self) }
    return String(decoding: JSONEscape.unescaped(bytes, content), as: UTF8.self)
  }
}
