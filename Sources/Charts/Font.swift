/// Letters of 5 × 7 dots for printable ASCII, and for the signs of numbers on axes.
package enum Font {
  /// The width of a letter of ASCII and the space after it, in dots.
  static let advance = 6

  /// The width of any letter and the space after it, in dots.
  static func advance(of letter: Unicode.Scalar) -> Int { raised[letter] == nil ? advance : 4 }

  /// The height of a letter in dots.
  package static let height = 7

  /// The seven rows of a letter from the top, the leftmost dot in bit 4; a box for what the font
  /// does not have.
  static func rows(of letter: Unicode.Scalar) -> [UInt8] {
    let index = Int(letter.value) - 32
    let glyph = glyphs.indices.contains(index) ? glyphs[index] : raised[letter] ?? signs[letter] ?? "VHHHHHV"
    return glyph.utf8.map { digit in
      digit < UInt8(ascii: "A") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "A") + 10
    }
  }

  /// How many dots a letter hangs below the line.
  static func descent(of letter: Unicode.Scalar) -> Int { "gpqy".unicodeScalars.contains(letter) ? 2 : 0 }

  /// Of three columns.
  private static let raised: [Unicode.Scalar: String] = [
    "⁰": "SKKKS00", "¹": "8O88S00", "²": "S4SGS00", "³": "S4S4S00", "⁴": "KKS4400", "⁵": "SGS4S00", "⁶": "SGSKS00",
    "⁷": "S444400", "⁸": "SKSKS00", "⁹": "SKS4S00", "⁻": "00S0000",
  ]
  private static let signs: [Unicode.Scalar: String] = [
    "−": "000V000", "·": "000C000", "×": "00HA4AH", "–": "000V000", "→": "042V240",
  ]

  // From space to tilde. Each row is one digit in base 32 (0 ... 9, A ... V), whose bits are the
  // dots.
  private static let glyphs = """
    0000000 4444404 AAA0000 AAVAVAA 4FKE5U4 OP248J3 CIK8LID 4480000 2488842 8422248 04LEL40 044V440 0000C48 000V000
    00000CC 01248G0 EHJLPHE 4C4444E EH1248V V2421HE 26AIV22 VGU11HE 68GUHHE V124888 EHHEHHE EHHF12C 0CC0CC0 0CC0C48
    248G842 00V0V00 8421248 EH12404 EH1DLLE EHHVHHH UHHUHHU EHGGGHE SIHHHIS VGGUGGV VGGUGGG EHGNHHF HHHVHHH E44444E
    72222IC HIKOKIH GGGGGGV HRLLHHH HHPLJHH EHHHHHE UHHUGGG EHHHLID UHHUKIH FGGE11U V444444 HHHHHHE HHHHHA4 HHHLLLA
    HHA4AHH HHHA444 V1248GV E88888E 0G84210 E22222E 4AH0000 000000V 8420000 00E1FHF GGMPHHU 00EGGHE 11DJHHF 00EHVGE
    698S888 FHHHF1E GGMPHHH 40C444E 20622IC GGIKOKI C44444E 00QLLHH 00MPHHH 00EHHHE UHHHUGG FHHHF11 00MPGGG 00EGE1U
    88S8896 00HHHJD 00HHHA4 00HHLLA 00HA4AH HHHHF1E 00V248V 2448442 4444444 8442448 008L200
    """.split(whereSeparator: \.isWhitespace).map(String.init)
}

extension Picture {
  /// Writes a line of text whose top left corner is at (x, y), each dot a block of `scale` pixels.
  package mutating func write(_ text: String, x: Int, y: Int, scale: Int, grey: UInt8 = 0) {
    for (i, letter) in text.unicodeScalars.enumerated() {
      let top = y + Font.descent(of: letter) * scale
      for (row, bits) in Font.rows(of: letter).enumerated() {
        for column in 0..<5 where bits & (16 >> column) != 0 {
          fill(
            x: x + (i * Font.advance + column) * scale, y: top + row * scale, width: scale, height: scale, grey: grey)
        }
      }
    }
  }

  /// The width of a line of text in pixels.
  package static func width(of text: String, scale: Int) -> Int {
    max(text.unicodeScalars.count * Font.advance - 1, 0) * scale
  }
}
