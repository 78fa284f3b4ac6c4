/// Two independent standard normal numbers from two random 32-bit words, with the same bits on
/// every machine.
///
///     r = √(−ln u),    u = (⌊a/2⌋ + 1/2)·2⁻³¹
///     r·√2·cos θ,  r·√2·sin θ,    θ = π/2·(q + t)
///     q = the top two bits of b,  t = (the other 30 − 2²⁹ + 1/2)·2⁻³⁰
///
/// Logarithm, sine and cosine are polynomials in Float, evaluated with separate multiplications and
/// additions; the square root is IEEE 754's. No function of the C library takes part, and nothing
/// branches, not even to trap: integers wrap around, so that loops over this are vectorised.
///
/// - Range: |result| ≤ 6.67, as u ≥ 2⁻³².
/// - Accuracy: each within 1e-6 of the exact value for the given words; the distribution is that of
///   the normal to 31 bits.
///
/// Source: Box and Muller 1958, https://doi.org/10.1214/aoms/1177706645.
/// `Fixtures/tables/normal_polynomials.py` makes the coefficients.
package enum BoxMuller {
  @inline(__always)
  package static func normals(_ a: UInt32, _ b: UInt32) -> (Float, Float) {
    let radius = minusLogarithm(of: (Float(Int32(bitPattern: a &>> 1)) + 0.5) * 0x1p-31).squareRoot()
    let t = (Float(Int32(bitPattern: b & 0x3fff_ffff) &- 0x2000_0000) + 0.5) * 0x1p-30
    let square = t * t
    let sine = radius * (t * polynomial(square, sineCoefficients))
    let cosine = radius * polynomial(square, cosineCoefficients)
    // A quarter turn exchanges the two and changes one sign: (c, s), (−s, c), (−c, −s), (s, −c).
    let isOdd = b & 0x4000_0000 != 0
    let x = isOdd ? sine : cosine
    let y = isOdd ? cosine : sine
    let signOfX = (b ^ (b &<< 1)) & 0x8000_0000
    let signOfY = b & 0x8000_0000
    return (Float(bitPattern: x.bitPattern ^ signOfX), Float(bitPattern: y.bitPattern ^ signOfY))
  }

  /// −ln u for u in (0, 1]: u = m·2ᵉ with m in [√½, √2), and ln m = f·P(f) with f = m − 1.
  @inline(__always)
  private static func minusLogarithm(of u: Float) -> Float {
    let shifted = Int32(bitPattern: u.bitPattern) &- 0x3f35_04f3
    let exponent = shifted &>> 23
    let mantissa = Float(bitPattern: UInt32(bitPattern: (shifted & 0x007f_ffff) &+ 0x3f35_04f3))
    let f = mantissa - 1
    return Float(0 &- exponent) * 0x1.62e43p-1 - f * polynomial(f, logarithmCoefficients)
  }

  @inline(__always)
  private static func polynomial(_ x: Float, _ c: (Float, Float, Float, Float, Float, Float)) -> Float {
    ((((c.5 * x + c.4) * x + c.3) * x + c.2) * x + c.1) * x + c.0
  }

  @inline(__always)
  private static func polynomial(_ x: Float, _ c: (Float, Float, Float, Float, Float)) -> Float {
    (((c.4 * x + c.3) * x + c.2) * x + c.1) * x + c.0
  }

  @inline(__always)
  private static func polynomial(
    _ x: Float, _ c: (Float, Float, Float, Float, Float, Float, Float, Float, Float)
  ) -> Float {
    (((((((c.8 * x + c.7) * x + c.6) * x + c.5) * x + c.4) * x + c.3) * x + c.2) * x + c.1) * x + c.0
  }

  /// ln(1 + f)/f
  private static let logarithmCoefficients: (Float, Float, Float, Float, Float, Float, Float, Float, Float) = (
    0x1p+0, -0x1.fffffep-2, 0x1.555796p-2, -0x1.00038cp-2, 0x1.98b29p-3, -0x1.53846ep-3, 0x1.32bcb8p-3, -0x1.243c02p-3,
    0x1.5d8646p-4
  )

  /// √2·sin(π/2·t)/t over t²
  private static let sineCoefficients: (Float, Float, Float, Float, Float) = (
    0x1.1c5832p+1, -0x1.d3ba5cp-1, 0x1.cda0f6p-4, -0x1.b1de6p-8, 0x1.d53628p-13
  )

  /// √2·cos(π/2·t) over t²
  private static let cosineCoefficients: (Float, Float, Float, Float, Float, Float) = (
    0x1.6a09e6p+0, -0x1.bea5b6p+0, 0x1.6f5a4ap-2, -0x1.e36a9ep-6, 0x1.54c236p-10, -0x1.26d064p-15
  )
}
