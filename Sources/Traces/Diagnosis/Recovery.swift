import Schedulers

/// The coefficients that a recorded step was made with, by least squares over its elements.
///
/// A step is linear in the sample, the network's output, earlier estimates and the noise, and a
/// recording has hundreds of elements for a handful of unknowns. The earlier estimates are those
/// that the plan makes of what was recorded.
struct Recovery: Sendable {
  /// What a step combines.
  enum Symbol: Hashable, Sendable {
    case sample, output
    /// The estimate of so many calls ago, 1 or more.
    case estimate(ago: Int)
    /// The sample of so many calls ago, 1 or more.
    case earlier(ago: Int)
    case noise

    var name: String {
      switch self {
      case .sample: "the sample"
      case .output: "the output"
      case .estimate(1): "the estimate before"
      case .estimate(let ago): "the estimate of \(ago) calls ago"
      case .earlier(1): "the sample before"
      case .earlier(let ago): "the sample of \(ago) calls ago"
      case .noise: "the noise"
      }
    }
  }

  /// The coefficients of a step, with how sure they are.
  struct Solution: Sendable {
    var terms: [(symbol: Symbol, value: Double, error: Double, planned: Double)]
    /// The largest deviation from the combination, and the largest number of the result.
    var residual: Double
    var size: Double

    func value(of symbol: Symbol) -> Double? { terms.first { $0.symbol == symbol }?.value }
  }

  let trace: Trace
  let plan: SamplingPlan

  /// As many elements as are taken.
  private static let most = 4096

  /// The coefficients of a step; nil where its elements do not say them.
  func solve(step: Int) -> Solution? {
    let planned = self.planned(step)
    guard !trace.hasVariance else { return nil }
    let columns = planned.map { column($0.symbol, step) }
    let after = trace.recorded(after: step)
    let result = values(after.role, row: after.row)
    let kept = elements(step).filter { i in result[i].isFinite && columns.allSatisfy { $0[i].isFinite } }
    guard kept.count > 2 * planned.count else { return nil }
    return Self.fit(columns.map { column in kept.map { column[$0] } }, kept.map { result[$0] }, planned)
  }

  /// The symbols of a step with the plan's coefficients.
  private func planned(_ step: Int) -> [(symbol: Symbol, value: Double)] {
    let (made, next) = (plan.steps[step], plan.steps[step].next)
    var terms: [(Symbol, Double)] = [(.sample, made.folded.sample), (.output, made.folded.output)]
    for ago in next.samples.indices.dropFirst() { terms.append((.earlier(ago: ago), next.samples[ago])) }
    // One more than the plan has, lest a longer memory pass unseen.
    let reach = min(max(next.estimates.count - 1, 1), step)
    if reach > 0 {
      for ago in 1...reach {
        // Where the sample before is a term, the estimate there is what it makes of its output.
        terms.append((.estimate(ago: ago), ago < next.estimates.count ? next.estimates[ago] : 0))
      }
    }
    if trace.hasNoises, values(.noises, row: step).contains(where: { $0 != 0 }) { terms.append((.noise, next.noise)) }
    return terms
  }

  private func column(_ symbol: Symbol, _ step: Int) -> [Double] {
    switch symbol {
    case .sample: return values(.samples, row: step)
    case .output: return values(.outputs, row: step)
    case .noise: return values(.noises, row: step)
    case .earlier(let ago): return values(.samples, row: step - ago)
    case .estimate(let ago):
      let readout = plan.steps[step - ago].foldedEstimate
      return zip(values(.samples, row: step - ago), values(.outputs, row: step - ago)).map {
        readout.sample * $0 + readout.output * $1
      }
    }
  }

  /// The elements that are taken: evenly over the batch, and where the plan clips nothing.
  private func elements(_ step: Int) -> [Int] {
    guard case .range(let range) = plan.clipping else { return Array(values(.samples, row: step).indices) }
    let readout = plan.steps[step].denoising
    let x0 = zip(values(.samples, row: step), values(.outputs, row: step)).map {
      readout.sample * $0 + readout.output * $1
    }
    return x0.indices.filter { range.contains(x0[$0]) }
  }

  private func values(_ role: Trace.Role, row: Int) -> [Double] {
    let count = trace.sampleSize
    let perSample = max(Self.most / trace.shape[0], 1)
    return (0..<min(trace.shape[0], Self.most)).flatMap { sample in
      trace.scalars(role, row: row, Trace.Part(sample: sample, scalars: 0..<min(count, perSample)))
    }
  }

  /// Least squares by Gram and Schmidt, twice over, with columns of length 1.
  private static func fit(
    _ columns: [[Double]], _ result: [Double], _ planned: [(symbol: Symbol, value: Double)]
  ) -> Solution? {
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
      guard rest > 1e-5 * length else { return nil }
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
    let (residual, size) = (left.reduce(0) { max($0, abs($1)) }, result.reduce(0) { max($0, abs($1)) })
    // The rows of the inverse of R say how far an error of the result goes.
    let errors = (0..<n).map { j in inverseRow(r, j).reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let noise = (dot(left, left) / Double(max(left.count - n, 1))).squareRoot() + 0x1p-24 * size
    // Less than that is seen in no element.
    let unseen = columns.map { column in 3e-5 * size / column.reduce(0x1p-100) { max($0, abs($1)) } }
    return Solution(
      terms: planned.indices.map { j in
        (planned[j].symbol, values[j], max(8 * errors[j] * noise, unseen[j]), planned[j].value)
      },
      residual: residual, size: size)
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

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }
}
