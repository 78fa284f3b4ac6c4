/// Restart sampling: an ODE sampler whose run goes back to more noise once it has come down, and
/// comes down again, so that noise wears off the errors of the steps before.
///
///     x̄ ← x̄ + √(σ_u² − σ²)·z
///
/// after `turn` of the steps, with x̄ = x/signal and σ_u the sigma after `back` of them. Then come
/// the steps from σ_u on again; so `times` times. With `steps` given, the steps from σ_u on are so
/// many in equal steps of σ^(1/7), as in the paper's schedules, and otherwise those of the grid.
/// The paper gives both places as times; here they are shares of the steps, so that the number of
/// calls follows from that of the steps.
///
/// A jump and the step before it are one row of the plan. The base must look at no step before its
/// own.
///
/// Source: [Xu et al. 2023](https://arxiv.org/abs/2306.14878), algorithm 1, with `Heun`.
public struct Restart<Base: Sampler>: Sampler {
  /// The sampler of the steps.
  public var base: Base
  /// The share of the steps after which the run goes back, and the one after which it was where it
  /// then goes on; a number of steps that is not whole is rounded down.
  public var turn, back: Double
  /// How often, 0 or more.
  public var times: Int
  /// The number of steps from there on; `nil` for those of the grid.
  public var steps: Int?

  public init(_ base: Base, turn: Double = 0.75, back: Double = 0.25, times: Int = 1, steps: Int? = nil) {
    (self.base, self.turn, self.back, self.times, self.steps) = (base, turn, back, times, steps)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("turn", turn, .inside)
    try check("back", back, .belowOne)
    try check("times", Double(times), .closed(0...1000))
    try check("steps", Double(steps ?? 1), .closed(1...1000))
    let points = grid.points
    let low = min(Int(turn * Double(grid.steps)), grid.steps - 1)
    let high = Int(back * Double(grid.steps))
    guard high < low else { return try base.moves(over: grid) }
    let again =
      steps.map { inner(points[high], points[low], count: $0, grid.timestepScale) } ?? Array(points[high...low])
    var moves = try base.moves(over: SamplingGrid(unchecked: Array(points[...low]), schedule: grid.schedule))
    for _ in 0..<times {
      moves.append(moves.removeLast().jumping(to: points[high].level))
      moves += try base.moves(over: SamplingGrid(unchecked: again, schedule: grid.schedule))
    }
    return try moves + base.moves(over: SamplingGrid(unchecked: Array(points[low...]), schedule: grid.schedule))
  }

  private func inner(
    _ from: SamplingGrid.Point, _ to: SamplingGrid.Point, count: Int, _ scale: TimestepScale
  ) -> [SamplingGrid.Point] {
    let sigmas = SigmaSpacing.karras().sigmas(count: count + 1, from: from.level.exact.sigma, to: to.level.exact.sigma)
    return [from] + sigmas.dropFirst().dropLast().map { scale.point(sigma: $0, between: from, and: to) } + [to]
  }
}

extension Restart<Heun> {
  static var entry: SamplerCatalog.Entry {
    .init(
      name: "restart", title: "Restart with Heun", sampler: Restart(Heun()), order: 2,
      source: "https://arxiv.org/abs/2306.14878", use: "with 30 calls and more, where noise is wanted at few of them")
  }
}
