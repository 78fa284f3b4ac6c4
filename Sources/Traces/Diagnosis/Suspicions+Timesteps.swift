import Schedulers

// Mistakes about which timestep comes next, and which is which.

extension Suspicions {
  func arrivals() -> [Hypothesis] {
    let last = plan.steps.count - 1
    let indices = process.indices
    func previous(_ text: String, _ mistake: Mistake = .previousTimestep, _ arrival: @escaping (Int, Int) -> Int?)
      -> [Hypothesis]
    {
      suspicion(
        mistake, text,
        plan.edited { i, step in
          guard let t = indices[i], let other = arrival(i, t) else { return nil }
          return going(step, to: other < 0 ? .clean : process.level(other))
        })
    }
    func following(_ i: Int) -> Int? { i < last ? indices[i + 1] : nil }
    let final =
      suspicion(
        .finalAlpha, "the last step ends at the level of timestep 0, not at clean data",
        plan.edited { i, step in i == last ? going(step, to: process.level(0)) : nil })
      + suspicion(
        .finalAlpha, "the last step ends at clean data, not at the level of timestep 0",
        plan.edited { i, step in i == last ? going(step, to: cleanArrival(step)) : nil })
    return final
      + previous("the previous timestep is t - T/N") { $1 - process.stride }
      + previous("the previous timestep is the next of the run, not t - T/N") { i, _ in i < last ? following(i) : -1 }
      + previous("the previous timestep is one too high") { i, _ in following(i).map { $0 + 1 } }
      + previous("the previous timestep is one too low") { i, _ in following(i).map { $0 - 1 } }
      + previous(
        "the tables are those of the process before respacing: the previous timestep is t - 1", .betasNotRespaced
      ) {
        $1 - 1
      }
      + unrespacedBetas()
  }

  private func cleanArrival(_ step: SamplingPlan.Step) -> NoiseLevel? { step.arrival.noise > 0 ? .clean : nil }

  /// The step to another level by the same rule.
  private func going(_ step: SamplingPlan.Step, to level: NoiseLevel?) -> SamplingPlan.Step? {
    // A step of a higher order than the rule's is left alone, and so is one that goes there anyway.
    guard step.next.estimates.count <= 1, let level, abs(level.sigma - step.arrival.sigma) > 1e-6 * level.sigma,
      level.sigma < step.query.level.sigma, let other = made(from: step.query, to: level)
    else { return nil }
    // What the network says of the data does not depend on where the step leads.
    return other.with(denoising: step.denoising)
  }

  /// A step between two points by the sampler's rule.
  private func made(from: SamplingGrid.Point, to level: NoiseLevel) -> SamplingPlan.Step? {
    guard let rule = process.rule, let prediction = process.prediction, from.level.sigma > level.sigma,
      let grid = try? SamplingGrid(points: [from, SamplingGrid.Point(timestep: -1, level: level)])
    else { return nil }
    return try? rule.plan(
      over: grid, predicting: prediction, clipping: plan.clipping, learnsVariance: plan.learnsVariance
    ).steps[0]
  }

  /// A step under its own timestep by the sampler's rule between two other levels.
  func remade(_ step: SamplingPlan.Step, from: NoiseLevel, to: NoiseLevel) -> SamplingPlan.Step? {
    let scale = step.query.inputScale == 1 ? 1 : NoiseLevel.variancePreserving(sigma: from.sigma).signal
    let query = SamplingGrid.Point(timestep: step.query.timestep, level: from, inputScale: scale)
    guard let made = made(from: query, to: to) else { return nil }
    return SamplingPlan.Step(
      query: step.query, arrival: made.arrival, denoising: made.denoising, keeping: made.keeping, next: made.next,
      variance: made.variance)
  }

  /// DDPM with β_t of the whole process between levels that are further apart.
  private func unrespacedBetas() -> [Hypothesis] {
    guard let rule = process.rule as? DDPM else { return [] }
    return suspicion(
      .betasNotRespaced, "the betas are those of the process before respacing",
      plan.edited { i, step in
        guard let beta = process.indices[i].flatMap(process.beta), step.arrival.signal > 0 else { return nil }
        let (from, to) = (step.query.level, step.arrival)
        let variance = from.noise * from.noise
        let kept = to.noise * to.noise
        let mean =
          to.signal * beta / variance * LinearForm.estimate() + (1 - beta).squareRoot() * kept / variance
          * LinearForm.sample
        let small = (beta * kept / variance).squareRoot()
        let deviation = rule.variance == .fixedLarge ? beta.squareRoot() : small
        guard step.next.noise != 0 else { return step.with(next: mean) }
        guard plan.learnsVariance else { return step.with(next: mean + deviation * .noise) }
        let (low, high) = (Math.log(small * small), Math.log(beta))
        return step.with(
          next: mean + 1 * .noise, variance: .learned(LogVariance(offset: (low + high) / 2, slope: (high - low) / 2)))
      })
  }

  func shifts() -> [Hypothesis] {
    [1, -1].flatMap { shift in
      suspicion(
        .shiftedTimesteps,
        "the levels are those of one timestep \(shift > 0 ? "later" : "earlier"), \(shift > 0 ? "t + 1" : "t - 1")",
        plan.edited { i, step in
          guard let t = process.indices[i], let from = process.level(t + shift) else { return nil }
          let next = i + 1 < plan.steps.count ? process.indices[i + 1] : nil
          let to = next.map { process.level($0 + shift) } ?? step.arrival
          guard let to else { return nil }
          return remade(step, from: from, to: to)
        })
    }
  }

  /// Right steps, recorded under wrong timesteps.
  func reported() -> [Hypothesis] {
    let count = Double(timesteps.count)
    func reported(_ mistake: Mistake, _ text: String, _ other: [Double]) -> [Hypothesis] {
      other == timesteps ? [] : [Hypothesis(mistake: mistake, text: text, plan: { plan }, timesteps: other)]
    }
    let total = Double(process.stride * timesteps.count)
    // What comes after the last is not the plan's to say, which may be a part.
    let after = Array(timesteps.dropFirst() + trace.timesteps.suffix(1))
    return reported(.shiftedTimesteps, "the timesteps are one too high, as if counted from 1", timesteps.map { $0 + 1 })
      + reported(.shiftedTimesteps, "the timesteps are one too low", timesteps.map { $0 - 1 })
      + reported(.reportedTimesteps, "the timesteps are in the opposite order", timesteps.reversed())
      + reported(
        .reportedTimesteps, "the steps' numbers are recorded, not the timesteps", timesteps.indices.map { Double($0) })
      + reported(
        .reportedTimesteps, "the steps' numbers are recorded, not the timesteps",
        timesteps.indices.map { count - 1 - Double($0) })
      + reported(
        .reportedTimesteps, "the timesteps are fractions of the process",
        total > 0 ? timesteps.map { $0 / total } : timesteps)
      + reported(.reportedTimesteps, "the timesteps are rounded", timesteps.map { $0.rounded() })
      + reported(.reportedTimesteps, "the timesteps are late by one step", [timesteps[0]] + timesteps.dropLast())
      + reported(
        .reportedTimesteps, "the timesteps are early by one step, of which the run begins with the one before", after)
      + suspicion(
        .reportedTimesteps, "each step is told the timestep of the one after, and goes on from there", timesteps: after,
        plan.edited { i, step in
          step.next.estimates.count <= 1 && i + 1 < plan.steps.count ? plan.steps[i + 1] : step
        })
  }
}
