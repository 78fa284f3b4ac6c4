import Schedulers

// Mistakes that are not linear, or not element by element. What was done is read off the first step
// that is wrong; whether it explains the others is seen as for every hypothesis.

extension Suspicions {
  /// - Parameter step: the first that is wrong.
  func elements(at step: Int, judge: Judge) -> [Hypothesis] {
    misread() + planes(at: step, judge: judge) + mirrors() + ranges(at: step) + thresholds() + roundings()
  }

  /// Pictures upside down or mirrored.
  private func mirrors() -> [Hypothesis] {
    let dimensions = trace.shape.count - 1
    guard (2...4).contains(dimensions) else { return [] }
    let last = dimensions - 1
    let kinds: [(String, Set<Int>)] = [
      ("from right to left", [last]), ("upside down", [last - 1]), ("turned by half a turn", [last - 1, last]),
    ]
    return kinds.filter { _, dimensions in dimensions.allSatisfy { $0 > 0 } }.flatMap { how, mirrored in
      [("model's output is", Trace.Role.outputs), ("noise is", .noises)].flatMap { subject, role in
        suspicion(.axes, "the \(subject) taken \(how)", reading: Reading(mirrored: [role: mirrored]))
      }
    }
  }

  // MARK: Ranges

  /// Ranges in which all numbers of x̂0, of the output, of the sample, of the noise or of the result
  /// lie, some of them at its ends.
  private func ranges(at step: Int) -> [Hypothesis] {
    var found: [Hypothesis] = []
    if let range = estimates(at: step).flatMap(Self.range) {
      found += suspicion(
        .clipping, "the predicted x0 is clipped \(Self.words(range))", plan.edited(clipping: .range(range)))
    }
    let roles: [(String, Trace.Role)] = [
      ("the model's output", .outputs), ("the sample, before the step,", .samples), ("the noise", .noises),
    ]
    for (subject, role) in roles {
      guard let range = used(role, at: step).flatMap(Self.range) else { continue }
      found += suspicion(
        .clipping, "\(subject) is clipped \(Self.words(range))", reading: Reading(range: [role: range]))
    }
    let recomputation = Recomputation(trace: trace, plan: plan)
    if let range = Self.range(of: whole.flatMap { recomputation.recorded(after: step, $0) }) {
      let reading = Reading(range: [.made: range])
      found += suspicion(.clipping, "the result of the step is clipped \(Self.words(range))", reading: reading)
      found += [
        Hypothesis(
          mistake: .clipping, text: "the result of the step is clipped \(Self.words(range)), not the predicted x0",
          plan: { plan.edited(clipping: Clipping.none) }, reading: reading)
      ]
    }
    return found
  }

  /// Samples as a whole, as far as they are looked at.
  private var whole: [Trace.Part] {
    (0..<min(trace.shape[0], 64)).map { Trace.Part(sample: $0, scalars: 0..<min(trace.sampleSize, 4096)) }
  }

  /// x̂0 as a step used it, from two results that it would have had.
  private func estimates(at step: Int) -> [Double]? {
    numbers(at: step, 0.25) { Reading(treatment: .constant($0)) }
  }

  /// A tensor as a step used it, in the same way.
  private func used(_ role: Trace.Role, at step: Int) -> [Double]? {
    numbers(at: step, 1) { Reading(range: [role: $0...$0]) }
  }

  /// What stands in the place of one number for all, in a step that is linear in it.
  private func numbers(at step: Int, _ unit: Double, _ reading: (Double) -> Reading) -> [Double]? {
    let right = Recomputation(trace: trace, plan: plan)
    let (zero, one) = (
      Recomputation(trace: trace, plan: plan, reading: reading(0)),
      Recomputation(trace: trace, plan: plan, reading: reading(unit))
    )
    var found: [Double] = []
    for part in whole {
      let (without, with) = (zero.result(of: step, part), one.result(of: step, part))
      for ((recorded, without), with) in zip(zip(right.recorded(after: step, part), without), with) {
        guard abs(with - without) > 1e-4 * unit else { return nil }
        found.append(unit * (recorded - without) / (with - without))
      }
    }
    return found
  }

