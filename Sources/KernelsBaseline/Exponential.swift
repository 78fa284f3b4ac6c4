/// e^x, e^x − 1 and e^x − 1 − x by multiplications and additions alone: x = k·ln 2 + r with |r| ≤
/// ln 2 / 2, and
///
///     e^r − 1     = r + r²·S,    S = 1/2! + r/3! + r²/4! + …
///     e^x − 1     = (2ᵏ − 1) + 2ᵏ·(e^r − 1)
///     e^x − 1 − x = (2ᵏ − 1 − k·ln 2) + (2ᵏ − 1)·r + 2ᵏ·r²·S
///
/// - Accuracy: relative 3·2⁻⁵³, 4·2⁻⁵³ and 12·2⁻⁵³ for −708 ≤ x ≤ 709. Below, the first stays what
///   it is at the end; above, all are infinite. NaN stays NaN.
///
/// Source: Cody and Waite 1980, Software Manual for the Elementary Functions, chapter 6. r¹³/15! is
/// below 2⁻⁶⁰.
@inline(__always)
package func exponentials(_ x: Double) -> (whole: Double, minusOne: Double, excess: Double) {
  let below = 709 < x ? 710 : x
  let y = below < -708 ? -708 : below
  // Adding 1.5·2⁵² rounds to a whole number, which then is in the low bits.
  let shifted = y * 0x1.71547652b82fep+0 + 0x1.8p+52
  let k = shifted - 0x1.8p+52
  let r = y - k * 0x1.62e42fefa3800p-1 - k * 0x1.ef35793c76730p-45
  var sum = 1.0 / 87_178_291_200
  sum = sum * r + 1.0 / 6_227_020_800
  sum = sum * r + 1.0 / 479_001_600
  sum = sum * r + 1.0 / 39_916_800
  sum = sum * r + 1.0 / 3_628_800
  sum = sum * r + 1.0 / 362_880
  sum = sum * r + 1.0 / 40_320
  sum = sum * r + 1.0 / 5_040
  sum = sum * r + 1.0 / 720
  sum = sum * r + 1.0 / 120
  sum = sum * r + 1.0 / 24
  sum = sum * r + 1.0 / 6
  sum = sum * r + 0.5
  let square = r * r * sum
  let power = Double(bitPattern: (shifted.bitPattern &+ 1023) &<< 52)
  let less = power - 1
  return (
    power + power * (r + square), less + power * (r + square),
    // Far below, k·ln 2 + r is y, and not x.
    (less - k * 0x1.62e42fefa39efp-1) + (less * r + power * square) + (y - below)
  )
}
