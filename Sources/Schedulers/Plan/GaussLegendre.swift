/// Integrals of smooth functions by Gauss and Legendre's rule in about 30 digits.
struct GaussLegendre {
  /// Places in −1 ... 1 and their weights.
  private let nodes: [(place: DoubleDouble, weight: DoubleDouble)]

  static let four = GaussLegendre(4)
  static let eight = GaussLegendre(8)

  /// The roots of the polynomial of a degree, by Newton's method, and 2/((1 − x²)·P′(x)²).
  private init(_ degree: Int) {
    nodes = (0..<degree).map { i in
      var x = DoubleDouble(Math.cos(Double.pi * (Double(i) + 0.75) / (Double(degree) + 0.5)))
      for _ in 0..<8 {
        let (value, slope) = Self.polynomial(degree, x)
        x -= value / slope
      }
      let slope = Self.polynomial(degree, x).slope
      return (x, 2 / ((1 - x * x) * slope * slope))
    }
  }

  /// The Legendre polynomial by its recurrence, (k + 1)·P₊ = (2k + 1)·x·P − k·P₋, and its slope.
  private static func polynomial(_ degree: Int, _ x: DoubleDouble) -> (value: DoubleDouble, slope: DoubleDouble) {
    var (before, value) = (DoubleDouble(1), x)
    for k in 1..<degree {
      let k = Double(k)
      (before, value) = (value, (x * value * (2 * k + 1) - before * k) / (k + 1))
    }
    return (value, (before - x * value) * Double(degree) / (1 - x * x))
  }

  /// The integral over start ... end.
  func integral(from start: DoubleDouble, to end: DoubleDouble, _ function: (DoubleDouble) -> DoubleDouble)
    -> DoubleDouble
  {
    let (middle, half) = ((start + end) * 0.5, (end - start) * 0.5)
    var sum = DoubleDouble(0)
    for (place, weight) in nodes { sum += weight * function(middle + half * place) }
    return half * sum
  }
}
