import Schedulers
import SchedulersInterop

// Steps between levels that went through another type or another formula.

extension Suspicions {
  func levels() -> [Hypothesis] {
    let isExploding = plan.steps.contains { $0.query.inputScale != 1 }
    let isStraight = plan.steps.allSatisfy { abs($0.query.level.signal + $0.query.level.noise - 1) < 1e-6 }
    var found: [Hypothesis] = []
    for precision in [Trace.Precision.float16, .bfloat16] {
      let rounded = precision.rounded
      let name = precision.rawValue
      func preserving(_ level: NoiseLevel) -> NoiseLevel {
        NoiseLevel.variancePreserving(sigma: level.sigma)
      }
      if !isStraight {
        found += remade(.precision, "the table of cumulative alphas goes through \(name)") { level in
          let alpha = rounded(preserving(level).signal * preserving(level).signal)
          guard alpha > 0, alpha <= 1 else { return nil }
          let other = NoiseLevel(signal: alpha.squareRoot(), noise: (1 - alpha).squareRoot())
          return isExploding ? NoiseLevel(signal: 1, noise: other.sigma) : other
        }
      }
      if isExploding || isStraight {
        found += remade(.precision, "the sigmas go through \(name)") { level in
          let noise = rounded(level.noise)
          return isStraight ? NoiseLevel(signal: 1 - noise, noise: noise) : NoiseLevel(signal: 1, noise: noise)
        }
      }
    }
    if !isStraight {
      func alpha(_ text: String, _ power: Double) -> [Hypothesis] {
        remade(.schedule, text) { level in
          let signal = Math.pow(NoiseLevel.variancePreserving(sigma: level.sigma).signal, power)
          let other = NoiseLevel(signal: signal, noise: max(1 - signal * signal, 0).squareRoot())
          return isExploding ? NoiseLevel(signal: 1, noise: other.sigma) : other
        }
      }
      found += alpha("the cumulative alphas are the roots of their own", 0.5)
      found += alpha("the cumulative alphas are the squares of their own", 2)
    }
    guard isExploding else { return found }
    found += remade(.schedule, "sigma is squared: its root is not taken") {
      NoiseLevel(signal: 1, noise: $0.sigma * $0.sigma)
    }
    return found
      + remade(.schedule, "sigma is the noise level sqrt(1 - alpha), not over the signal") {
        NoiseLevel(signal: 1, noise: NoiseLevel.variancePreserving(sigma: $0.sigma).noise)
      }
  }

  /// The run between other levels, under its own timesteps.
  private func remade(
    _ mistake: Mistake, _ text: String, _ level: @escaping (NoiseLevel) -> NoiseLevel?
  ) -> [Hypothesis] {
    suspicion(
      mistake, text,
      plan.edited { _, step in
        guard step.next.estimates.count <= 1, let from = level(step.query.level),
          let to = step.arrival.noise > 0 ? level(step.arrival) : step.arrival
        else { return nil }
        // From data to data nothing moves.
        return from.noise == 0 ? step.with(next: .sample) : remade(step, from: from, to: to)
      })
  }

  /// UniPC's other B(h), where only the step to clean data has no numbers of it.
  func otherExponential() -> [Hypothesis] {
    guard case .diffusers(let configuration, let arguments) = trace.source, configuration["solver_type"] == "bh2",
      configuration["final_sigmas_type"] == "zero",
      let other = try? DiffusersConfiguration(
        configuration.className,
        configuration.values.merging(["solver_type": "bh1", "final_sigmas_type": "sigma_min"]) { $1 })
    else { return [] }
    return suspicion(
      .slopeRule, "solver_type is \"bh1\", not \"bh2\"",
      (try? trace.plan(of: .diffusers(other, arguments), fidelity: fidelity, in: trace.torch)).flatMap { changed in
        plan.edited { i, step in
          changed.steps.indices.contains(i) && changed.steps[i].arrival == step.arrival ? changed.steps[i] : nil
        }
      })
  }

  /// UniPC whose corrector gives the new output another weight.
  ///
  /// The corrected sample is the predicted one and a combination of differences from the estimate
  /// before. Without a corrector the plan says what of a step is that combination.
  func corrector() -> [Hypothesis] {
    guard case .diffusers(let configuration, let arguments) = trace.source,
      configuration["disable_corrector"] != nil,
      let other = try? DiffusersConfiguration(
        configuration.className,
        configuration.values.merging([
          "disable_corrector": .list((0..<plan.steps.count).map { .integer($0) })
        ]) { $1 })
    else { return [] }
    func weighed(_ factor: Double, _ text: String) -> [Hypothesis] {
      suspicion(
        .coefficient, text,
        (try? trace.plan(of: .diffusers(other, arguments), fidelity: fidelity, in: trace.torch)).flatMap { predicting in
          plan.edited { i, step in
            guard predicting.steps.count == plan.steps.count, step.next.estimates.count > 1 else { return nil }
            let weight = (step.next.estimates[0] - (predicting.steps[i].next.estimates.first ?? 0)) * (factor - 1)
            return step.with(next: step.next + weight * (LinearForm.estimate() - LinearForm.estimate(ago: 1)))
          }
        })
    }
    /// The predictor's difference of estimates is in the sample that the corrector starts from too.
    func predicted(_ factor: Double, _ text: String) -> [Hypothesis] {
      suspicion(
        .coefficient, text,
        (try? trace.plan(of: .diffusers(other, arguments), fidelity: fidelity, in: trace.torch)).flatMap { predicting in
          plan.edited { i, step in
            guard predicting.steps.count == plan.steps.count else { return nil }
            func weight(_ i: Int) -> Double {
              let estimates = i >= 0 ? predicting.steps[i].next.estimates : []
              return estimates.count == 2 ? estimates[1] * (factor - 1) : 0
            }
            var next = step.next
            if weight(i) != 0 { next = next + weight(i) * (LinearForm.estimate(ago: 1) - LinearForm.estimate()) }
            let isCorrected = step.next != predicting.steps[i].next
            if isCorrected, weight(i - 1) != 0 {
              let share = predicting.steps[i].next.made + (predicting.steps[i].next.samples.first ?? 0)
              next =
                next - share * weight(i - 1) * (LinearForm.estimate(ago: 2) - LinearForm.estimate(ago: 1))
            }
            return step.with(next: next)
          }
        })
    }
    return predicted(2, "the predictor gives the difference of estimates twice its weight")
      + predicted(0, "the predictor leaves out the difference of estimates")
      + weighed(0, "the corrector leaves out the new output") + weighed(2, "the corrector gives the new output twice its weight")
  }
}
