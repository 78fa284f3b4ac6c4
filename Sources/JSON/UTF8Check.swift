/// Whether bytes are UTF-8, without a copy of them.
///
/// Source: table 3-7 of the Unicode Standard,
/// https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G27506.
enum UTF8Check {
  /// How many bytes from the start are whole characters.
  static func validLength(of bytes: [UInt8]) -> Int {
    var at = 0
    while at < bytes.count {
      let length = length(of: bytes, at)
      guard length > 0 else { break }
      at += length
    }
    return at
  }

  /// The length of the character at an offset; 0 for what is none.
  private static func length(of bytes: [UInt8], _ at: Int) -> Int {
    let first = bytes[at]
    if first < 0x80 { return 1 }
    let length: Int
    // The second byte excludes longer forms, surrogates and what is beyond Unicode.
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return 0
    }
    guard at + length <= bytes.count, second.contains(bytes[at + 1]) else { return 0 }
    return bytes[(at + 2)..<(at + length)].allSatisfy { $0 & 0xC0 == 0x80 } ? length : 0
  }
}
