import Testing

@testable import Schedulers

@Suite struct DoubleDoubleTests {
  /// 2⁻⁹⁵, the largest relative error that the documentation of the elementary functions allows.
  private let bound = 0x1p-95

  private func isClose(_ a: DoubleDouble, _ b: DoubleDouble) -> Bool {
    abs((a - b).high) <= bound * abs(b.high)
  }

  @Test func `sums and products of Doubles are exact`() {
    let sum = DoubleDouble(sum: 1, 0x1p-80)
    #expect(sum.high == 1 && sum.low == 0x1p-80)
    let product = DoubleDouble(product: 1 + 0x1p-40, 1 + 0x1p-40)
    #expect(product.high == 1 + 0x1p-39 && product.low == 0x1p-80)
  }

  @Test func `division and square root undo multiplication`() {
    let x = DoubleDouble(1) / 3
    let y = DoubleDouble(sum: 7, 0x1p-60)
    #expect(isClose(x * y / y, x))
    #expect(isClose((x * x).squareRoot(), x))
    #expect(isClose(x * 3, DoubleDouble(1)))
    #expect(DoubleDouble(0).squareRoot().rounded == 0)
    #expect((DoubleDouble(1) / 0.0).rounded == .infinity)
  }

  @Test func `the exponential function obeys its law and knows e`() {
    // e to 32 digits: high and low parts of 2.71828182845904523536028747135266...
    #expect(isClose(DoubleDouble(1).exp(), DoubleDouble(sum: 0x1.5bf0a8b145769p+1, 0x1.4d57ee2b1013ap-53)))
    for x in stride(from: -20.0, through: 20, by: 0.7) {
      #expect(isClose(DoubleDouble(x).exp() * DoubleDouble(-x).exp(), DoubleDouble(1)))
    }
    #expect(isClose(DoubleDouble.ln2.exp(), DoubleDouble(2)))
  }

  @Test func `logarithm and exponential function undo each other, to the ends of Doubles`() {
    for x in [-744, -708.5, -300, -0.1, 0x1p-30, 0.25, 1, 37, 700, 709.7] {
      // Below e^−708 numbers lie 2⁻¹⁰⁷⁴ apart: half of that is lost, and ln makes less than twice
      // as much of it.
      let power = DoubleDouble(x).exp()
      let allowed = max(0x1p-94 * max(1, abs(x)), x < -708 ? 0x1p-1074 / power.high : 0)
      #expect(abs((power.log() - x).high) <= allowed, "\(x)")
    }
    #expect(DoubleDouble(-800).exp().rounded == 0)
    #expect(DoubleDouble(800).exp().rounded == .infinity)
    #expect(isClose(DoubleDouble(0x1p-1070).log(), DoubleDouble.ln2 * -1070))
    #expect(isClose(DoubleDouble(0x1p1000).log(), DoubleDouble.ln2 * 1000))
  }

  @Test func `powers are products and roots`() {
    let x = DoubleDouble(14.6) / 3
    #expect(isClose(x.power(DoubleDouble(3)), x * x * x))
    #expect(isClose(x.power(DoubleDouble(0.5)), x.squareRoot()))
    #expect(isClose(x.power(1 / DoubleDouble(7)).power(DoubleDouble(7)), x))
    #expect(DoubleDouble(0).power(DoubleDouble(0)).rounded == 1)
    #expect(DoubleDouble(0).power(DoubleDouble(2)).rounded == 0)
  }

  @Test func `what is not finite is what Double's arithmetic gives`() {
    let (infinity, two) = (DoubleDouble(.infinity), DoubleDouble(2))
    for result in [infinity + two, two - -infinity, infinity * two, infinity / two, two / 0.0, infinity.squareRoot()] {
      #expect(result.high == .infinity && result.low == 0)
    }
    #expect((two / infinity).high == 0 && (infinity - infinity).high.isNaN && (-two).squareRoot().high.isNaN)
  }

  @Test func `the sine obeys its laws from tiny angles to a right one`() {
    #expect(isClose((DoubleDouble.pi / 2).sin(), DoubleDouble(1)))
    #expect(isClose((DoubleDouble.pi / 6).sin(), DoubleDouble(0.5)))
    for k in 1...40 {
      let x = DoubleDouble.pi / 2 * Double(k) / 41
      let cosine = (DoubleDouble.pi / 2 - x).sin()
      #expect(isClose(x.sin() * x.sin() + cosine * cosine, DoubleDouble(1)))
    }
    // sin x = x − x³/6 to 2⁻¹²⁰ relative at x = 2⁻³⁰.
    let x = DoubleDouble(0x1p-30)
    #expect(isClose(x.sin(), x - x * x * x / 6 + x * x * x * x * x / 120))
  }

  @Test func `the tangent and its angle undo each other, from small sigmas to large ones`() {
    #expect(isClose((DoubleDouble.pi / 4).tan(), DoubleDouble(1)))
    #expect(isClose((DoubleDouble.pi / 3).tan(), DoubleDouble(3).squareRoot()))
    for exponent in -20...20 {
      let sigma = DoubleDouble(1.7) * DoubleDouble(Double(exponent)).exp()
      let angle = sigma.arctangent()
      // tan(π/2 − x) is 1/tan x. An angle has 2⁻⁹⁵ of π/2, which the tangent magnifies by 1 + σ².
      let back = angle.tan()
      #expect(abs((back / sigma - 1).high) <= 0x1p-92 * (1 + sigma.high), "\(sigma.high)")
      #expect(isClose(DoubleDouble.pi / 2 - angle, (1 / sigma).arctangent()) || sigma.high > 100, "\(sigma.high)")
    }
  }

  @Test func `the logarithm uses the low part`() {
    #expect(DoubleDouble(sum: 1, 0x1p-70).log().rounded == 0x1p-70)
    #expect(DoubleDouble(0).log().rounded == -.infinity)
    #expect(DoubleDouble(-1).log().rounded.isNaN)
    #expect(DoubleDouble(.infinity).log().rounded == .infinity)
  }
}
