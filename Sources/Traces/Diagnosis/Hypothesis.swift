import Schedulers
import SchedulersInterop

/// A mistake that somebody may have made, as the numbers that it would have given.
struct Hypothesis {
  /// The kind, as Docs/Verify.md lists them.
  let mistake: Mistake
  /// What was done instead of what, in words.
  let text: String
  /// Makes the plan that was followed; nil where there is none, or where it is the right one. Made
  /// when it is asked for, as plans take time and the hypotheses before may explain everything.
  let plan: () -> SamplingPlan?
  /// The timesteps that were recorded; the plan's own if nil.
  var timesteps: [Double]?
  /// How the tensors were recorded.
  var reading = Reading()
}

/// The kinds of mistakes that the diagnosis knows. Where two explain a recording as well, the
/// earlier is named.
public enum Mistake: String, Hashable, Codable, CaseIterable, Sendable {
  case prediction
  case outputSign = "output-sign"
  case clipping
  case noiseMissing = "noise-missing"
  case noiseTwice = "noise-twice"
  case noiseOfAnotherStep = "noise-of-another-step"
  case noiseAtLastStep = "noise-at-last-step"
  case variance
  case channelsSwapped = "channels-swapped"
  case finalAlpha = "final-alpha"
  case previousTimestep = "previous-timestep"
  case betasNotRespaced = "betas-not-respaced"
  case eta
  case epsilonFromClipped = "epsilon-from-clipped"
  case spacing
  case shiftedTimesteps = "shifted-timesteps"
  case reportedTimesteps = "reported-timesteps"
  case solverOrder = "solver-order"
  case slopeRule = "solver-type"
  case sampler
  case schedule
  case outputOfAnotherStep = "output-of-another-step"
  case scaledInput = "scaled-input"
  case axes
  case lateStart = "late-start"
  case shift
  case pipelineTimes = "pipeline-times"
  case precision
  case fidelity
  case coefficient
  case givenTimes = "given-times"
  case edited
}

extension Judge {
  /// The hypothesis that explains most of what diverges, the first step that does among it.
  func diagnosis(of judgement: Judgement, fidelity: Fidelity) -> Diagnosis? {
    guard let first = judgement.first, first.notFinite == nil else { return nil }
    let wrong = Set(judgement.steps.filter { !$0.agrees }.map(\.step))
    var best: (hypothesis: Hypothesis, explained: Int, others: Int)?
    for hypothesis in Suspicions(trace: trace, plan: plan, fidelity: fidelity).hypotheses() {
      // One with another number of steps, or with a variance that the outputs do not have, cannot
      // have been recorded.
      guard let other = hypothesis.plan(), other.steps.count == plan.steps.count,
        other.learnsVariance == trace.hasVariance
      else { continue }
      let recomputation = Recomputation(trace: trace, plan: other, reading: hypothesis.reading)
      func holds(_ step: Int) -> Bool {
        let timestep = hypothesis.timesteps?[step] ?? other.steps[step].query.timestep
        return agrees(trace.timesteps[step], with: timestep) && agrees(at: step, recomputation)
      }
      guard holds(first.step) else { continue }
      let held = plan.steps.indices.filter(holds)
      let explained = held.count { wrong.contains($0) }
      // Of two that explain as much, the one that agrees with more of the steps that are right is
      // nearer to what was done.
      if best == nil || (explained, held.count - explained) > (best!.explained, best!.others) {
        best = (hypothesis, explained, held.count - explained)
      }
      if held.count == plan.steps.count { break }
    }
    if best.map({ $0.explained < wrong.count }) ?? true, let found = unlisted(wrong: wrong.sorted(), judgement) {
      return found
    }
    return best.map {
      Diagnosis(
        mistake: $0.hypothesis.mistake.rawValue, text: $0.hypothesis.text, explained: $0.explained,
        divergences: wrong.count)
    }
  }

