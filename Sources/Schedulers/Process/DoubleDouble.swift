/// An unevaluated sum `high + low` of two Doubles, with about 32 significant decimal digits.
///
/// Schedules and samplers subtract numbers that are nearly equal: 1 − ᾱ at the start, the levels of
/// neighbouring steps. In this type they are right to the last bit after rounding.
///
/// Invariant: `high` is the sum rounded to nearest, so `abs(low) <= ulp(high) / 2`. Where `high` is
/// infinite or NaN it is what Double's arithmetic gives, and `low` is 0.
///
/// Where its result neither overflows nor comes near underflow, every operation has a relative
/// error below 2⁻¹⁰⁰, and a sum one below 2⁻¹⁰⁴ of its larger term. Source:
/// [Dekker 1971](https://doi.org/10.1007/BF01397083);
/// [Hida, Li and Bailey 2001](https://doi.org/10.1109/ARITH.2001.930115); the bounds of
/// [Joldes, Muller and Popescu 2017](https://doi.org/10.1145/3121432).
package struct DoubleDouble: Hashable, Sendable {
  package var high, low: Double

  package init(_ high: Double, low: Double = 0) { (self.high, self.low) = (high, low) }

  /// The exact sum of two Doubles (Knuth's two-sum).
  @inline(__always)
  package init(sum a: Double, _ b: Double) {
    high = a + b
    let bRounded = high - a
    low = (a - (high - bRounded)) + (b - bRounded)
  }

  /// The exact sum of two Doubles, the larger in magnitude first (Dekker's fast two-sum).
  @inline(__always)
  init(larger a: Double, smaller b: Double) {
    high = a + b
    low = b - (high - a)
  }

  /// The exact product of two Doubles.
  @inline(__always)
  package init(product a: Double, _ b: Double) {
    high = a * b
    low = (-high).addingProduct(a, b)
  }

  /// The nearest Double.
  package var rounded: Double { high }

  @inline(__always)
  package static prefix func - (x: Self) -> Self { Self(-x.high, low: -x.low) }

  @inline(__always)
  package static func + (x: Self, y: Self) -> Self {
    let highs = Self(sum: x.high, y.high)
    guard highs.high.isFinite else { return Self(highs.high) }
    return Self(larger: highs.high, smaller: highs.low + (x.low + y.low))
  }

  @inline(__always)
  package static func - (x: Self, y: Self) -> Self { x + -y }

  @inline(__always)
  package static func * (x: Self, y: Self) -> Self {
    let product = Self(product: x.high, y.high)
    guard product.high.isFinite else { return Self(product.high) }
    return Self(larger: product.high, smaller: product.low + (x.high * y.low + x.low * y.high))
  }

  @inline(__always)
  package static func / (x: Self, y: Self) -> Self {
    let first = x.high / y.high
    guard first.isFinite, first != 0, y.high.isFinite else { return Self(first) }
    let remainder = x - y * first
    return Self(larger: first, smaller: remainder.high / y.high)
  }

  @inline(__always)
  package static func + (x: Self, y: Double) -> Self {
    let highs = Self(sum: x.high, y)
    guard highs.high.isFinite else { return Self(highs.high) }
    return Self(larger: highs.high, smaller: highs.low + x.low)
  }

  @inline(__always)
  package static func * (x: Self, y: Double) -> Self {
    let product = Self(product: x.high, y)
    guard product.high.isFinite else { return Self(product.high) }
    return Self(larger: product.high, smaller: product.low + x.low * y)
  }

  @inline(__always)
  package static func + (x: Double, y: Self) -> Self { y + x }
  @inline(__always)
  package static func - (x: Double, y: Self) -> Self { -y + x }
  @inline(__always)
  package static func - (x: Self, y: Double) -> Self { x + -y }
  @inline(__always)
  package static func * (x: Double, y: Self) -> Self { y * x }
  @inline(__always)
  package static func / (x: Self, y: Double) -> Self { x / Self(y) }
  @inline(__always)
  package static func / (x: Double, y: Self) -> Self { Self(x) / y }

  @inline(__always)
  package static func += (x: inout Self, y: Self) { x = x + y }
  @inline(__always)
  package static func -= (x: inout Self, y: Self) { x = x - y }

  /// The square root; NaN below 0.
  package func squareRoot() -> Self {
    guard high > 0, high.isFinite else { return Self(high.squareRoot()) }
    let first = high.squareRoot()
    let remainder = self - Self(product: first, first)
    return Self(larger: first, smaller: remainder.high / (2 * first))
  }
}

extension DoubleDouble: Comparable {
  @inline(__always)
  package static func < (x: Self, y: Self) -> Bool { x.high < y.high || (x.high == y.high && x.low < y.low) }
}
