/// A sampler whose samples are made noisier before each step, which then goes further down.
///
///     γ  = min(amount/N, √2 − 1) where σ is in the range, else 0;    σ̂ = σ·(1 + γ)
///     x̄̂  = x̄ + noise·√(σ̂² − σ²)·z,    then a step of the base from σ̂ to σ'
///
/// with x̄ = x/signal.
///
/// The network sees the noisier sample, so a plan has the noise of a step in the line that makes
/// that sample: at the end of the step before. A run starts at the σ̂ of its first step. The network
/// is told the timestep of σ̂, at most the noisiest of the schedule.
///
/// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), algorithm 2, whose base is
/// `Heun`; with `Euler`, [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `sample_euler`.
public struct Churn<Base: Sampler>: Sampler {
  /// The sampler of the steps, which must look at no step before its own.
  public var base: Base
  /// S_churn: how much noise is added in all; 0 or more.
  public var amount: Double
  /// S_tmin and S_tmax: the sigmas at which noise is added.
  public var range: ClosedRange<Double>
  /// S_noise, the factor of the noise added, 0 or more; a little above 1 to keep detail.
  public var noise: Double

  public init(
    _ base: Base, amount: Double, range: ClosedRange<Double> = 0 ... .greatestFiniteMagnitude, noise: Double = 1
  ) {
    (self.base, self.amount, self.range, self.noise) = (base, amount, range, noise)
  }

  public func start(of grid: SamplingGrid) -> NoiseLevel {
    grid.steps > 0 ? raised(grid.points, at: 0, scale: grid.timestepScale).level : grid.points[0].level
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("amount", amount, .notNegative)
    try check("noise", noise, .notNegative)
    let scale = grid.timestepScale
    let starts = (0..<grid.steps).map { raised(grid.points, at: $0, scale: scale) } + [grid.points[grid.steps]]
    var moves: [Move] = []
    for i in 0..<grid.steps {
      let (to, next) = (grid.points[i + 1], starts[i + 1])
      var step = try base.moves(over: SamplingGrid(unchecked: [starts[i], to]))
      // x' as a sample of the noisier level: in x/signal, noise is added.
      let last = step.removeLast()
      let (end, start) = (to.level.exact, next.level.exact)
      let ratio = end.sigma / start.sigma
      let added = ratio.high < 1 ? noise * start.noise * ((1 - ratio) * (1 + ratio)).squareRoot() : DoubleDouble(0)
      let scaled = start.signal / end.signal * last.next + added * .noise
      step.append(Move(at: last.query, to: next.level, estimate: last.estimate, next: scaled))
      moves += step
    }
    return moves
  }

  /// The point at σ̂ of a step.
  private func raised(_ points: [SamplingGrid.Point], at i: Int, scale: TimestepScale) -> SamplingGrid.Point {
    guard amount > 0, range.contains(points[i].level.sigma) else { return points[i] }
    let gamma = min(DoubleDouble(amount) / Double(points.count - 1), DoubleDouble(2).squareRoot() - 1)
    let sigma = points[i].level.exact.sigma * (1 + gamma)
    return scale.point(sigma: sigma, between: points[i], and: points[i + 1])
  }
}

extension Churn<Heun> {
  static var entries: [SamplerCatalog.Entry] {
    [
      .init(
        name: "heun-churn", title: "Heun with churn", sampler: Churn(Heun(), amount: 40), order: 2,
        source: "https://arxiv.org/abs/2206.00364", use: "with networks of EDM and hundreds of calls"),
      .init(
        name: "euler-churn", title: "Euler with churn", sampler: Churn<Euler>(Euler(), amount: 40), order: 1,
        source: "https://github.com/crowsonkb/k-diffusion", use: "as k-diffusion's Euler with `s_churn`"),
    ]
  }
}
