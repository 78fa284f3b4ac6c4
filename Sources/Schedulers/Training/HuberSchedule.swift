/// How the threshold c of `PseudoHuber` goes with the noise: small where there is much of it, so
/// that what a bad picture asks of a network's outlines counts less.
///
/// Source: [Khrapov et al. 2024](https://arxiv.org/abs/2403.16728); `--huber_schedule` of kohya's
/// sd-scripts, <https://github.com/kohya-ss/sd-scripts>.
public enum HuberSchedule: Hashable, Codable, Sendable {
  /// One c for all.
  case constant(Double)
  /// c^(t/T): 1 without noise, and c at the end.
  case exponential(smallest: Double)
  /// (1 − c)/(1 + σ)² + c: 1 without noise, and c without signal.
  case snr(smallest: Double)

  /// The threshold at a time.
  ///
  /// - Parameters:
  ///   - level: the level of the noisy sample, for `snr`.
  ///   - time: t/T from 0 to 1, for `exponential`.
  /// - Precondition: c is above 0 and finite.
  public func threshold(at level: NoiseLevel, time: Double) -> Double {
    switch self {
    case .constant(let c): return checked(c)
    case .exponential(let c): return Math.pow(checked(c), time)
    case .snr(let c):
      // 1/(1 + σ) = signal/(signal + noise), which holds without signal too.
      let share = level.signal / (level.signal + level.noise)
      return (1 - checked(c)) * (share * share) + c
    }
  }

  /// The threshold at every timestep of a schedule.
  public func thresholds(over schedule: NoiseSchedule) -> [Double] {
    let count = schedule.timesteps
    return (0..<count).map { threshold(at: schedule[$0], time: Double($0) / Double(count)) }
  }

  private func checked(_ c: Double) -> Double {
    stop(unless: c > 0 && c.isFinite, "the threshold \(c) must be above 0 and finite")
    return c
  }
}
