/// Least squares over the elements of a step.
enum LeastSquares {
  /// Coefficients with how sure they are, and what they leave; nil where the columns do not say
  /// them.
  static func fit(_ columns: [[Double]], _ result: [Double]) -> (values: [Double], errors: [Double], left: [Double])? {
    // By Gram and Schmidt, twice over.
    let n = columns.count
    var q = columns
    var r = Array(repeating: Array(repeating: 0.0, count: n), count: n)
    for j in 0..<n {
      let length = dot(q[j], q[j]).squareRoot()
      guard length > 0 else { return nil }
      for _ in 0..<2 {
        for i in 0..<j {
          let share = dot(q[i], q[j])
          r[i][j] += share
          for k in q[j].indices { q[j][k] -= share * q[i][k] }
        }
      }
      let rest = dot(q[j], q[j]).squareRoot()
      // A column that the others make says nothing.
      guard rest > 1e-6 * length else { return nil }
      r[j][j] = rest
      for k in q[j].indices { q[j][k] /= rest }
    }
    var left = result
    var shares = Array(repeating: 0.0, count: n)
    for j in 0..<n {
      shares[j] = dot(q[j], left)
      for k in left.indices { left[k] -= shares[j] * q[j][k] }
    }
    var values = shares
    for j in (0..<n).reversed() {
      for k in (j + 1)..<max(n, j + 1) where k < n { values[j] -= r[j][k] * values[k] }
      values[j] /= r[j][j]
    }
    let size = largest(result)
    // The rows of the inverse of R say how far an error of the result goes.
    let errors = (0..<n).map { j in inverseRow(r, j).reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let noise = (dot(left, left) / Double(max(left.count - n, 1))).squareRoot() + 0x1p-24 * size
    // Less than that is seen in no element.
    let unseen = columns.map { column in 3e-5 * size / max(largest(column), 0x1p-100) }
    return (values, (0..<n).map { max(8 * errors[$0] * noise, unseen[$0]) }, left)
  }

  private static func inverseRow(_ r: [[Double]], _ row: Int) -> [Double] {
    var y = Array(repeating: 0.0, count: r.count)
    for j in row..<r.count {
      var sum = j == row ? 1.0 : 0
      for k in row..<max(j, row) { sum -= y[k] * r[k][j] }
      y[j] = sum / r[j][j]
    }
    return y
  }

  /// The largest magnitude.
  static func largest(_ numbers: [Double]) -> Double { numbers.reduce(0) { max($0, abs($1)) } }

  static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }
}
