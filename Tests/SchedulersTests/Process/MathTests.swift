import Testing

@testable import Schedulers

@Suite struct MathTests {
  @Test(arguments: [0x1p-1000, 1, 0x1p1000]) func `a hypotenuse is that of the triangle 3, 4, 5 at every scale`(
    scale: Double
  ) {
    // The squares overflow or vanish at the outer two. The C libraries keep it within 1 ulp, 2
    // units of the result.
    #expect(isClose(Math.hypot(3 * scale, 4 * scale), 5 * scale, relative: 2 * unit))
  }
}
