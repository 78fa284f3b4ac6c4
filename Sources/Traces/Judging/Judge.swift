import Schedulers
import SchedulersInterop

extension Trace {
  /// The tolerance that holds unless another is asked for: above every deviation that float32
  /// recordings of right runs have shown. In half precision what its roundings explain is allowed
  /// too.
  public static let defaultTolerance = 2e-4

  /// Makes every step again and compares.
  ///
  /// - Parameters:
  ///   - fidelity: `.diffusers` judges by what the source does, `.corrected` by the mathematics.
  ///   - tolerance: a step is right if no scalar is further off than tolerance·max(1, the largest
  ///     scalar before and after it); `defaultTolerance` if it is nil.
  /// - Returns: every step, and a diagnosis if one of the known mistakes explains the first that is
  ///   wrong.
  /// - Throws: `TraceError` if the configuration has no such run.
  public func judged(fidelity: Fidelity = .diffusers, tolerance: Double? = nil) throws(TraceError) -> Judgement {
    // Asked first: a run of a million steps would take long to plan.
    guard inferenceSteps <= max(steps, Self.longestPart) else {
      throw .configuration(
        "num_inference_steps is \(inferenceSteps), and only \(steps) steps are recorded; of runs of more than "
          + "\(Self.longestPart) steps every step must be")
    }
    var trace = self
    let whole: SamplingPlan
    do { whole = try source.plan(steps: inferenceSteps, fidelity: fidelity, in: torch) } catch {
      // What is 0 or NaN on one make of processors may be a number on another.
      trace.torch = torch.elsewhere
      guard fidelity == .diffusers,
        let other = try? source.plan(steps: inferenceSteps, fidelity: fidelity, in: trace.torch)
      else { throw error }
      whole = other
    }
    let plan = recorded(of: whole)
    guard plan.steps.count == steps else {
      throw .configuration(
        "\(steps) steps are recorded, where \(source.name) makes \(plan.steps.count) of \(inferenceSteps)")
    }
    guard plan.learnsVariance == hasVariance else {
      throw .tensor(
        "model_outputs",
        reason: hasVariance
          ? "has twice the channels of the samples, and the configuration learns no variance"
          : "has the channels of the samples; it must have twice as many, as the variance is learned")
    }
    guard hasNoises || !plan.isStochastic else {
      throw .tensor("noises", reason: "is missing, and the steps draw noise")
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
    if !judgement.agrees, let ended = endingAtZero(fidelity: fidelity, tolerance: tolerance) { return ended }
    judgement.remarks = judge.remarks(of: whole.steps.count)
    if !judgement.agrees {
      judgement.diagnosis = judge.diagnosis(of: judgement, fidelity: fidelity)
      judgement.coefficients = judge.coefficients(of: judgement)
    }
    return judgement
  }

  /// The judge by the source's arithmetic on another make of processors, if the source's arithmetic
  /// is what counts and it has another.
  private func judgeElsewhere(fidelity: Fidelity, tolerance: Double?) -> Judge? {
    var trace = self
    trace.torch = torch.elsewhere
    guard fidelity == .diffusers, let plan = try? plan(of: source, fidelity: fidelity, in: trace.torch),
      plan.steps.count == steps
    else { return nil }
    return Judge(trace, plan: plan, tolerance: tolerance)
  }

  /// The judgement of a run of rectified flow at equal times down to 0 before the shift, if it was
  /// one: Z-Image's pipeline sets the scheduler's `sigma_min` to 0, which no file says.
  private func endingAtZero(fidelity: Fidelity, tolerance: Double?) -> Judgement? {
    guard timesteps.last == 0, case .diffusers(let configuration, var arguments) = source,
      configuration["shift"] != nil, !arguments.hasGivenTimes, inferenceSteps > 1
    else { return nil }
    arguments.sigmas = (0..<inferenceSteps).map { 1 - Double($0) / Double(inferenceSteps - 1) }
    let told = TraceSource.diffusers(configuration, arguments)
    guard let plan = try? plan(of: told, fidelity: fidelity, in: torch), plan.steps.count == steps else { return nil }
    let judge = Judge(self, plan: plan, tolerance: tolerance)
    var judgement = judge.judgement(fidelity: fidelity)
    guard judgement.agrees else { return nil }
    judgement.remarks = judge.remarks(of: steps) + ["the times end in 0, as if sigma_min were 0; the last step stays"]
    return judgement
  }

  /// How many steps a run may have that is recorded in part.
  private static let longestPart = 10_000

  /// The plan of a run as far as it is recorded: it may have been stopped before its end.
  func plan(of source: TraceSource, fidelity: Fidelity, in torch: TorchArithmetic) throws(TraceError) -> SamplingPlan {
    recorded(of: try source.plan(steps: inferenceSteps, fidelity: fidelity, in: torch))
  }

  private func recorded(of plan: SamplingPlan) -> SamplingPlan {
    guard plan.steps.count > steps else { return plan }
    // The steps of a plan are one.
    return try! SamplingPlan(
      steps: Array(plan.steps.prefix(steps)), start: plan.start, clipping: plan.clipping,
      learnsVariance: plan.learnsVariance)
  }
}

/// The comparison of a trace with a plan.
struct Judge: Sendable {
  let trace: Trace
  let plan: SamplingPlan
  let tolerance: Double
  /// Whether the roundings of half precision are allowed.
  private let allowsHalf: Bool
  let parts: [Trace.Part]
  /// What the source's coefficients leave uncertain of each step's result, where they have lost
  /// digits; else nothing.
  private let uncertainties: [Double]
  /// The largest finite magnitude in the recorded samples of each row.
  let magnitudes: [Double]
  /// The same of the outputs and of the noise, in half precision.
  private let outputMagnitudes: [Double]
  private let noiseMagnitudes: [Double]

