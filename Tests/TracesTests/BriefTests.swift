import Foundation
import Testing

@testable import SchedulersTraces

@Suite struct BriefTests {
  /// Foundation's formatting is the reference. Among them are ties, which round to the even digit,
  /// and numbers just beside one.
  @Test func `a number in few digits is what Foundation writes`() {
    var numbers: [Double] = [
      0, -0.0, 1, 0.5, 0.25, 0.125, 0.375, 2.5, 1.25, 12.5, 0.0625, 1.0005, 0.00123456, 1e-5, 9.9995, 99999, 999_999.5,
      1e6,
      1e15, 1e22, 123_456_789, 1e100, 5e-324, 1.7976931348623157e308, 0.1, 1.0 / 3, 2.0 / 3, 1000, 100_000, 1_000_000,
      8.5, 9.5, 0.5.nextUp, 2.5.nextDown, 12.5.nextUp, 1e-310, 0.0001, 0.00001, 1234.5, 1235.5,
    ]
    numbers += (0..<2000).map { 1e-6 * exp(Double($0) / 50) }
    for number in numbers.flatMap({ [$0, -$0] }) {
      for digits in [1, 2, 3, 4, 5, 6, 8, 17] {
        #expect(brief(number, digits: digits) == String(format: "%.\(digits)g", number), "\(number)")
      }
    }
    #expect([Double.infinity, -.infinity, .nan].map { brief($0) } == ["inf", "-inf", "nan"])
  }

  @Test func `a number keeps its point where a program has told C of a comma`() {
    let was = setlocale(LC_NUMERIC, nil).map { String(cString: $0) }
    defer { setlocale(LC_NUMERIC, was) }
    for name in ["de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF.UTF-8"] where setlocale(LC_NUMERIC, name) != nil {
      #expect(brief(-1.25e-7, digits: 5) == "-1.25e-07")
    }
  }
}
