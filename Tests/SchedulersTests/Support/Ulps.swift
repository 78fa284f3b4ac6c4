import Foundation
import Synchronization
import Testing

/// A number known to more digits than a Double has: high + low.
struct Exact: Sendable {
  var high: Double
  var low: Double

  /// How far a Double is from this number, in units in the last place of the number.
  func ulps(to value: Double) -> Double {
    if value == high, low == 0 { return 0 }
    guard value.isFinite, high.isFinite, high != 0 else { return .infinity }
    return abs((value - high) - low) / high.ulp
  }
}

/// The largest error of a list of comparisons, and where it was.
struct WorstError: Sendable {
  private(set) var ulps = 0.0
  private(set) var place = ""
  private(set) var value = 0.0
  private(set) var expected = Exact(high: 0, low: 0)

  mutating func compare(_ value: Double, with exact: Exact, at place: @autoclosure () -> String) {
    let error = exact.ulps(to: value)
    if error > ulps || error.isNaN { (ulps, self.place, self.value, expected) = (error, place(), value, exact) }
    Comparisons.count(1)
  }

  var description: String {
    "\(place): \(value) is \(ulps) ulps from \(expected.high) + \(expected.low)"
  }
}

/// How many numbers of this library the suites have compared with numbers from elsewhere; printed
/// at the end.
enum Comparisons {
  private static let total = Mutex(0)

  static func count(_ numbers: Int) {
    total.withLock { total in
      if total == 0 { atexit { Comparisons.report() } }
      total += numbers
    }
  }

  private static func report() {
    let total = total.withLock { $0 }
    print("\(total) numbers were compared with reference values")
  }
}
