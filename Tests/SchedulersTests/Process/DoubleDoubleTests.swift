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

  @Test func `the logarithm uses the low part`() {
    #expect(DoubleDouble(sum: 1, 0x1p-70).log().rounded == 0x1p-70)
    #expect(DoubleDouble(0).log().rounded == -.infinity)
  }
}
