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
}
