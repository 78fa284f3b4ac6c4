import Schedulers

/// The learning rate of each step: a linear warm-up, then constant or half a cosine down to 0.
///
/// Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5, without
/// restarts; diffusers' `get_cosine_schedule_with_warmup` and `get_constant_schedule_with_warmup`.
public struct LearningRate: Hashable, Sendable {
  /// What comes after the warm-up.
  public enum Decay: String, Hashable, Codable, CaseIterable, Sendable {
    case constant, cosine
  }

  /// The largest rate.
  public var peak: Double
  /// What comes after the warm-up.
  public var decay: Decay
  /// The number of steps before the peak, 0 or more; the first has rate 0 if there are any.
  public var warmup: Int
  /// The number of all steps, 1 or more.
  public var steps: Int

  /// A learning rate.
  public init(peak: Double, decay: Decay = .cosine, warmup: Int, steps: Int) {
    self.peak = peak
    self.decay = decay
    self.warmup = warmup
    self.steps = steps
  }

  /// The rate of a step, counted from 0.
  public subscript(step: Int) -> Double {
    if step < warmup { return peak * Double(step) / Double(warmup) }
    if decay == .constant { return peak }
    let progress = Double(step - warmup) / Double(max(1, steps - warmup))
    return peak * max(0, (1 + Math.cos(.pi * progress)) / 2)
  }
}
