import Schedulers

// x̂0 read with a wrong factor, in the estimates before too: what a step takes of those is then no
// combination of the plan's.

extension Suspicions {
  func misread() -> [Hypothesis] {
    guard plan.steps.contains(where: { $0.next.estimates.count > 1 }) else { return [] }
    let ways: [(String, (NoiseLevel, Double) -> Double)] = [
      ("has the opposite sign", { -$1 }), ("is missing", { _, _ in 0 }), ("is 1", { _, _ in 1 }),
      ("is squared", { abs($1) * $1 }), ("is the root of its own", { $1 / abs($1).squareRoot() }),
      ("is multiplied by the signal", { $0.signal * $1 }), ("is divided by the signal", { $1 / $0.signal }),
      ("is multiplied by the noise level", { $0.noise * $1 }), ("is divided by the noise level", { $1 / $0.noise }),
      ("is multiplied by sigma", { $0.sigma * $1 }), ("is divided by sigma", { $1 / $0.sigma }),
    ]
    let parts: [(String, Bool, Bool)] = [
      ("the coefficient of \(StepForms.ownSample)", true, false),
      ("the coefficient of \(StepForms.ownOutput)", false, true),
      ("each coefficient in x0", true, true),
    ]
    return ways.flatMap { words, change in
      parts.flatMap { subject, changesSample, changesOutput in
        suspicion(
          .coefficient, "\(subject) \(words)",
          plan.edited { _, step in
            let (read, level) = (step.denoising, step.query.level)
            guard level.signal > 0, level.noise > 0 else { return nil }
            return step.with(
              denoising: SamplingPlan.Readout(
                sample: changesSample ? change(level, read.sample) : read.sample,
                output: changesOutput ? change(level, read.output) : read.output))
          })
      }
    }
  }
}
