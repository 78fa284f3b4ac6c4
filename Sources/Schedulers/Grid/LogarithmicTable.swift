/// Numbers that bound steps, largest first, with ln x linear between them in equal steps of place.
struct LogarithmicTable {
  private let numbers: [Double]

  init(_ numbers: [Double]) { self.numbers = numbers }

  /// Where N steps begin: the numbers at the places 0, 1/N, ..., of all; with the last number too,
  /// at the places 0, 1/(N−1), ..., 1.
  ///
  /// - `steps`: N, 1 or more.
  func values(steps: Int, withLast isWithLast: Bool = false) -> [DoubleDouble] {
    let whole = max(isWithLast ? steps - 1 : steps, 1)
    return (0..<steps).map { i in
      // The place in whole numbers, so that a number of the table is that number.
      let (low, remainder) = (i * (numbers.count - 1)).quotientAndRemainder(dividingBy: whole)
      guard remainder > 0 else { return DoubleDouble(numbers[low]) }
      let share = DoubleDouble(Double(remainder)) / Double(whole)
      return ((1 - share) * DoubleDouble(numbers[low]).log() + share * DoubleDouble(numbers[low + 1]).log()).exp()
    }
  }
}
