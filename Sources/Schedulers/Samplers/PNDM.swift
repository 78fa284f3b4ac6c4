/// Pseudo numerical methods: DDIM's step with ε̂ combined as solvers of ODEs combine slopes.
///
///     x' = φ(x, e) = signal'/signal·(x − noise·e) + noise'·e
///
/// The first three steps are the paper's pseudo Runge–Kutta, with x₁ and x₂ halfway in time:
///
///     e₁ = ε̂(x),    x₁ = φ(x, e₁)
///     e₂ = ε̂(x₁),   x₂ = φ(x, e₂)
///     e₃ = ε̂(x₂),   x₃ = φ(x, e₃)
///     e₄ = ε̂(x₃),   x' = φ(x, (e₁ + 2·e₂ + 2·e₃ + e₄)/6)
///
/// Then comes its pseudo linear multistep, Adams–Bashforth on the ε̂ with which each step began:
///
///     x' = φ(x, (55·ε̂ − 59·ε̂₋₁ + 37·ε̂₋₂ − 9·ε̂₋₃)/24)
///
/// Without Runge–Kutta (PLMS, Stable Diffusion's) the first step is corrected once, by the mean of
/// ε̂ at its ends; the next combine two and three. A step to clean data takes one evaluation.
///
/// The factors are right for equal steps in the variable of integration, which DDIM's are not: the
/// error falls with order 2. There is no step from a level without signal. A run warms up wherever
/// on the grid it starts; diffusers 0.42.1 repeats a step there that was not made.
///
/// Source: [Liu et al. 2022](https://arxiv.org/abs/2202.09778), equations 9, 11 to 13 and algorithm
/// 2; without Runge–Kutta, Crowson's PLMS sampler of latent diffusion,
/// <https://github.com/CompVis/latent-diffusion>, and diffusers' `skip_prk_steps`.
public struct PNDM: Sampler {
  /// Whether the first steps are taken without Runge–Kutta.
  public var skipsRungeKutta: Bool

  /// The method with its warm-up by Runge–Kutta, or without.
  public init(skipsRungeKutta: Bool = false) { self.skipsRungeKutta = skipsRungeKutta }

  public func moves(over grid: SamplingGrid) -> [Move] {
    let scale = grid.timestepScale
    var moves: [Move] = []
    // The calls with which steps began.
    var calls: [Int] = []
    for (i, (from, to)) in grid.intervals.enumerated() {
      calls.append(moves.count)
      if to.level.noise > 0, !skipsRungeKutta, i < 3 {
        let middle = scale.middle(of: from, and: to)
        moves += Self.rungeKutta(from: from, middle: middle, to: to)
      } else if to.level.noise > 0, skipsRungeKutta, i == 0 {
        moves += Heun.step(from: from, to: to)
      } else {
        let factors = IPNDM.factors[min(calls.count, 4) - 1]
        let combined = LinearForm.sum(factors, calls.suffix(4).reversed().map { .estimate(ago: moves.count - $0) })
        let next = Euler.step(from: from.level, to: to.level, noise: combined)
        moves.append(Move(at: from, to: to.level, estimate: .epsilon, next: next))
      }
    }
    return moves
  }

  /// The samples x₁, x₂, x₃ and x'. In x/signal, φ adds (σ' − σ)·e to x. A run has each sample from
  /// the one before, so what that one's e has added is taken out: x₂ has e₂ for e₁, x₃ the whole
  /// way with e₃ for half of it with e₂, and x' (e₁ + 2·e₂ + 2·e₃ + e₄)/6 for e₃.
  private static func rungeKutta(
    from: SamplingGrid.Point, middle: SamplingGrid.Point, to: SamplingGrid.Point
  ) -> [Move] {
    let (start, between, end) = (from.level.exact, middle.level.exact, to.level.exact)
    let (half, run) = (between.sigma - start.sigma, end.sigma - start.sigma)
    let (e, before) = (LinearForm.estimate(), LinearForm.estimate(ago: 1))
    let first = between.signal * (LinearForm.sample / start.signal + half * e)
    let second = .sample + between.signal * half * (e - before)
    let third = end.signal * (LinearForm.sample / between.signal + run * e - half * before)
    let sum = e - 4 * before + 2 * .estimate(ago: 2) + .estimate(ago: 3)
    let fourth = .sample + end.signal * run / 6 * sum
    return [
      Move(at: from, to: middle.level, estimate: .epsilon, next: first),
      Move(at: middle, to: middle.level, estimate: .epsilon, next: second),
      Move(at: middle, to: to.level, estimate: .epsilon, next: third),
      Move(at: to, to: to.level, estimate: .epsilon, next: fourth),
    ]
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "pndm", title: "PNDM, Runge-Kutta warm-up", sampler: PNDM(), order: 2,
      source: "https://arxiv.org/abs/2202.09778",
      use: "where a configuration asks for it; its first three steps need a fine grid"),
    .init(
      name: "plms", title: "PNDM without Runge-Kutta (PLMS)", sampler: PNDM(skipsRungeKutta: true), order: 2,
      source: "https://arxiv.org/abs/2202.09778", use: "the same; Stable Diffusion 1 was released with it"),
  ]
}
