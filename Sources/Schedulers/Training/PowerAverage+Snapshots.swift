extension PowerAverage {
  /// An average that was saved, as far as its profile goes.
  public struct Snapshot: Hashable, Codable, Sendable {
    /// The average that was kept.
    public var average: PowerAverage
    /// The number of updates when it was saved.
    public var step: Int

    public init(_ average: PowerAverage, at step: Int) { (self.average, self.step) = (average, step) }
  }

  /// The weights of snapshots whose sum is nearest to this average, had it been kept.
  ///
  ///     Σ_j ⟨p_i, p_j⟩·w_j = ⟨p_i, p⟩
  ///     ⟨p_a, p_b⟩ = (γ_a + 1)·(γ_b + 1)/(γ_a + γ_b + 1)·(t_a/t_b)^γ_b/t_b
  ///
  /// for t_a ≤ t_b, where p_i are the profiles of the snapshots and p this one's: least squares of
  /// p − Σ w_i·p_i.
  ///
  /// - Parameters:
  ///   - step: t of this average, at most that of the last snapshot to be near.
  ///   - snapshots: those that were kept, of two exponents as a rule.
  /// - Throws: `AverageError` if a step is not 1 or more, or there are no snapshots, or two are the
  ///   same.
  /// - Accuracy: the equations are solved in about 32 digits.
  ///
  /// Source: [Karras et al. 2024](https://arxiv.org/abs/2312.02696), appendix C, algorithm 3.
  public func weights(at step: Int, from snapshots: [Snapshot]) throws(AverageError) -> [Double] {
    let wanted = Snapshot(self, at: step)
    for snapshot in snapshots + [wanted] where snapshot.step < 1 {
      throw .parameter("step", Double(snapshot.step), allowed: "1 or more")
    }
    var rows = snapshots.map { a in (snapshots + [wanted]).map { b in Self.product(a, b) } }
    guard !rows.isEmpty, Self.eliminate(&rows) else { throw .snapshots(count: snapshots.count) }
    return rows.map { $0[snapshots.count].rounded }
  }

  /// This average of tensors, as it would have been, from those that were saved.
  ///
  /// - Throws: `AverageError` as for the weights.
  public func reconstructed<Tensor: LinearSpace>(
    at step: Int, from snapshots: [(snapshot: Snapshot, value: Tensor)]
  ) throws(AverageError) -> Tensor {
    let weights = try weights(at: step, from: snapshots.map { $0.snapshot })
    return .combination(zip(weights, snapshots).map { ($0, $1.value) })
  }

  /// The integral of the product of two profiles, of averages at given steps.
  private static func product(_ a: Snapshot, _ b: Snapshot) -> DoubleDouble {
    if a.step > b.step { return product(b, a) }
    let (first, second) = (DoubleDouble(a.average.exponent), DoubleDouble(b.average.exponent))
    let ratio = DoubleDouble(Double(a.step)) / Double(b.step)
    return (first + 1) * (second + 1) / (first + second + 1) * ratio.power(second) / Double(b.step)
  }

  /// Solves linear equations, whose last column is the right-hand side and then the solution, by
  /// elimination with pivots.
  ///
  /// - Returns: whether there is one solution.
  private static func eliminate(_ rows: inout [[DoubleDouble]]) -> Bool {
    let count = rows.count
    // Below this, a pivot is what rounding has left of 0.
    let least = rows.indices.reduce(0) { max($0, rows[$1][$1].high) } * 0x1p-98
    for k in 0..<count {
      var pivot = k
      for i in k..<count where abs(rows[i][k].high) > abs(rows[pivot][k].high) { pivot = i }
      guard abs(rows[pivot][k].high) > least else { return false }
      rows.swapAt(k, pivot)
      for j in k + 1...count { rows[k][j] = rows[k][j] / rows[k][k] }
      for i in 0..<count where i != k && rows[i][k].high != 0 {
        let factor = rows[i][k]
        for j in k + 1...count { rows[i][j] -= factor * rows[k][j] }
      }
    }
    return true
  }
}
