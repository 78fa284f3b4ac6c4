import COpenBLAS
import Schedulers

/// A number type that the network is computed in: Float to train and to sample, Double to check gradients.
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
}

extension Float: NetworkScalar {
  public static func multiply(
    _ a: UnsafePointer<Float>, transposed isATransposed: Bool, _ b: UnsafePointer<Float>, transposed isBTransposed: Bool,
    rows: Int, inner: Int, columns: Int, beta: Float, into c: UnsafeMutablePointer<Float>
  ) {
    cblas_sgemm(
      CblasRowMajor, isATransposed ? CblasTrans : CblasNoTrans, isBTransposed ? CblasTrans : CblasNoTrans,
      blasint(rows), blasint(columns), blasint(inner), 1, a, blasint(isATransposed ? rows : inner), b,
      blasint(isBTransposed ? inner : columns), beta, c, blasint(columns))
  }
}

extension Double: NetworkScalar {
  public static func multiply(
    _ a: UnsafePointer<Double>, transposed isATransposed: Bool, _ b: UnsafePointer<Double>, transposed isBTransposed: Bool,
    rows: Int, inner: Int, columns: Int, beta: Double, into c: UnsafeMutablePointer<Double>
  ) {
    cblas_dgemm(
      CblasRowMajor, isATransposed ? CblasTrans : CblasNoTrans, isBTransposed ? CblasTrans : CblasNoTrans,
      blasint(rows), blasint(columns), blasint(inner), 1, a, blasint(isATransposed ? rows : inner), b,
      blasint(isBTransposed ? inner : columns), beta, c, blasint(columns))
  }
}

/// The threads of the network's matrix products.
public enum NetworkThreads {
  /// Spreads the products of all networks over at most so many threads; OpenBLAS begins with one for each processor.
  ///
  /// Sums are made in another order then, and the last bits of a training run with them.
  ///
  /// - Parameter count: 1 or more.
  public static func use(_ count: Int) { openblas_set_num_threads(Int32(max(1, min(count, 1024)))) }
}
