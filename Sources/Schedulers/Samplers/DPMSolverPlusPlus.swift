/// DPM-Solver++ with several steps, of order 1 or 2: the ODE in lambda = ln(signal/noise), where its linear part is solved exactly.
///
///     x' = noise'/noise·x − signal'·(e^(−h) − 1)·D,    h = lambda' − lambda
///     D  = x̂0                                          order 1
///     D  = x̂0 + h/(2·h₋)·(x̂0 − x̂0₋)                    order 2; ₋ marks the step before
///
/// The first step has no step before it and the last, to clean data, has h = ∞; both are of order 1.
///
/// Source: Lu et al. 2022, https://arxiv.org/abs/2211.01095, equation 7 and algorithm 2.
public struct DPMSolverPlusPlus: Sampler {
  /// 1 or 2.
  public var order: Int

  /// DPM-Solver++(2M), or its first-order form.
  public init(order: Int = 2) { self.order = order }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    guard order == 1 || order == 2 else {
      throw .option("order", Double(order), sampler: "DPMSolverPlusPlus", allowed: "1 ... 2")
    }
    return grid.intervals.enumerated().map { i, interval in
      let hasBefore = order == 2 && i > 0 && interval.to.level.noise > 0
      return Self.move(before: hasBefore ? grid.points[i - 1].level : nil, from: interval.from, to: interval.to.level)
    }
  }

  /// A step of order 2, with the level of the evaluation before it, or of order 1.
  static func move(before: NoiseLevel?, from: SamplingGrid.Point, to: NoiseLevel) -> Move {
    var denoised = LinearForm.estimate()
    if let before {
      let ratio = (to.lambda - from.level.lambda) / (from.level.lambda - before.lambda)
      denoised = denoised + ratio / 2 * (LinearForm.estimate() - .estimate(ago: 1))
    }
    // −signal'·(e^(−h) − 1) = signal' − signal·noise'/noise: Euler's step, with a better x̂0.
    return Move(at: from, to: to, estimate: .x0, next: Euler.step(from: from.level, to: to, denoised: denoised))
  }
}
