import Schedulers
import SchedulersInterop

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
      + orders() + options() + times() + levels() + corrector() + otherExponential()
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
