import Schedulers

/// The functions of XLA's CPU code that JAX's normals pass through, in Float with its fused
/// multiply-adds: IEEE 754's operations alone.
enum JAXArithmetic {
  /// erf⁻¹(x) for x in (−1, 1).
  ///
  /// Source: Giles 2012, *Approximating the erfinv function*, table 5,
  /// <https://people.maths.ox.ac.uk/gilesm/files/gems_erfinv.pdf>.
  static func inverseErrorFunction(_ x: Float) -> Float {
    let w = -logarithm(onePlus: -x * x)
    if w < 5 {
      return polynomial(
        w - 2.5, 2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
        -0.00417768164, 0.246640727, 1.50140941) * x
    }
    return polynomial(
      w.squareRoot() - 3, -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
      0.00943887047, 1.00167406, 2.83297682) * x
  }

  /// ln(1 + x) for x in (−1, 0].
  ///
  /// Source: S. Moshier's Cephes library, `unity.c`, <https://www.netlib.org/cephes/>, constants
  /// rounded to Float.
  private static func logarithm(onePlus x: Float) -> Float {
    guard -x < 0.41421356237309504880 else { return logarithm(1 + x) }
    let square = x * x
    let numerator = polynomial(
      x, 4.5270000862445199635215e-5, 4.9854102823193375972212e-1, 6.5787325942061044846969, 2.9911919328553073277375e1,
      6.0949667980987787057556e1, 5.7112963590585538103336e1, 2.0039553499201281259648e1)
    let denominator = polynomial(
      x, 1, 1.5062909083469192043167e1, 8.3047565967967209469434e1, 2.2176239823732856465394e2,
      3.0909872225312059774938e2, 2.1642788614495947685003e2, 6.0118660497603843919306e1)
    return x + (x * square * (numerator / denominator)).addingProduct(-0.5, square)
  }

  /// ln x for positive x: x = m·2ᵉ with m in [√½, √2), and a polynomial in m − 1 in three chains.
  ///
  /// Source: Cephes, `logf.c`.
  private static func logarithm(_ x: Float) -> Float {
    let half = Float(bitPattern: x.bitPattern & 0x007f_ffff | 0x3f00_0000)
    let isSmall = half < 0.707106781186547524
    let e = Float(Int32(bitPattern: x.bitPattern >> 23) - 126) - (isSmall ? 1 : 0)
    let m = half - 1 + (isSmall ? half : 0)
    let square = m * m
    let cube = square * m
    let high = polynomial(m, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1)
    let middle = polynomial(m, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1)
    let low = polynomial(m, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
    let sum = polynomial(cube, high, middle, low)
    let rest = (e * -2.12194440e-4).addingProduct(sum, cube)
    return (m.addingProduct(-0.5, square) + rest).addingProduct(e, 0.693359375)
  }

  private static func polynomial(_ x: Float, _ coefficients: Float...) -> Float {
    Math.fusedPolynomial(coefficients, at: x)
  }
}
