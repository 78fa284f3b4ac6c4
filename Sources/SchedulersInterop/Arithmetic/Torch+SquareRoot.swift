import Schedulers

extension Torch {
  /// `torch.sqrt` where MKL runs on a processor of AMD's: bit for bit torch 2.13, at most 0.75 ulp
  /// off, 17 % of its results not the nearest.
  ///
  /// From the processor's estimate y of 1/√x, one iteration of Goldschmidt's (1964) on g = xy and h
  /// = y/2, and Newton's correction of g by (x − g²)h, none of it fused. All scale with 4ⁿ.
  static func squareRoot(_ x: Float) -> Float {
    guard x > 0, x.isFinite else { return x.squareRoot() }
    // Even, and rounded down: the rest is in 1 ..< 4.
    let exponent = Int(x.exponent) & ~1
    let rest = Float(sign: .plus, exponent: -exponent, significand: x)
    let estimate = reciprocalRoot(rest)
    let (root, half) = (rest * estimate, 0.5 * estimate)
    let error = 0.5 - root * half
    let (nearer, slope) = (root + root * error, half + half * error)
    return Float(sign: .plus, exponent: exponent / 2, significand: nearer + (rest - nearer * nearer) * slope)
  }

  /// AMD's RSQRTPS on 1 ..< 4, as measured: 13 bits, from two tables, by the exponent and bits 1 to
  /// 8 of the fraction, and by the exponent and bits 1 to 4 and 9 to 12.
  private static func reciprocalRoot(_ x: Float) -> Float {
    let index = Int(x.exponent) << 12 | Int(x.significandBitPattern >> 11)
    let below = falls[index >> 8] & (2 << UInt16(index & 15) &- 1)
    return Float(starts[index >> 4] - below.nonzeroBitCount) * 0x1p-13
  }

  /// The estimate times 2¹³ at intervals of 2⁻⁸ (from 2 on 2⁻⁷), written as its falls in base 17.
  private static let starts: [Int] = [
    (
      8191,
      """
      ggfggffgffffffeffefeeeeeeeeededededddddddcddcdcdcdcccccccbccbcbdbbcbbbbbbbbbbabbababab
      aaabaaaaaaaaaa9aa9a9a9a99a99a999999999899899898989898898898888888888887888878878787878
      77877778777777777778776777767767767676767676676676676666667666666666666656666566656
      """
    ),
    (
      5792,
      """
      bbcbabbbbabbababaabaaaaa9aaa9a9aa99a99999999999989989898898898888888888887887878787877
      87778777777777777677767767676767667667666766666666666666566656665656656565565655655655
      55655555555555555556455555455545545545455454545454454544544544454445444444544444444
      """
    ),
  ].flatMap { first, falls in
    falls.compactMap(\.hexadecimalOrG).reduce(into: [first]) { $0.append($0[$0.count - 1] - $1) }
  }

  /// Bit i: whether the estimate falls by 2⁻¹³ into sixteenth i of an interval, in sixteen of them.
  private static let falls: [UInt16] = [
    0xfefe, 0xefee, 0xbef6, 0xbbb6, 0xb6ec, 0xdada, 0xb6ac, 0x6ad4, 0xaaaa, 0x5554, 0xaa54, 0x954a, 0x54a4, 0x9294,
    0x94a4, 0x4948, 0xb6da, 0x6dac, 0x56ac, 0xaaac, 0x5554, 0x9552, 0x4a94, 0x5294, 0x2928, 0x4924, 0x4924, 0x4492,
    0x2448, 0x2448, 0x4444, 0x4444,
  ]
}

extension Character {
  /// A hexadecimal digit, or g for 16; nothing for the ends of lines.
  fileprivate var hexadecimalOrG: Int? { self == "g" ? 16 : hexDigitValue }
}
