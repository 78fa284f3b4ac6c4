/// At most four numbers in order, without memory of their own: what a polynomial through the values
/// of a few steps is made of. To ask for memory for each would take longer than the arithmetic.
package struct ShortList: RandomAccessCollection, Sendable {
  private var numbers = (DoubleDouble(0), DoubleDouble(0), DoubleDouble(0), DoubleDouble(0))
  package private(set) var count = 0

  package init() {}

  package init(_ numbers: some Sequence<DoubleDouble>) { for number in numbers { append(number) } }

  /// A list of zeros.
  package init(zeros count: Int) {
    check(count)
    self.count = count
  }

  package mutating func append(_ number: DoubleDouble) {
    check(count + 1)
    count += 1
    self[count - 1] = number
  }

  private func check(_ count: Int) { stop(unless: count <= 4, "a polynomial goes through at most 4 values") }

  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(index: Int) -> DoubleDouble {
    get {
      precondition(index >= 0 && index < count)
      return switch index {
      case 0: numbers.0
      case 1: numbers.1
      case 2: numbers.2
      default: numbers.3
      }
    }
    set {
      precondition(index >= 0 && index < count)
      switch index {
      case 0: numbers.0 = newValue
      case 1: numbers.1 = newValue
      case 2: numbers.2 = newValue
      default: numbers.3 = newValue
      }
    }
  }
}
