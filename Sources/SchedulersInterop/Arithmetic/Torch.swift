import Schedulers

/// torch's arithmetic on float32 tensors, bit for bit torch 2.13 on its AVX2 path.
///
/// Its square root, exponential and logarithm come from MKL, up to an ulp off and not the same on
/// every processor; here all but AMD's `squareRoot` are rounded correctly.
enum Torch {
  /// `torch.linspace(start, end, count)`: from the start in the first half, from the end in the
  /// second, fused.
  static func linspace<Scalar: BinaryFloatingPoint>(
    _ start: Double, _ end: Double, _ count: Int, as _: Scalar.Type = Float.self
  ) -> [Scalar] {
    let (start, end) = (Scalar(start), Scalar(end))
    guard count > 1 else { return [start] }
    let step = (end - start) / Scalar(count - 1)
    return (0..<count).map {
      $0 < count / 2 ? start.addingProduct(step, Scalar($0)) : end.addingProduct(-step, Scalar(count - 1 - $0))
    }
  }

  /// `torch.cumprod`: accumulated in Double, each product rounded.
  static func cumulativeProduct(_ values: [Float]) -> [Float] {
    var product = 1.0
    return values.map { value in
      product *= Double(value)
      return Float(product)
    }
  }

  /// `torch.sigmoid`: sixteen at a time with the exponential function of SLEEF ([Shibata and
  /// Petrogalli 2020](https://doi.org/10.1109/TPDS.2019.2960333)), the rest with the C library's.
  static func sigmoid(_ values: [Float]) -> [Float] {
    let whole = values.count / 16 * 16
    return values.enumerated().map { i, x in 1 / (1 + (i < whole ? exp(-x) : Float(Math.exp(Double(-x))))) }
  }

  /// exp(x) = 2ⁿ·exp(s) with |s| ≤ ln(2)/2, for |x| < 80.
  private static func exp(_ x: Float) -> Float {
    let n = (x * 0x1.715476p+0).rounded(.toNearestOrEven)
    let s = x.addingProduct(n, -0.693145751953125).addingProduct(n, -1.428606765330187045e-06)
    let square = s * s
    let series = Math.fusedPolynomial(exponential, at: s)
    return (1 + s.addingProduct(square, series)) * Float(sign: .plus, exponent: Int(n), significand: 1)
  }

  private static let exponential: [Float] = [
    0.000198527617612853646278381, 0.00139304355252534151077271, 0.00833336077630519866943359,
    0.0416664853692054748535156, 0.166666671633720397949219, 0.5,
  ]
}
