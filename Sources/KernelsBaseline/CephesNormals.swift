/// The Box–Muller pairs of torch's vector code: Cephes polynomials in Float, contracted to fused
/// multiply-adds as GCC does it.
///
/// Every operation is one of IEEE 754, so that the bits are the same on every machine. Where code
/// is built for processors without a fused multiply-add, each one is a call of the C library:
/// exact, but slow.
///
/// Source of the constants: S. Moshier's Cephes library, `logf.c` and `sinf.c`,
/// https://www.netlib.org/cephes/, by way of J. Pommier's sse_mathfun and G. Garberoglio's
/// avx_mathfun, which torch includes. The order of operations is theirs.
enum CephesNormals {
  /// Pairs that are computed in one loop.
  private static let lanes = 128

  /// Turns blocks of 16 uniforms in [0, 1) into normals, in place: with u = x[j] and v = x[j + 8]
  /// for j below 8,
  ///
  ///     x[j] = √(−2 ln(1 − u))·cos(2π·v),    x[j + 8] = √(−2 ln(1 − u))·sin(2π·v)
  ///
  /// - Precondition: the number of values is a multiple of 16.
  @inline(__always)
  static func transform(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    // The halves of the blocks one after another, for loops of any width.
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * lanes) { planes in
      let planes = planes.baseAddress!
      planes.initialize(repeating: 0, count: 2 * lanes)
      for start in stride(from: 0, to: count, by: 2 * lanes) {
        let blocks = min(2 * lanes, count - start) / 16
        for k in 0..<blocks {
          (planes + 8 * k).update(from: values + start + 16 * k, count: 8)
          (planes + 8 * k + lanes).update(from: values + start + 16 * k + 8, count: 8)
        }
        // All of them, as what is over when a number varies is computed one by one.
        for j in 0..<lanes {
          let radius = (-2 * logarithm(1 - planes[j])).squareRoot()
          let (sine, cosine) = sineAndCosine(0x1.921fb6p+2 * planes[j + lanes])
          // Adding the mean, 0, makes −0 positive.
          planes[j] = radius * cosine + 0
          planes[j + lanes] = radius * sine + 0
        }
        for k in 0..<blocks {
          (values + start + 16 * k).update(from: planes + 8 * k, count: 8)
          (values + start + 16 * k + 8).update(from: planes + 8 * k + lanes, count: 8)
        }
      }
    }
  }

  /// ln x for x in [2⁻²⁴, 1]: x = m·2ᵉ with m in [√½, √2), and a polynomial in m − 1.
  @inline(__always)
  private static func logarithm(_ x: Float) -> Float {
    let half = Float(bitPattern: x.bitPattern & 0x007f_ffff | 0x3f00_0000)
    let isSmall = half < 0.707106781186547524
    let e = Float(Int32(bitPattern: x.bitPattern &>> 23) &- 126) - (isSmall ? 1 : 0)
    let m = half - 1 + (isSmall ? half : 0)
    let square = m * m
    var y: Float = 7.0376836292e-2
    y = (-1.1514610310e-1 as Float).addingProduct(y, m)
    y = (1.1676998740e-1 as Float).addingProduct(y, m)
    y = (-1.2420140846e-1 as Float).addingProduct(y, m)
    y = (1.4249322787e-1 as Float).addingProduct(y, m)
    y = (-1.6668057665e-1 as Float).addingProduct(y, m)
    y = (2.0000714765e-1 as Float).addingProduct(y, m)
    y = (-2.4999993993e-1 as Float).addingProduct(y, m)
    y = (3.3333331174e-1 as Float).addingProduct(y, m)
    // ln 2 in two parts, of which e times the second is exact.
    y = (e * -2.12194440e-4).addingProduct(y * m, square)
    y = y.addingProduct(-0.5, square)
    return (m + y).addingProduct(e, 0.693359375)
  }

  /// sin x and cos x for x in [0, 2π]: x less a multiple of π/2, which has three parts, and a
  /// polynomial for each.
  @inline(__always)
  private static func sineAndCosine(_ x: Float) -> (Float, Float) {
    // The number of the octant, odd ones rounded up. Added to 2²³, a small number is rounded and is
    // in the low bits: no conversion that might trap keeps the loop from being vectorised.
    let eighths = x * 1.27323954473516
    let nearest = eighths + 0x1p23
    let whole = nearest.bitPattern &- (eighths < nearest - 0x1p23 ? 1 : 0)
    let octant = (whole &+ 1) & 14
    let n = Float(bitPattern: octant | 0x4b00_0000) - 0x1p23
    let r = x.addingProduct(n, -0.78515625).addingProduct(n, -2.4187564849853515625e-4).addingProduct(
      n, -3.77489497744594108e-8)
    let square = r * r
    var even: Float = 2.443315711809948e-5
    even = (-1.388731625493765e-3 as Float).addingProduct(even, square)
    even = (4.166664568298827e-2 as Float).addingProduct(even, square)
    even = (-0.5 * square).addingProduct(even * square, square) + 1
    var odd: Float = -1.9515295891e-4
    odd = (8.3321608736e-3 as Float).addingProduct(odd, square)
    odd = (-1.6666654611e-1 as Float).addingProduct(odd, square)
    odd = r.addingProduct(odd * square, r)
    // A quarter turn exchanges the two; bit 2 of the octant is half a turn.
    let isExchanged = octant & 2 != 0
    let sine = isExchanged ? even : odd
    let cosine = isExchanged ? odd : even
    let signOfSine = (octant & 4) &<< 29
    let signOfCosine = (~(octant &- 2) & 4) &<< 29
    return (Float(bitPattern: sine.bitPattern ^ signOfSine), Float(bitPattern: cosine.bitPattern ^ signOfCosine))
  }
}