  /// The ends at which several numbers lie; nil where they do not.
  private static func range(of numbers: [Double]) -> ClosedRange<Double>? {
    guard let least = numbers.min(), let most = numbers.max(), least.isFinite, most.isFinite, least < most else {
      return nil
    }
    func isEnd(_ end: Double) -> Bool {
      numbers.count { abs($0 - end) <= 1e-3 * max(abs(end), 0.1) } > max(2, numbers.count / 50)
    }
    func brief(_ end: Double) -> Double { (end * 1000).rounded() / 1000 }
    guard isEnd(least) || isEnd(most) else { return nil }
    return (isEnd(least) ? brief(least) : -Self.unlimited)...(isEnd(most) ? brief(most) : Self.unlimited)
  }

  private static let unlimited = 1e30

  private static func words(_ range: ClosedRange<Double>) -> String {
    if range.lowerBound == -unlimited { return "from above alone, to \(brief(range.upperBound))" }
    if range.upperBound == unlimited { return "from below alone, to \(brief(range.lowerBound))" }
    return "to \(brief(range.lowerBound)) ... \(brief(range.upperBound))"
  }

  // MARK: Thresholds and types

  private func thresholds() -> [Hypothesis] {
    guard case .dynamic(let ratio, let maximum) = plan.clipping, trace.shape[0] * trace.sampleSize <= 1 << 20 else {
      return []
    }
    let own = EstimateTreatment.Threshold(ratio: ratio, most: max(maximum, 1))
    func changed(_ text: String, _ edit: (inout EstimateTreatment.Threshold) -> Void) -> [Hypothesis] {
      var threshold = own
      edit(&threshold)
      guard threshold != own else { return [] }
      return [
        Hypothesis(
          mistake: .clipping, text: text, plan: { plan.edited(clipping: Clipping.none) },
          reading: Reading(treatment: .threshold(threshold)))
      ]
    }
    var found = changed("the threshold is that of the whole batch, not of each sample") { $0.scope = .batch }
    found += changed("the threshold is that of each channel, not of each sample") { $0.scope = .channel }
    for other in [0.995, 0.99, 0.98, 0.95, 0.9, 0.5] {
      found += changed("the threshold is the quantile \(other), not \(ratio)") { $0.ratio = other }
    }
    found += changed("the threshold is the largest magnitude, not the quantile \(ratio)") { $0.ratio = 1 }
    found += changed("the threshold has no maximum; the configuration's is \(brief(maximum))") { $0.most = .infinity }
    found += changed("the threshold may be below 1") { $0.least = 0 }
    found += changed("the predicted x0 is not divided by the threshold") { $0.divides = false }
    found += changed("the threshold is the quantile of the numbers, not of their magnitudes") {
      $0.takesMagnitudes = false
    }
    return found
  }

  private func roundings() -> [Hypothesis] {
    [Trace.Precision.float16, .bfloat16].filter { trace.precision != $0 }.flatMap { precision -> [Hypothesis] in
      func rounded(_ subject: String, _ roles: [Trace.Role]) -> [Hypothesis] {
        suspicion(
          .precision, "\(subject) through \(precision.rawValue)",
          reading: Reading(rounding: Dictionary(uniqueKeysWithValues: roles.map { ($0, precision) })))
      }
      return rounded("the model's output goes", [.outputs]) + rounded("the sample goes", [.samples])
        + rounded("the noise goes", [.noises]) + rounded("sample and output go", [.samples, .outputs])
        + suspicion(
          .precision, "the predicted x0 goes through \(precision.rawValue)",
          reading: Reading(treatment: .rounded(precision)))
    }
  }
}
