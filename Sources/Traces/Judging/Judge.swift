import Schedulers
import SchedulersInterop

extension Trace {
  /// The tolerance that holds unless another is asked for: above every deviation that float32
  /// recordings of right runs have shown.
  public static let defaultTolerance = 2e-4

  /// Makes every step again and compares.
  ///
  /// - Parameters:
  ///   - fidelity: `.diffusers` judges by what the source does, `.corrected` by the mathematics.
  ///   - tolerance: a step is right if no scalar is further off than tolerance·max(1, the largest
  ///     scalar before and after it).
  /// - Returns: every step, and a diagnosis if one of the known mistakes explains the first that is
  ///   wrong.
  /// - Throws: `TraceError` if the configuration has no such run.
  public func judged(fidelity: Fidelity = .diffusers, tolerance: Double = defaultTolerance) throws(TraceError)
    -> Judgement
  {
    // Asked first: a run of a million steps would take long to plan, and no file says that it has
    // as many without holding them.
    guard inferenceSteps <= steps || source.dropsSteps else {
      throw .configuration(
        "num_inference_steps is \(inferenceSteps), and only \(steps) steps are recorded; runs must be complete")
    }
    var trace = self
    let plan: SamplingPlan
    do { plan = try source.plan(steps: inferenceSteps, fidelity: fidelity, in: torch) } catch {
      // What is 0 or NaN on one make of processors may be a number on another.
      trace.torch = torch.elsewhere
      guard fidelity == .diffusers,
        let other = try? source.plan(steps: inferenceSteps, fidelity: fidelity, in: trace.torch)
      else { throw error }
      plan = other
    }
    guard plan.steps.count == steps else {
      throw .configuration(
        "\(steps) steps are recorded, where \(source.name) makes \(plan.steps.count) of \(inferenceSteps); runs must "
          + "be complete"
      )
    }
    guard plan.learnsVariance == hasVariance else {
      throw .tensor(
        "model_outputs",
        reason: hasVariance
          ? "has twice the channels of the samples, and the configuration learns no variance"
          : "has the channels of the samples; it must have twice as many, as the variance is learned")
    }
    if case .dynamic = plan.clipping, sampleSize > Judge.largestPart {
      throw .tensor(
        "samples",
        reason: "has \(sampleSize) scalars in each sample; with thresholding at most \(Judge.largestPart) are judged"
      )
    }
    var judge = Judge(trace, plan: plan, tolerance: tolerance)
    var judgement = judge.judgement(fidelity: fidelity)
    // The file does not say which processor it comes from. A run is all of one, and right if it is
    // right on one.
    if !judgement.agrees, let other = judgeElsewhere(fidelity: fidelity, tolerance: tolerance) {
      let found = other.judgement(fidelity: fidelity)
      if found.divergences < judgement.divergences { (judge, judgement) = (other, found) }
    }
    if !judgement.agrees { judgement.diagnosis = judge.diagnosis(of: judgement, fidelity: fidelity) }
    return judgement
  }

  /// The judge by the source's arithmetic on another make of processors, if the source's arithmetic
  /// is what counts and it has another.
  private func judgeElsewhere(fidelity: Fidelity, tolerance: Double) -> Judge? {
    var trace = self
    trace.torch = torch.elsewhere
    guard fidelity == .diffusers,
      let plan = try? source.plan(steps: inferenceSteps, fidelity: fidelity, in: trace.torch),
      plan.steps.count == steps
    else { return nil }
    return Judge(trace, plan: plan, tolerance: tolerance)
  }
}

/// The comparison of a trace with a plan.
struct Judge: Sendable {
  let trace: Trace
  let plan: SamplingPlan
  let tolerance: Double
  let parts: [Trace.Part]
  /// What the source's coefficients leave uncertain of each step's result, where they have lost
  /// digits; else nothing.
  private let uncertainties: [Double]
  /// The largest finite magnitude in the recorded samples of each row.
  let magnitudes: [Double]

  /// Thresholding looks at a whole sample at a time; the rest goes in parts that a processor's
  /// cache holds.
  static let largestPart = 1 << 24
  private static let usualPart = 1 << 14

  init(_ trace: Trace, plan: SamplingPlan, tolerance: Double) {
    self.trace = trace
    self.plan = plan
    self.tolerance = tolerance
    var limit = Self.usualPart
    if case .dynamic = plan.clipping { limit = trace.sampleSize }
    let parts = trace.parts(limit: limit)
    self.parts = parts
    uncertainties = Self.uncertainties(trace, plan: plan, parts: parts)
    self.magnitudes = (0...trace.steps).map { row in
      parts.reduce(0) { largest, part in
        trace.scalars(.samples, row: row, part).reduce(largest) { $1.isFinite ? max($0, abs($1)) : $0 }
      }
    }
  }

  private static func uncertainties(_ trace: Trace, plan: SamplingPlan, parts: [Trace.Part]) -> [Double] {
    let roundings = trace.source.roundings(steps: trace.inferenceSteps)
    guard roundings.count == plan.steps.count else { return [] }
    return roundings.enumerated().map { step, roundings in
      roundings.reduce(0) { sum, rounding in
        guard let plan = plan.edited({ i, other in i == step ? other.with(next: rounding.form) : nil }) else {
          return sum
        }
        let recomputation = Recomputation(trace: trace, plan: plan)
        let largest = parts.reduce(0) { largest, part in
          recomputation.result(of: step, part).reduce(largest) { $1.isFinite ? max($0, abs($1)) : $0 }
        }
        return sum + rounding.bound * largest
      }
    }
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
    abs(recorded - timestep) <= (trace.hasWholeTimesteps ? 0 : 2e-2)
  }

  private func allowed(_ step: Int, _ recomputation: Recomputation) -> Double {
    let before = magnitudes[step] * recomputation.scale(row: step)
    let after = magnitudes[step + 1] * recomputation.scale(row: step + 1)
    let uncertainty = uncertainties.isEmpty ? 0 : uncertainties[step]
    return max(tolerance * max(1, before, after), rounding(step, of: before)) + uncertainty
  }

  /// What float32 loses in a step that multiplies its sample by more than 1 and takes most of that
  /// away again, as steps in epsilon do from where there is hardly any signal, or divides it by a
  /// small sigma for a long step.
  ///
  /// In units of 2⁻²⁴ of the product, these are the roundings of the estimate, of two products and
  /// of their difference, one each, and of the factor e^h: h is the difference of two lambdas and
  /// each of them that of two logarithms, of which torch's are up to two units off. On the
  /// variance-preserving path the two logarithms are together at most |λ| + ln 2.
  private func rounding(_ step: Int, of sample: Double) -> Double {
    let (made, next) = (plan.steps[step], plan.steps[step].next)
    let lambdas = [made.query.level.lambda, made.arrival.lambda].filter(\.isFinite)
    let logarithms =
      lambdas.reduce(0) { $0 + 3 * abs($1) + 2 * Math.log(2) } + (lambdas.count == 2 ? abs(lambdas[1] - lambdas[0]) : 0)
    var factor = abs((next.estimates.first ?? 0) * made.keeping.sample)
    for ago in next.samples.indices where made.keeping.sample != 0 {
      let signal = plan.steps[step - ago].query.level.signal
      if signal > 0 { factor = max(factor, made.arrival.signal / signal) }
    }
    return 0x1p-24 * (4 + logarithms) * factor * sample
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
    let isSample = isBroken(.samples, row: step) || isBroken(.samples, row: step + 1)
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
