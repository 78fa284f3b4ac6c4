import Schedulers

extension Torch {
  /// `torch.sqrt` where MKL runs on a processor of AMD's: bit for bit torch 2.13, at most 0.75 ulp off, 17 % of its results not the nearest.
  ///
  /// From the processor's estimate y of 1/√x, one iteration of Goldschmidt's (1964) on g = xy and h = y/2, and Newton's correction of g
  /// by (x − g²)h, none of it fused. Every operation scales with powers of 4.
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

  /// AMD's RSQRTPS on 1 ..< 4, as measured: 13 bits, from two tables, by the exponent and the first eight bits of the fraction, and by the
  /// exponent, the first four bits and the four after the first eight.
  private static func reciprocalRoot(_ x: Float) -> Float {
    let index = Int(x.exponent) << 12 | Int(x.significandBitPattern >> 11)
    let below = falls[index >> 8] & (2 << UInt16(index & 15) &- 1)
    return Float(starts[index >> 4] - below.nonzeroBitCount) * 0x1p-13
  }

  /// The estimate times 2¹³ where an interval of 2⁻⁸ (from 2 on 2⁻⁷) begins, written as the falls from one to the next in base 17.
  private static let starts: [Int] = [
    (
      8191,
      """
      ggfggffgffffffeffefeeeeeeeeededededddddddcddcdcdcdcccccccbccbcbdbbcbbbbbbbbbbabbabababaaabaaaaaaaaaa9aa9a9a9a99a99a9999999998998
      9989898989889889888888888888788887887878787877877778777777777778776777767767767676767676676676676666667666666666666656666566656
      """
    ),
    (
      5792,
      """
      bbcbabbbbabbababaabaaaaa9aaa9a9aa99a99999999999989989898898898888888888887887878787877877787777777777776777677676767676676676667
      6666666666666656665666565665656556565565565555655555555555555556455555455545545545455454545454454544544544454445444444544444444
      """
    ),
  ].flatMap { first, falls in
    falls.compactMap(\.hexadecimalOrG).reduce(into: [first]) { $0.append($0[$0.count - 1] - $1) }
  }

  /// Bit i of a mask: whether the estimate falls by 2⁻¹³ into the sixteenth i of such an interval. The same for sixteen intervals.
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
