/// exp(x) by multiplications and additions alone: x = k·ln 2 + r with |r| ≤ ln 2 / 2, exp(r) by its
/// series, and 2ᵏ by its bits.
///
/// - Accuracy: relative 4e-16 for −708 ≤ x ≤ 709, beyond which it stays what it is at the end. NaN
///   stays NaN.
///
/// Source: Cody and Waite 1980, Software Manual for the Elementary Functions, chapter 6. r¹⁴/14! is
/// below 5e-18.
@inline(__always)
package func exponential(_ x: Double) -> Double {
  let below = 709 < x ? 709 : x
  let y = below < -708 ? -708 : below
  // Adding 1.5·2⁵² rounds to a whole number, which then is in the low bits.
  let shifted = y * 0x1.71547652b82fep+0 + 0x1.8p+52
  let k = shifted - 0x1.8p+52
  let r = y - k * 0x1.62e42fefa3800p-1 - k * 0x1.ef35793c76730p-45
  // 1/14! ... is left out; the factors are 1/13!, 1/12!, ..., 1/2!, 1, 1.
  var sum = 1.0 / 6_227_020_800
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
  sum = sum * r + 1
  sum = sum * r + 1
  return sum * Double(bitPattern: (shifted.bitPattern &+ 1023) << 52)
}
