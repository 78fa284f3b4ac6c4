/// Heun's method on the probability-flow ODE: an Euler step, then the mean of its ends' slopes.
///
///     x̄' = x̄ + (σ' − σ)·ε̂
///     x̄' = x̄ + (σ' − σ)·(ε̂ + ε̂')/2
///
/// with x̄ = x/signal and ε̂ = (x̄ − x̂0)/σ.
///
/// Two evaluations a step; the last, to clean data, is Euler's and takes one.
///
/// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), algorithm 1.
public struct Heun: Sampler {
  public init() {}

  public func moves(over grid: SamplingGrid) -> [Move] {
    grid.intervals.flatMap { Self.step(from: $0.from, to: $0.to) }
  }

  /// The two evaluations of a step, or the one of a step to clean data.
  package static func step(from: SamplingGrid.Point, to: SamplingGrid.Point) -> [Move] {
    let (start, end) = (from.level.exact, to.level.exact)
    let run = end.sigma - start.sigma
    let euler = Euler.step(from: from.level, to: to.level, noise: .estimate())
    let first = Move(at: from, to: to.level, estimate: .epsilon, next: euler)
    guard to.level.noise > 0 else { return [first] }
    let correction = end.signal * run / 2 * (LinearForm.estimate() - .estimate(ago: 1))
    return [first, Move(at: to, to: to.level, estimate: .epsilon, next: .sample + correction)]
  }

  static let entry = SamplerCatalog.Entry(
    name: "heun", title: "Heun", sampler: Heun(), order: 2, source: "https://arxiv.org/abs/2206.00364",
    use: "for a reference solution, and with many calls")
}
