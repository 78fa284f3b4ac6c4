import Schedulers
import SchedulersInterop

/// The comparison of a trace with a plan.
struct Judge: Sendable {
  let trace: Trace
  let plan: SamplingPlan
  let tolerance: Double
  /// Whether the roundings of half precision are allowed.
  let allowsHalf: Bool
  let parts: [Trace.Part]
  /// What the source's coefficients leave uncertain of each step's result, where they have lost
  /// digits; else nothing.
  let uncertainties: [Double]
  /// The largest finite magnitude in the recorded samples of each row.
  let magnitudes: [Double]
  /// The same of the outputs and of the noise, in half precision.
  let outputMagnitudes: [Double]
  let noiseMagnitudes: [Double]

  /// Thresholding looks at a whole sample at a time; the rest goes in parts that a processor's
  /// cache holds.
  static let largestPart = 1 << 24
  private static let usualPart = 1 << 14

  init(_ trace: Trace, plan: SamplingPlan, tolerance: Double?) {
    self.trace = trace
    self.plan = plan
    self.tolerance = tolerance ?? Trace.defaultTolerance
    allowsHalf = tolerance == nil && Trace.Role.allCases.contains { trace.precision(of: $0).isHalf }
    var limit = Self.usualPart
    if case .dynamic = plan.clipping { limit = trace.sampleSize }
    let parts = trace.parts(limit: limit)
    self.parts = parts
    uncertainties = Self.uncertainties(trace, plan: plan, parts: parts)
    func magnitude(_ role: Trace.Role, row: Int) -> Double {
      parts.reduce(0) { largest, part in
        trace.scalars(role, row: row, part).reduce(largest) { $1.isFinite ? max($0, abs($1)) : $0 }
      }
    }
    magnitudes = (0...trace.steps).map { magnitude(.samples, row: $0) }
    outputMagnitudes = allowsHalf ? (0..<trace.steps).map { magnitude(.outputs, row: $0) } : []
    noiseMagnitudes = allowsHalf ? (0..<trace.steps).map { magnitude(.noises, row: $0) } : []
  }

  /// What the first wrong step was made of; nil where no combination makes it.
  func coefficients(of judgement: Judgement) -> [Judgement.Coefficient]? {
    guard let first = judgement.first, first.notFinite == nil, first.difference > first.allowed,
      let solution = Recovery(trace: trace, plan: plan).solve(step: first.step),
      solution.residual <= max(5e-5 * solution.size, first.allowed)
    else { return nil }
    return solution.terms.map { .init(name: $0.symbol.name, recorded: $0.value, planned: $0.planned) }
  }

  /// Every step, without a diagnosis.
  func judgement(fidelity: Fidelity) -> Judgement {
    Judgement(
      source: trace.source.name, fidelity: fidelity.rawValue, tolerance: tolerance, steps: steps(), diagnosis: nil)
  }

  /// Every step.
  func steps() -> [Judgement.Step] {
    let recomputation = Recomputation(trace: trace, plan: plan)
    return plan.steps.indices.map { step in
      let worst = difference(at: step, recomputation)
      let timestep = plan.steps[step].query.timestep
      return Judgement.Step(
        step: step, timestep: timestep, recordedTimestep: trace.timesteps[step],
        hasOtherTimestep: !agrees(trace.timesteps[step], with: timestep), difference: worst.value,
        element: [worst.part.sample] + place(of: worst.scalar), allowed: allowed(step, recomputation),
        notFinite: notFinite(step))
    }
  }

  /// The largest difference of a step and where it is; NaN before every number.
  func difference(at step: Int, _ recomputation: Recomputation) -> (value: Double, part: Trace.Part, scalar: Int) {
    var worst = (value: 0.0, part: parts[0], scalar: 0)
    for part in parts {
      let (made, recorded) = (recomputation.result(of: step, part), recomputation.recorded(after: step, part))
      for i in made.indices {
        let difference = abs(made[i] - recorded[i])
        if difference > worst.value || (difference.isNaN && !worst.value.isNaN) {
          worst = (difference, part, part.scalars.lowerBound + i)
        }
      }
    }
    return worst
  }

  /// Whether a step is within tolerance in every part.
  func agrees(at step: Int, _ recomputation: Recomputation) -> Bool {
    let allowed = allowed(step, recomputation)
    return parts.allSatisfy { part in
      zip(recomputation.result(of: step, part), recomputation.recorded(after: step, part)).allSatisfy {
        abs($0 - $1) <= allowed
      }
    }
  }

  /// Whether a recorded timestep is the configuration's. Those in float32 went through another
  /// library's arithmetic.
  func agrees(_ recorded: Double, with timestep: Double) -> Bool {
    let half = allowsHalf && !trace.hasWholeTimesteps ? trace.precision.unit * abs(timestep) : 0
    return abs(recorded - timestep) <= (trace.hasWholeTimesteps ? 0 : max(2e-2, half))
  }

  /// The tensor that has a NaN or an infinity where a step reads or writes it.
  private func notFinite(_ step: Int) -> String? {
    func isBroken(_ role: Trace.Role, row: Int) -> Bool {
      parts.contains { part in
        trace.scalars(role, row: row, part).contains { !$0.isFinite }
          || (role == .outputs && trace.hasVariance
            && trace.scalars(role, row: row, part, offset: trace.sampleSize).contains { !$0.isFinite })
      }
    }
    let after = trace.recorded(after: step)
    let isSample = isBroken(.samples, row: step) || isBroken(after.role, row: after.row)
    return ([.outputs, .noises].first { isBroken($0, row: step) } ?? (isSample ? .samples : nil))?.rawValue
  }

  /// The indices of a scalar in its sample.
  private func place(of scalar: Int) -> [Int] {
    var rest = scalar
    return trace.shape.dropFirst().reversed().map { extent in
      defer { rest /= extent }
      return rest % extent
    }.reversed()
  }
}
