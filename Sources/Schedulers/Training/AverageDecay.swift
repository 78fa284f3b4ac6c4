/// How much of a moving average stays at an update: d in average ← d·average + (1 − d)·latest.
public enum AverageDecay: Hashable, Codable, Sendable {
  /// One d in [0, 1] from the first update on.
  case constant(Double)
  /// 0, then (1 + n)/(10 + n) up to a largest, after n updates. diffusers' `EMAModel` does so by
  /// default.
  case gradual(largest: Double = 0.9999)
  /// 1 − (1 + n/inverseGamma)^(−power) up to a largest, after n updates: 0 at first.
  /// `use_ema_warmup` of diffusers' `EMAModel`, after crowsonkb.
  case warmUp(largest: Double = 0.9999, inverseGamma: Double = 1, power: Double = 2 / 3)
  /// (1 − 1/t)^(γ + 1) at the t-th update. [Karras et al. 2024](https://arxiv.org/abs/2312.02696),
  /// power function EMA.
  case power(PowerAverage)

  /// d.
  ///
  /// - Parameter updates: n, the updates made before.
  /// - Precondition: n is 0 or more, and d in [0, 1].
  public func decay(after updates: Int) -> Double {
    stop(unless: updates >= 0, "\(updates) updates before another; the number must be 0 or more")
    let n = Double(updates)
    let decay =
      switch self {
      case .constant(let decay): decay
      case .gradual(let largest): updates == 0 ? 0 : min(largest, (1 + n) / (10 + n))
      case .warmUp(let largest, let inverseGamma, let power):
        min(largest, 1 - Math.pow(1 + n / inverseGamma, -power))
      case .power(let average): average.decay(at: updates + 1)
      }
    stop(unless: decay >= 0 && decay <= 1, "the decay \(decay) of \(self) after \(updates) updates must be in 0 ... 1")
    return decay
  }
}