  /// Thresholding looks at a whole sample at a time; the rest goes in parts that a processor's
  /// cache holds.
  static let largestPart = 1 << 24
  private static let usualPart = 1 << 14

  init(_ trace: Trace, plan: SamplingPlan, tolerance: Double?) {
    self.trace = trace
    self.plan = plan
    self.tolerance = tolerance ?? Trace.defaultTolerance
    allowsHalf = tolerance == nil && trace.precision.isHalf
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

  private static func uncertainties(_ trace: Trace, plan: SamplingPlan, parts: [Trace.Part]) -> [Double] {
    let roundings = trace.source.roundings(steps: trace.inferenceSteps)
    guard roundings.count >= plan.steps.count else { return [] }
    return roundings.prefix(plan.steps.count).enumerated().map { step, roundings in
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

  func allowed(_ step: Int, _ recomputation: Recomputation) -> Double {
    let before = magnitudes[step] * recomputation.scale(row: step)
    let after = magnitudes[step + 1] * recomputation.scale(row: step + 1)
    let uncertainty = (uncertainties.isEmpty ? 0 : uncertainties[step]) + (allowsHalf ? halfRounding(step) : 0)
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

  /// What half precision loses in a step, whose every operation is rounded to it.
  ///
  /// A term of the step's sum is a coefficient, which may be rounded itself, times a tensor, and is
  /// then part of a sum: three roundings of the term's size. An estimate is such a sum of two
  /// products. Samplers that go on from x̂0 and epsilon separately give x̂0's roundings the weight of
  /// the next level's signal and epsilon's that of its noise, however little of either is left in
  /// the sum.
  private func halfRounding(_ step: Int) -> Double {
    let (made, next) = (plan.steps[step], plan.steps[step].next)
    func x0(_ ago: Int) -> Double {
      let readout = plan.steps[step - ago].denoising
      return abs(readout.sample) * magnitudes[step - ago] + abs(readout.output) * outputMagnitudes[step - ago]
    }
    func estimate(_ ago: Int) -> Double {
      let keeping = plan.steps[step - ago].keeping
      return abs(keeping.sample) * magnitudes[step - ago] + abs(keeping.output) * x0(ago)
    }
    let (from, to) = (made.query.level, made.arrival)
    let epsilon = from.noise > 0 ? (magnitudes[step] + from.signal * x0(0)) / from.noise : 0
    var terms = abs(next.predicted) * x0(0) + abs(next.output) * outputMagnitudes[step]
    terms += abs(next.noise) * noiseMagnitudes[step] + abs(next.made) * magnitudes[step]
    for (ago, factor) in next.samples.enumerated() { terms += abs(factor) * magnitudes[step - ago] }
    for (ago, factor) in next.estimates.enumerated() { terms += abs(factor) * estimate(ago) }
    let parts = to.signal * x0(0) + min(to.noise, from.noise) * epsilon
    return trace.precision.unit * (3 * max(terms, parts) + magnitudes[step + 1])
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