  /// What explains every diverging step without a plan of its own: the roundings of half precision,
  /// one coefficient, or samples that were changed between steps.
  private func unlisted(wrong: [Int], _ judgement: Judgement) -> Diagnosis? {
    // Here the recorded timesteps have to be right.
    guard !judgement.steps.contains(where: \.hasOtherTimestep) else { return nil }
    func found(_ mistake: Mistake, _ text: String) -> Diagnosis {
      Diagnosis(mistake: mistake.rawValue, text: text, explained: wrong.count, divergences: wrong.count)
    }
    if let mistake = CoefficientMistake(Recovery(trace: trace, plan: plan), wrong: wrong) {
      return found(.coefficient, mistake.text)
    }
    // Of another threshold small differences come too.
    let isPlain = if case .dynamic = plan.clipping { false } else { true }
    for precision in [Trace.Precision.float16, .bfloat16] where isPlain && !trace.precision.isHalf {
      let half = Judge(trace.computed(in: precision), plan: plan, tolerance: nil)
      if half.steps().allSatisfy(\.agrees), !isLinear(wrong) {
        return found(
          .precision, "the differences are those of \(precision.rawValue)'s roundings: some numbers went through it")
      }
    }
    if wrong.count > 2, isEdited(wrong) {
      return found(
        .edited,
        "the same elements agree in every step and others do not: the samples were edited between steps, as "
          + "inpainting does; record what each step made as made")
    }
    return nil
  }

  /// Whether most of these steps are combinations of what the plan's are, whatever the factors.
  private func isLinear(_ wrong: [Int]) -> Bool {
    let recovery = Recovery(trace: trace, plan: plan)
    let linear = wrong.count { step in
      recovery.solve(step: step).map { $0.residual <= 2e-5 * $0.size } ?? false
    }
    return 2 * linear > wrong.count
  }

  /// Whether some elements of the batch are right in all of these steps, and the others wrong in
  /// all.
  private func isEdited(_ wrong: [Int]) -> Bool {
    let recomputation = Recomputation(trace: trace, plan: plan)
    var agreeing: [Bool]?
    for step in wrong {
      let allowed = allowed(step, recomputation)
      let flags = parts.flatMap { part in
        zip(recomputation.result(of: step, part), recomputation.recorded(after: step, part)).map {
          abs($0 - $1) <= allowed
        }
      }
      // What is put back may be near to what was made, now and then.
      agreeing = agreeing.map { zip($0, flags).map { $0 && $1 } } ?? flags
    }
    guard let agreeing else { return false }
    let share = Double(agreeing.count(where: \.self)) / Double(agreeing.count)
    return share >= 0.1 && share <= 0.9
  }
}

/// What the mistakes are made of: the run that was asked for, from which each hypothesis differs in
/// one thing.
struct Suspicions: Sendable {
  let trace: Trace
  let plan: SamplingPlan
  let fidelity: Fidelity
  let process: Process

  init(trace: Trace, plan: SamplingPlan, fidelity: Fidelity) {
    self.trace = trace
    self.plan = plan
    self.fidelity = fidelity
    self.process = Process(trace.source, plan: plan, steps: trace.inferenceSteps, fidelity: fidelity)
  }

  var timesteps: [Double] { plan.steps.map(\.query.timestep) }

  /// All hypotheses, those about the mistakes that are named first before the others.
  func hypotheses() -> [Hypothesis] {
    let all =
      predictions() + clippings() + readings() + noisyEnd() + variances() + arrivals() + shifts() + reported()
      + orders() + options() + times()
    return Mistake.allCases.flatMap { mistake in all.filter { $0.mistake == mistake } }
  }

  /// A hypothesis about the plan.
  func suspicion(
    _ mistake: Mistake, _ text: String, timesteps: [Double]? = nil, _ plan: @autoclosure @escaping () -> SamplingPlan?
  ) -> [Hypothesis] {
    let right = self.plan
    return [
      Hypothesis(
        mistake: mistake, text: text, plan: { plan().flatMap { $0 == right ? nil : $0 } }, timesteps: timesteps)
    ]
  }

  /// A hypothesis about the recording.
  func suspicion(_ mistake: Mistake, _ text: String, reading: Reading) -> [Hypothesis] {
    [Hypothesis(mistake: mistake, text: text, plan: { plan }, reading: reading)]
  }
}
