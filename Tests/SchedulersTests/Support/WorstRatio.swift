import Testing

/// The comparison that comes closest to its tolerance, or exceeds it by most.
struct WorstRatio {
  private(set) var ratio = 0.0
  private var text = ""
  private var count = 0

  /// Compares a number with its reference.
  ///
  /// - Parameters:
  ///   - tolerance: the largest difference that is allowed.
  mutating func compare(
    _ value: Double, with expected: Double, within tolerance: Double, at place: @autoclosure () -> String
  ) {
    count += 1
    var found = value == expected ? 0 : abs(value - expected) / tolerance
    // NaN would be forgotten at the next number.
    if found.isNaN { found = .infinity }
    if found > ratio {
      ratio = found
      text = "\(place()): \(value) here, \(expected) there, \(found) of the tolerance \(tolerance)"
    }
  }

  /// Expects every comparison to be within its tolerance, and that there were some.
  func expectWithin(sourceLocation: SourceLocation = #_sourceLocation) {
    Comparisons.count(count)
    #expect(count > 0 && ratio <= 1, "\(text)", sourceLocation: sourceLocation)
  }
}
