import Foundation
import SchedulersKernelsBaseline
import Testing

@Suite struct ExponentialTests {
  /// Foundation's are within half an ulp or little more, which is at most one unit. The third is
  /// held to 50 digits by the divergences that are made of it: `ReverseKernelTests`.
  @Test func `the exponentials are as exact as they say`() {
    for k in -70800...70900 {
      let x = Double(k) / 100
      let made = exponentials(x)
      #expect(isClose(made.whole, exp(x), relative: 4 * unit), "exp(\(x))")
      #expect(isClose(made.minusOne, expm1(x), relative: 5 * unit), "expm1(\(x))")
    }
  }

  @Test func `beyond their range they are what e^x is, as far as a Double says it`() {
    #expect(exponentials(0) == (1, 0, 0))
    #expect(exponentials(-1e300).whole == exponentials(-708).whole)
    #expect(exponentials(-1e300).minusOne == -1 && exponentials(-1e300).excess == 1e300)
    for x in [709.1, 709.5, 710, 1e300, .infinity] {
      let made = exponentials(x)
      #expect(made.whole == .infinity && made.minusOne == .infinity && made.excess == .infinity, "\(x)")
    }
    let made = exponentials(.nan)
    #expect(made.whole.isNaN && made.minusOne.isNaN && made.excess.isNaN)
  }
}
