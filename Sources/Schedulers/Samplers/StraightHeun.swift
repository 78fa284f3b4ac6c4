/// Heun's method along straight lines: in t for rectified flow, in sigma for the exploding process.
///
///     u  = (signal' − signal)·x̂0 + (noise' − noise)·ε̂
///     x' = x + u,    then    x' = x + (u + u')/2
///
/// Multiplied out, the second line is x' + ½·(signal'·noise/noise' − signal)·(x̂0' − x̂0), which
/// exists where there is no signal too. On rectified flow u is (t' − t) times what a network of
/// flow predicts. `Heun` takes its slopes in x/signal; where signal is 1, the two are one.
///
/// Two evaluations a step; the last, to clean data, is Euler's and takes one.
///
/// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), algorithm 1; on rectified flow
/// as diffusers 0.42.1, `FlowMatchHeunDiscreteScheduler`.
public struct StraightHeun: Sampler {
  public init() {}

  public func moves(over grid: SamplingGrid) -> [Move] {
    grid.intervals.flatMap { from, to -> [Move] in
      let next = Euler.step(from: from.level, to: to.level, denoised: .estimate())
      let first = Move(at: from, to: to.level, estimate: .x0, next: next)
      guard to.level.noise > 0 else { return [first] }
      let (start, end) = (from.level.exact, to.level.exact)
      let factor = (end.signal * start.noise / end.noise - start.signal) / 2
      let correction = factor * (LinearForm.estimate() - .estimate(ago: 1))
      return [first, Move(at: to, to: to.level, estimate: .x0, next: .sample + correction)]
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "flow-heun", title: "Heun along straight lines", sampler: StraightHeun(), order: 2,
    source: "https://arxiv.org/abs/2206.00364",
    use: "as `heun`, on rectified flow, and from pure noise or nearly, where `heun` magnifies a network's errors")
}
