import Schedulers

/// NumPy's arithmetic where its rounding decides which timesteps and sigmas come out. Bit for bit
/// NumPy 2.4 on a processor with FMA.
enum NumPy {
  /// `numpy.linspace(start, stop, count)`: start + i·step with a rounded step; one number is
  /// `start`.
  static func linspace(_ start: Double, _ stop: Double, _ count: Int) -> [Double] {
    guard count > 1 else { return [start] }
    let step = (stop - start) / Double(count - 1)
    return (0..<count).map { $0 == count - 1 ? stop : Double($0) * step + start }
  }

  /// `numpy.arange(total, 0, -step)`, whose ⌈−total/−step⌉ elements are at times one too many.
  static func descending(from total: Double, by step: Double) -> [Double] {
    let count = Int(((0 - total) / -step).rounded(.up))
    // NumPy takes the difference of its first two elements, not the step that it was given.
    let difference = (total - step) - total
    return (0..<count).map { $0 == 1 ? total - step : total + Double($0) * difference }
  }

  /// `numpy.interp(x, arange(len(table)), table)`: linear between the entries, held at the ends.
  static func interpolate(_ x: Double, in table: [Float]) -> Double {
    let last = table.count - 1
    if x <= 0 { return Double(table[0]) }
    if x >= Double(last) { return Double(table[last]) }
    let low = Int(x)
    let start = Double(table[low])
    if x == Double(low) { return start }
    return (Double(table[low + 1]) - start) * (x - Double(low)) + start
  }

  /// `numpy.log` of a float32, a rational approximation on √½ ... √2.
  static func log(_ x: Float) -> Float {
    guard x > 0, x.isFinite else { return x == 0 ? -.infinity : x < 0 ? .nan : x }
    var exponent = Float(x.exponent)
    var significand = x.significand
    if significand > 0x1.6a09e6p0 {
      significand /= 2
      exponent += 1
    }
    let y = significand - 1
    let quotient = Math.fusedPolynomial(numerator, at: y) / Math.fusedPolynomial(denominator, at: y)
    return quotient.addingProduct(exponent, 0x1.62e43p-1)
  }

  private static let numerator: [Float] = [
    2.589979117907922693523e-02, 3.808837741388407920751e-01, 1.480000633576506585156e+00, 2.112677543073053063722e+00,
    9.999999999999998702752e-01, 0,
  ]
  private static let denominator: [Float] = [
    5.875095403124574342950e-03, 1.546476374983906719538e-01, 9.864942958519418960339e-01, 2.453006071784736363091e+00,
    2.612677543073109236779e+00, 1,
  ]
}
