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
    /// The estimate of so many calls ago; 0 where sample and output are no terms of their own.
    case estimate(ago: Int)
    /// The sample of so many calls ago, 1 or more.
    case earlier(ago: Int)
    case noise
    /// The same number for every element.
    case constant

    var name: String {
      switch self {
      case .sample: "the sample"
      case .output: "the output"
      case .estimate(0): "the estimate"
      case .estimate(1): "the estimate before"
      case .estimate(let ago): "the estimate of \(ago) calls ago"
      case .earlier(1): "the sample before"
      case .earlier(let ago): "the sample of \(ago) calls ago"
      case .noise: "the noise"
      case .constant: "a constant"
      }
    }
  }

  /// The coefficients of a step, with how sure they are.
  struct Solution: Sendable {
    typealias Term = (symbol: Symbol, value: Double, error: Double, planned: Double)

    var terms: [Term]
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
  ///
  /// - Parameter constant: whether a constant may be a term too.
  func solve(step: Int, constant: Bool = false) -> Solution? {
    let after = trace.recorded(after: step)
    let result = values(after.role, row: after.row)
    let inside = elements(step)
    func solution(_ terms: [Planned], beside known: [Double]? = nil) -> Solution? {
      let terms = terms + (constant ? [(.constant, 0)] : [])
      let columns = terms.map { column($0.symbol, step) }
      let kept = inside.filter { i in result[i].isFinite && columns.allSatisfy { $0[i].isFinite } }
      guard !terms.isEmpty, kept.count > 2 * terms.count,
        let fit = LeastSquares.fit(
          columns.map { column in kept.map { column[$0] } }, kept.map { result[$0] - (known?[$0] ?? 0) })
      else { return nil }
      return Solution(
        terms: terms.indices.map { (terms[$0].symbol, fit.values[$0], fit.errors[$0], terms[$0].value) },
        residual: LeastSquares.largest(fit.left), size: LeastSquares.largest(kept.map { result[$0] }))
    }
    // Terms that the plan does not have are asked for first, lest they pass unseen. Where the
    // others make them already they say nothing.
    let own = planned(step)
    for terms in [planned(step, isLong: true), own, own.filter { $0.value != 0 }, ofEstimates(step)] {
      if let solution = solution(terms) { return solution }
    }
    return holdingSample(step) { solution($0, beside: $1) }
  }

  /// The solution where what a step takes of the sample itself is what the plan has, beside x̂0 or
  /// epsilon that it reads off it.
  private func holdingSample(_ step: Int, _ solution: ([Planned], [Double]) -> Solution?) -> Solution? {
    let (made, next) = (plan.steps[step], plan.steps[step].next)
    let (share, newest) = ((next.samples.first ?? 0) + next.made, next.estimates.first ?? 0)
    let known = column(.sample, step).map { share * $0 }
    let others = planned(step).filter { $0.symbol != .sample }
    guard next.predicted == 0 else { return nil }
    if newest == 0 {
      guard var solution = solution(others, known) else { return nil }
      solution.terms.insert((.sample, share, 0, share), at: 0)
      return solution
    }
    let terms = [(Symbol.estimate(ago: 0), newest)] + others.filter { $0.symbol != .output }
    guard next.samples.count <= 1, next.output == 0, var solution = solution(terms, known) else { return nil }
    let (estimate, folded, own) = (solution.terms.removeFirst(), made.folded, made.foldedEstimate)
    solution.terms =
      [
        (.sample, share + estimate.value * own.sample, estimate.error * abs(own.sample), folded.sample),
        (.output, estimate.value * own.output, estimate.error * abs(own.output), folded.output),
      ] + solution.terms
    return solution
  }

  private typealias Planned = (symbol: Symbol, value: Double)

  /// The symbols of a step with the plan's coefficients.
  private func planned(_ step: Int, isLong: Bool = false) -> [Planned] {
    let (made, next) = (plan.steps[step], plan.steps[step].next)
    var terms: [Planned] = [(.sample, made.folded.sample), (.output, made.folded.output)]
    for ago in next.samples.indices.dropFirst() { terms.append((.earlier(ago: ago), next.samples[ago])) }
    let reach = min(max(next.estimates.count - 1, isLong ? 1 : 0), step)
    for ago in 1..<max(reach + 1, 1) {
      // Where the sample before is a term, the estimate there is what it makes of its output.
      terms.append((.estimate(ago: ago), ago < next.estimates.count ? next.estimates[ago] : 0))
    }
    if trace.hasNoises, values(.noises, row: step).contains(where: { $0 != 0 }) { terms.append((.noise, next.noise)) }
    return terms
  }

  /// The same of a step that takes its sample and output as an estimate alone. Where it goes back
  /// to an earlier sample, that and the estimate there make the sample.
  private func ofEstimates(_ step: Int) -> [Planned] {
    let next = plan.steps[step].next
    guard next.samples.count > 1, next.samples[0] == 0, next.predicted == 0, next.output == 0,
      let newest = next.estimates.first
    else { return [] }
    return [(.estimate(ago: 0), newest)] + planned(step).filter { $0.symbol != .sample && $0.symbol != .output }
  }

  private func column(_ symbol: Symbol, _ step: Int) -> [Double] {
    switch symbol {
    case .sample: return values(.samples, row: step)
    case .output: return values(.outputs, row: step)
    case .noise: return zip(values(.noises, row: step), deviations(step)).map { $0 * $1 }
    case .constant: return Array(repeating: 1, count: values(.samples, row: step).count)
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

  /// What the noise is multiplied by where its variance is learned; the plan's factor is 1 there.
  private func deviations(_ step: Int) -> [Double] {
    let variances = values(.outputs, row: step, offset: trace.hasVariance ? trace.sampleSize : 0)
    switch plan.steps[step].variance {
    case .learned(let variance):
      return variances.map { Math.exp((variance.offset + variance.slope * $0) / 2) }
    case .output: return variances.map { $0.squareRoot() }
    default: return variances.map { _ in 1 }
    }
  }

  private func values(_ role: Trace.Role, row: Int, offset: Int = 0) -> [Double] {
    let count = trace.sampleSize
    let perSample = max(Self.most / trace.shape[0], 1)
    return (0..<min(trace.shape[0], Self.most)).flatMap { sample in
      trace.scalars(role, row: row, Trace.Part(sample: sample, scalars: 0..<min(count, perSample)), offset: offset)
    }
  }
}
