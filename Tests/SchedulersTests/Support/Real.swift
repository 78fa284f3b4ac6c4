import Schedulers

/// A tensor type that the library has never heard of: one real number.
struct Real: LinearSpace, Hashable, Codable, Sendable {
  var value: Double

  init(_ value: Double) { self.value = value }

  static func combination(_ terms: [(coefficient: Double, value: Real)]) -> Real {
    Real(terms.reduce(0) { $0 + $1.coefficient * $1.value.value })
  }
}
