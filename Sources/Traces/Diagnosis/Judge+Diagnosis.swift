import Schedulers
import SchedulersInterop

extension Judge {
  /// The mistake that explains most of what diverges, the first step that does among it.
  func diagnosis(of judgement: Judgement, fidelity: Fidelity) -> Diagnosis? {
    guard let first = judgement.first else { return nil }
    let wrong = judgement.steps.filter { !$0.agrees }.map(\.step)
    guard first.notFinite == nil else { return infiniteEnd(judgement, wrong) }
    let suspicions = Suspicions(trace: trace, plan: plan, fidelity: fidelity)
    var best: Explanation?
    for hypothesis in suspicions.hypotheses() {
      best = better(best, hypothesis, judgement, wrong)
      if let best, best.isExact, best.explained + best.others == plan.steps.count {
        return best.diagnosis(of: wrong.count)
      }
    }
    if let best, best.isExact, best.explained == wrong.count { return best.diagnosis(of: wrong.count) }
    // Here the recorded timesteps have to be right.
    let hasOwnTimes = !judgement.steps.contains(where: \.hasOtherTimestep)
    // What is no number says nothing of its coefficients.
    let told = wrong.filter { judgement.steps[$0].notFinite == nil }
    func found(_ mistake: Mistake, _ text: String) -> Diagnosis {
      Diagnosis(mistake: mistake.rawValue, text: text, explained: told.count, divergences: wrong.count)
    }
    let own = Recomputation(trace: trace, plan: plan)
    let mistake =
      hasOwnTimes
      ? CoefficientMistake(
        Recovery(trace: trace, plan: plan), wrong: told, allowed: { allowed($0, own) }, isHalf: allowsHalf) : nil
    // A combination that is free comes closer by itself.
    if let mistake,
      told.count > best?.explained ?? 0 || (mistake.isCause && mistake.misfit < closer * closer * best!.misfit)
    {
      return found(.coefficient, mistake.text)
    }
    for hypothesis in suspicions.elements(at: first.step, judge: self) {
      best = better(best, hypothesis, judgement, wrong)
    }
    if let best, best.explained == wrong.count { return best.diagnosis(of: wrong.count) }
    if hasOwnTimes, told.count == wrong.count, let precision = Leftovers(self).precision {
      return found(
        .precision, "the differences are those of \(precision.rawValue)'s roundings: some numbers went through it")
    }
    if hasOwnTimes, Leftovers(self).areEdits(wrong) {
      return found(
        .edited,
        "the same elements agree in every step and others do not: the samples were edited between steps, as "
          + "inpainting does; record what each step made as made")
    }
    return best?.diagnosis(of: wrong.count)
  }

  /// How much closer a mistake must come to be told from one that explains as much. Roundings of
  /// half precision are near to what they are allowed; those of float32 are not.
  private var closer: Double { allowsHalf ? 0.6 : 0.1 }

  /// What a hypothesis explains.
  private struct Explanation {
    let hypothesis: Hypothesis
    let explained: Int
    /// How many of the steps that are right it agrees with.
    let others: Int
    /// The largest difference that it leaves in any of these, in units of what is allowed.
    let misfit: Double
    /// Whether it leaves so little that nothing could be nearer.
    var isExact: Bool { misfit < 0.05 }

    func diagnosis(of divergences: Int) -> Diagnosis {
      Diagnosis(
        mistake: hypothesis.mistake.rawValue, text: hypothesis.text, explained: explained, divergences: divergences)
    }
  }

  /// The better of what is known and another hypothesis.
  private func better(_ best: Explanation?, _ hypothesis: Hypothesis, _ judgement: Judgement, _ wrong: [Int])
    -> Explanation?
  {
    // One with another number of steps, or with a variance that the outputs do not have, cannot
    // have been recorded.
    guard let other = hypothesis.plan(), other.steps.count == plan.steps.count,
      other.learnsVariance == trace.hasVariance
    else { return best }
    let recomputation = Recomputation(trace: trace, plan: other, reading: hypothesis.reading)
    func isInfinite(_ step: Int) -> Bool {
      hypothesis.isInfiniteAtEnd && step == plan.steps.count - 1 && endsInNothing
    }
    func holds(_ step: Int) -> Bool {
      let timestep = hypothesis.timesteps?[step] ?? other.steps[step].query.timestep
      guard agrees(trace.timesteps[step], with: timestep) else { return false }
      guard !isInfinite(step) else { return true }
      guard agrees(at: step, recomputation) else { return false }
      // A mistake by which roundings grow is allowed much. It has to come nearer all the same.
      let own = judgement.steps[step]
      return own.difference <= own.allowed || difference(at: step, recomputation).value <= 0.5 * own.difference
    }
    guard holds(wrong[0]) else { return best }
    let held = plan.steps.indices.filter(holds)
    let explained = held.count { wrong.contains($0) }
    let misfit = held.filter { !isInfinite($0) }.reduce(0) {
      max($0, difference(at: $1, recomputation).value / judgement.steps[$1].allowed)
    }
    let found = Explanation(
      hypothesis: hypothesis, explained: explained, others: held.count - explained, misfit: misfit)
    guard let best, found.explained <= best.explained else { return found }
    guard found.explained == best.explained else { return best }
    // Of two that explain as much, the one that comes much closer is what was done, or else the one
    // that agrees with more of the steps that are right.
    if found.misfit < closer * best.misfit, !best.isExact { return found }
    return found.others > best.others && best.misfit >= closer * found.misfit ? found : best
  }

  /// A step to clean data that is not a number in any element: λ is infinite there, and only steps
  /// of the first order bear that.
  private func infiniteEnd(_ judgement: Judgement, _ wrong: [Int]) -> Diagnosis? {
    let last = plan.steps.count - 1
    let (step, before) = (plan.steps[last], plan.steps.dropLast())
    guard wrong == [last], step.arrival.noise == 0, !reads(last),
      before.contains(where: { $0.next.estimates.count > max(step.next.estimates.count, 1) })
    else { return nil }
    guard endsInNothing else { return nil }
    return Diagnosis(
      mistake: Mistake.solverOrder.rawValue,
      text: "the step to clean data is no number, as lambda is infinite there: the order is not lowered to 1",
      explained: 1,
      divergences: 1)
  }

  /// Whether the last step made no number.
  private var endsInNothing: Bool {
    let after = trace.recorded(after: plan.steps.count - 1)
    return parts.allSatisfy { trace.scalars(after.role, row: after.row, $0).allSatisfy { !$0.isFinite } }
  }

  /// Whether a step reads something that is not finite.
  private func reads(_ step: Int) -> Bool {
    [Trace.Role.samples, .outputs, .noises].contains { role in
      parts.contains { trace.scalars(role, row: step, $0).contains { !$0.isFinite } }
    }
  }
}
