import Schedulers
import Testing

/// Single steps worked out by hand from the papers, between levels that are short fractions.
@Suite struct SamplerFormulaTests {
  private static let from = SamplingGrid.Point(timestep: 2, level: NoiseLevel(signal: 0.6, noise: 0.8))
  private static let to = SamplingGrid.Point(timestep: 1, level: NoiseLevel(signal: 0.8, noise: 0.6))
  private static let grid = try! SamplingGrid(points: [from, to])

  /// One step from x = 1 with x̂0 = 2, clipped to 1.5 where asked; z = 1.
  private func step(_ sampler: some Sampler, clipping: Clipping = .none) throws -> Double {
    let plan = try sampler.plan(over: Self.grid, predicting: .x0, clipping: clipping)
    var run = SamplingRun(plan, from: [1.0])
    run.advance(output: [2.0], noise: [1.0])
    return run.sample[0]
  }

  @Test func `DDIM keeps the noise that goes with x̂0`() throws {
    // ε̂ = (1 − 0.6·2)/0.8 = −0.25; 0.8·2 + 0.6·(−0.25).
    #expect(isClose(try step(DDIM()), 1.45, relative: 8 * unit))
  }

  @Test func `DDIM makes its noise from the clipped x̂0 or from the one before, as asked`() throws {
    // Clipped: ε̂ = (1 − 0.6·1.5)/0.8 = 0.125; 0.8·1.5 + 0.6·0.125. Unclipped: 0.8·1.5 +
    // 0.6·(−0.25).
    let clipping = Clipping.range(-1.5...1.5)
    #expect(isClose(try step(DDIM(rederivesEpsilon: true), clipping: clipping), 1.275, relative: 8 * unit))
    #expect(isClose(try step(DDIM(rederivesEpsilon: false), clipping: clipping), 1.05, relative: 8 * unit))
    #expect(isClose(try step(DDIM(rederivesEpsilon: false)), 1.45, relative: 8 * unit))
  }

  @Test func `DDIM draws eta times the posterior's deviation`() throws {
    // (σ'/σ)² = (0.75·0.75)² = 81/256, so the posterior variance is 0.36·175/256; eta ½ takes a
    // quarter of it.
    let deviation = 0.5 * (0.36 * 175 / 256).squareRoot()
    let kept = (0.36 - deviation * deviation).squareRoot()
    let expected = 0.8 * 2 - kept * 0.25 + deviation
    #expect(isClose(try step(DDIM(eta: 0.5)), expected, relative: 16 * unit))
  }

  @Test func `DDPM draws from the posterior, with its variance or the forward one`() throws {
    // Mean: 0.8·175/256·2 + 0.6/0.8·(9/16)·1; variances 0.36·175/256 and 0.64·175/256.
    let mean = 0.8 * 175 / 256 * 2 + 0.75 * 9 / 16
    let (small, large) = ((0.36 * 175 / 256).squareRoot(), (0.64 * 175 / 256).squareRoot())
    #expect(isClose(try step(DDPM()), mean + small, relative: 16 * unit))
    #expect(isClose(try step(DDPM(variance: .fixedLarge)), mean + large, relative: 16 * unit))
  }

  @Test func `Euler follows the slope in sigma`() throws {
    // x̄ = 1/0.6, σ = 4/3, σ' = 3/4: x̄' = x̄ + (3/4 − 4/3)·(x̄ − 2)/(4/3); x' = 0.8·x̄'.
    let scaled = 1 / 0.6
    let slope = (scaled - 2) / (4 / 3.0)
    let expected = 0.8 * (scaled + (0.75 - 4 / 3.0) * slope)
    #expect(isClose(try step(Euler()), expected, relative: 16 * unit))
    #expect(isClose(try step(DPMSolverPlusPlus()), try step(Euler()), relative: 16 * unit))
  }

  @Test func `ancestral Euler goes below and comes back up`() throws {
    // σ_up = eta·σ'·√(1 − (9/16)²) with eta ½, σ_down = √(σ'² − σ_up²).
    let up = 0.5 * 0.75 * (175 / 256.0).squareRoot()
    let down = (0.5625 - up * up).squareRoot()
    let scaled = 1 / 0.6
    let slope = (scaled - 2) / (4 / 3.0)
    let expected = 0.8 * (scaled + (down - 4 / 3.0) * slope + up)
    #expect(isClose(try step(EulerAncestral(eta: 0.5)), expected, relative: 32 * unit))
  }

  @Test func `Heun takes the mean of the slopes at both ends`() throws {
    let plan = try Heun().plan(over: Self.grid, predicting: .x0)
    var run = SamplingRun(plan, from: [1.0])
    run.advance(output: [2.0])
    run.advance(output: [1.0])
    let (scaled, sigma, next) = (1 / 0.6, 4 / 3.0, 0.75)
    let first = (scaled - 2) / sigma
    let predicted = scaled + (next - sigma) * first
    let second = (predicted - 1) / next
    let expected = 0.8 * (scaled + (next - sigma) * (first + second) / 2)
    #expect(isClose(run.sample[0], expected, relative: 32 * unit))
  }

  @Test func `DPM-Solver++ 2M extrapolates x̂0 in lambda`() throws {
    // Levels whose lambda is 0, ln 2, ln 8: h₋ = ln 2, h = 2·ln 2, so D = x̂0 + (x̂0 − x̂0₋).
    let levels = [
      NoiseLevel(signal: 1, noise: 1), NoiseLevel(signal: 1, noise: 0.5), NoiseLevel(signal: 1, noise: 0.125),
    ]
    let grid = try SamplingGrid(points: levels.map { .init(timestep: 0, level: $0) })
    var run = SamplingRun(try DPMSolverPlusPlus().plan(over: grid, predicting: .x0), from: [1.0])
    run.advance(output: [3.0])
    // 0.5·1 + (1 − 0.5)·3
    #expect(isClose(run.sample[0], 2, relative: 8 * unit))
    run.advance(output: [5.0])
    // 0.25·2 + (1 − 0.25)·(5 + (5 − 3))
    #expect(isClose(run.sample[0], 5.75, relative: 16 * unit))
  }

  @Test func `DDIM inversion keeps epsilon on the way up`() throws {
    let grid = try SamplingGrid(points: [Self.from, Self.to, .clean])
    var run = SamplingRun(try DDIMInversion().plan(over: grid, predicting: .epsilon), from: [1.0])
    #expect(run.step?.query == Self.to)
    run.advance(output: [0.5])
    #expect(isClose(run.sample[0], 1.1, relative: 8 * unit))
    // x = 1.1 at (0.8, 0.6) with ε̂ = 0.25: x̂0 = (1.1 − 0.15)/0.8.
    #expect(run.step?.query == Self.to)
    run.advance(output: [0.25])
    let expected = 0.6 * 0.95 / 0.8 + 0.8 * 0.25
    #expect(isClose(run.sample[0], expected, relative: 16 * unit))
  }

  /// The noise drawn is a share of the noise left, which is none.
  @Test func `a step in epsilon to clean data draws nothing, whatever its eta`() {
    let (from, to) = (SolverLevel(NoiseLevel(signal: 0.6, noise: 0.8)), SolverLevel(.clean))
    let step = ExponentialStep(estimate: .epsilon, from: from, to: to, eta: 1).held(.estimate())
    #expect(step.noise == 0)
    #expect(isClose(step.samples[0], 1 / 0.6, relative: 2 * unit))
    #expect(isClose(step.estimates[0], -0.8 / 0.6, relative: 2 * unit))
  }
}
