import SchedulersCOpenBLAS

/// What this module needs of linear algebra, on row-major matrices of Doubles. Its only user of
/// OpenBLAS and LAPACKE.
package enum LAPACK {
  /// A·B, or A·Bᵀ.
  ///
  /// - Parameters:
  ///   - a: rows × inner.
  ///   - b: inner × columns; columns × inner if it is to be transposed.
  /// - Precondition: the matrices have these sizes, none of which is 0.
  package static func product(
    _ a: [Double], _ b: [Double], transposed: Bool = false, rows: Int, inner: Int, columns: Int
  ) -> [Double] {
    precondition(
      a.count == rows * inner && b.count == inner * columns,
      "\(a.count) and \(b.count) values are no matrices of \(rows)×\(inner) and \(inner)×\(columns)")
    return [Double](unsafeUninitializedCapacity: rows * columns) { c, initialized in
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans,
        blasint(rows), blasint(columns), blasint(inner), 1, a, blasint(inner), b, blasint(transposed ? inner : columns),
        0, c.baseAddress, blasint(columns))
      initialized = rows * columns
    }
  }

  /// Eigenvalues, smallest first, and eigenvectors of a symmetric matrix; row k of `vectors`
  /// belongs to `values[k]`.
  ///
  /// - Throws: `ExactDenoiserError.lapack` if LAPACK refuses the matrix or does not converge.
  /// - Accuracy: each value within about order·2⁻⁵²·max|value|; LAPACK Users' Guide, third edition,
  ///   section 4.7.
  package static func eigen(symmetric matrix: [Double], order: Int) throws(ExactDenoiserError) -> (
    values: [Double], vectors: [Double]
  ) {
    precondition(matrix.count == order * order, "\(matrix.count) values are no matrix of \(order)×\(order)")
    var vectors = matrix
    var values = [Double](repeating: 0, count: order)
    // A symmetric matrix reads the same by columns; then LAPACK's column k of eigenvectors is row k
    // here, and nothing is copied.
    let info = LAPACKE_dsyev(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")), numericCast(order), &vectors,
      numericCast(order), &values)
    guard info == 0 else { throw .lapack(routine: "dsyev", info: Int(info)) }
    return (values, vectors)
  }
}
