import Schedulers
import SchedulersCOpenBLAS

/// A number type that the network is computed in: Float to train and to sample, Double to check
/// gradients.
public protocol NetworkScalar: SampleScalar {
  /// C ← A·B + beta·C on row-major matrices, A and B each transposed if asked for.
  ///
  /// - Parameters:
  ///   - a: rows × inner; inner × rows if it is to be transposed.
  ///   - b: inner × columns; columns × inner if it is to be transposed.
  ///   - c: rows × columns.
  static func multiply(
    _ a: UnsafePointer<Self>, transposed isATransposed: Bool, _ b: UnsafePointer<Self>, transposed isBTransposed: Bool,
    rows: Int, inner: Int, columns: Int, beta: Self, into c: UnsafeMutablePointer<Self>)

  /// exp(x), within a relative 1.5e-7 in Float for −87 ≤ x ≤ 88, beyond which it may stay what it
  /// is at the end.
  static func exponential(_ x: Self) -> Self

  /// √x, rounded once, in a form that compilers vectorise.
  static func squareRoot(of x: Self) -> Self
}

extension Float: NetworkScalar {
  public static func multiply(
    _ a: UnsafePointer<Float>, transposed isATransposed: Bool, _ b: UnsafePointer<Float>,
    transposed isBTransposed: Bool,
    rows: Int, inner: Int, columns: Int, beta: Float, into c: UnsafeMutablePointer<Float>
  ) {
    cblas_sgemm(
      CblasRowMajor, isATransposed ? CblasTrans : CblasNoTrans, isBTransposed ? CblasTrans : CblasNoTrans,
      blasint(rows), blasint(columns), blasint(inner), 1, a, blasint(isATransposed ? rows : inner), b,
      blasint(isBTransposed ? inner : columns), beta, c, blasint(columns))
  }

  /// x = k·ln 2 + r with |r| ≤ ln 2 / 2, exp(r) by its series, and 2ᵏ by its bits: multiplications
  /// and additions alone, which compilers vectorise.
  ///
  /// Source: Cody and Waite 1980, Software Manual for the Elementary Functions, chapter 6. r⁸/8! is
  /// below 6e-9.
  @inline(__always)
  public static func exponential(_ x: Float) -> Float {
    let below: Float = 88 < x ? 88 : x
    let y: Float = below < -87 ? -87 : below
    // Adding 1.5·2²³ rounds to a whole number, which then is in the low bits.
    let shifted = y * 0x1.715476p+0 + 0x1.8p+23
    let k = shifted - 0x1.8p+23
    // ln 2 as ten bits, which k multiplies exactly, and the rest.
    let r = y - k * 0x1.63p-1 + k * 0x1.bd0106p-13
    var sum: Float = 1.0 / 5_040
    sum = sum * r + 1.0 / 720
    sum = sum * r + 1.0 / 120
    sum = sum * r + 1.0 / 24
    sum = sum * r + 1.0 / 6
    sum = sum * r + 0.5
    sum = sum * r + 1
    sum = sum * r + 1
    return sum * Float(bitPattern: (shifted.bitPattern &+ 127) << 23)
  }

  @inline(__always)
  public static func squareRoot(of x: Float) -> Float { plain_sqrtf(x) }
}

extension Double: NetworkScalar {
  public static func multiply(
    _ a: UnsafePointer<Double>, transposed isATransposed: Bool, _ b: UnsafePointer<Double>,
    transposed isBTransposed: Bool,
    rows: Int, inner: Int, columns: Int, beta: Double, into c: UnsafeMutablePointer<Double>
  ) {
    cblas_dgemm(
      CblasRowMajor, isATransposed ? CblasTrans : CblasNoTrans, isBTransposed ? CblasTrans : CblasNoTrans,
      blasint(rows), blasint(columns), blasint(inner), 1, a, blasint(isATransposed ? rows : inner), b,
      blasint(isBTransposed ? inner : columns), beta, c, blasint(columns))
  }

  public static func exponential(_ x: Double) -> Double { Math.exp(x) }

  @inline(__always)
  public static func squareRoot(of x: Double) -> Double { plain_sqrt(x) }
}

/// The threads of the network's matrix products.
public enum NetworkThreads {
  /// Spreads the products of all networks over at most so many threads; OpenBLAS begins with one
  /// for each processor.
  ///
  /// Sums are made in another order then, and the last bits of a training run with them.
  ///
  /// - Parameter count: 1 or more.
  public static func use(_ count: Int) { openblas_set_num_threads(Int32(max(1, min(count, 1024)))) }
}
