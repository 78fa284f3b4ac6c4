import Schedulers

// Mistakes in the algebra of a step.

extension Suspicions {
  func predictions() -> [Hypothesis] {
    [Prediction.epsilon, .v, .x0, .flow].filter { $0 != process.prediction }.flatMap { other in
      suspicion(
        .prediction, "the model's output is read as \(other), not as \(process.prediction?.rawValue ?? "what it is")",
        plan.edited { _, step in other.denoising(at: step.query, next: nil).map { step.with(denoising: $0) } })
    }
  }

  func clippings() -> [Hypothesis] {
    suspicion(.clipping, "the predicted x0 is not clipped", plan.edited(clipping: Clipping.none))
      + suspicion(.clipping, "the predicted x0 is clipped to -1 ... 1", plan.edited(clipping: .range(-1...1)))
      + suspicion(.clipping, "the predicted x0 is clipped to 0 ... 1", plan.edited(clipping: .range(0...1)))
      + suspicion(.clipping, "the predicted x0 is thresholded dynamically", plan.edited(clipping: .dynamic()))
  }

  func noisyEnd() -> [Hypothesis] {
    let last = plan.steps.count - 1
    guard plan.steps[last].next.noise == 0 else { return [] }
    let level = plan.steps[last].query.level
    let ownBeta = process.indices[last].flatMap(process.beta)?.squareRoot()
    let text = "noise is added at the last step"
    var suspicions = [level.noise, ownBeta, plan.steps[last].arrival.noise].compactMap(\.self).flatMap { factor in
      suspicion(.noiseAtLastStep, text, plan.edited { i, step in i == last ? step.with(noise: factor) : nil })
    }
    if plan.steps[last].arrival.noise == 0 {
      suspicions += suspicion(
        .noiseAtLastStep, "noise is added at the last step, up to its own level",
        plan.edited { i, step in
          i == last
            ? step.with(next: level.signal * step.next + level.noise * .noise, variance: .fixed(logarithm: 0)) : nil
        })
    }
    if let variance = plan.steps[last].variance {
      let factor = if case .fixed(let logarithm) = variance { Math.exp(logarithm / 2) } else { 1.0 }
      suspicions += suspicion(
        .noiseAtLastStep, text,
        plan.edited { i, step in i == last ? step.with(noise: factor, variance: variance) : nil })
    }
    return suspicions
  }

  func variances() -> [Hypothesis] {
    guard plan.steps.contains(where: { $0.next.noise != 0 }), process.rule is DDPM else { return [] }
    func kind(_ text: String, _ edit: @escaping (SamplingPlan.Step, Posterior) -> SamplingPlan.Step) -> [Hypothesis] {
      suspicion(
        .variance, text,
        plan.edited { _, step in
          guard step.next.noise != 0, step.arrival.signal > 0, step.arrival.noise > 0 else { return nil }
          guard step.query.level.sigma > step.arrival.sigma else { return nil }
          return edit(step, Posterior(from: step.query.level, to: step.arrival))
        })
    }
    func range(_ posterior: Posterior) -> (small: Double, large: Double) {
      (Math.log(posterior.variance), Math.log(posterior.forwardVariance))
    }
    let fixed =
      kind("the variance is fixed small, that of the posterior") { $0.with(noise: $1.variance.squareRoot()) }
      + kind("the variance is fixed large, that of the forward step") {
        $0.with(noise: $1.forwardVariance.squareRoot())
      }
      + kind("the noise is multiplied by the small variance, not by its root") { $0.with(noise: $1.variance) }
      + kind("the noise is multiplied by the large variance, not by its root") { $0.with(noise: $1.forwardVariance) }
    guard plan.learnsVariance else { return fixed }
    return fixed
      + kind("the model's variance is taken for its logarithm") { step, _ in
        step.with(noise: 1, variance: .learned(LogVariance(offset: 0, slope: 1)))
      }
      + kind("the model's variance is read as a fraction in 0 ... 1, not in -1 ... 1") { step, posterior in
        let (small, large) = range(posterior)
        return step.with(noise: 1, variance: .learned(LogVariance(offset: small, slope: large - small)))
      }
      + kind("the bounds of the learned variance are swapped") { step, posterior in
        let (small, large) = range(posterior)
        return step.with(
          noise: 1, variance: .learned(LogVariance(offset: (small + large) / 2, slope: (small - large) / 2)))
      }
      + kind("the learned log variance is taken for that of the deviation") { step, _ in
        guard case .learned(let variance) = step.variance else { return step }
        return step.with(
          noise: 1, variance: .learned(LogVariance(offset: 2 * variance.offset, slope: 2 * variance.slope)))
      }
  }

  func orders() -> [Hypothesis] {
    guard case .diffusers(let configuration, _) = trace.source, configuration.schedulerClass.asksTwice else {
      return []
    }
    return suspicion(
      .solverOrder, "Heun's correction is missing, which leaves Euler's method",
      plan.edited { _, step in step.next.estimates.count > 1 ? step.with(next: .sample) : nil })
  }
}
