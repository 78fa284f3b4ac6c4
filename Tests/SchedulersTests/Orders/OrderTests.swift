import Testing

@testable import Schedulers

/// The declared order of every sampler, measured on Gaussian data, whose denoiser and whose
/// solution are known.
@Suite struct OrderTests {
  /// The variance of the data.
  private let variance = 0.05

  /// From σ = 100 to σ = 0.2 in equal steps of ln σ, on the variance-preserving path. x̂0 hardly
  /// changes at the start, so that what multistep methods lose in their first steps, of lower
  /// order, does not show.
  private func grid(_ steps: Int) throws -> SamplingGrid {
    try SamplingGrid(
      points: (0...steps).map { i in
        let sigma = Math.exp(Math.log(100) + Double(i) / Double(steps) * Math.log(0.2 / 100))
        return .init(timestep: Double(steps - i), level: .variancePreserving(sigma: sigma))
      })
  }

  /// E[x0 | x] = signal·c²·x/(signal²·c² + noise²).
  private func denoise(_ x: Real, _ query: SamplingPlan.Query) -> Real {
    let level = query.level
    return Real(level.signal * variance * x.value / spread(at: level))
  }

  /// The variance of a sample.
  private func spread(at level: NoiseLevel) -> Double {
    level.signal * level.signal * variance + level.noise * level.noise
  }

  /// The slope of ln(error) against ln(steps), by least squares.
  private func slope(_ counts: [Int], _ error: (SamplingGrid) throws -> Double) throws -> Double {
    let points = try counts.map { (Math.log(Double($0)), Math.log(try error(grid($0)))) }
    let n = Double(points.count)
    let (x, y) = (points.reduce(0) { $0 + $1.0 } / n, points.reduce(0) { $0 + $1.1 } / n)
    return points.reduce(0) { $0 + ($1.0 - x) * ($1.1 - y) } / points.reduce(0) { $0 + ($1.0 - x) * ($1.0 - x) }
  }

  @Test(arguments: SamplerCatalog.all.filter { !$0.isStochastic })
  func `the error of an ODE sampler falls with its declared order`(entry: SamplerCatalog.Entry) throws {
    // Whole steps of singlestep methods, which span two or three intervals.
    let slope = try slope([198, 396, 792]) { grid in
      let plan = try entry.sampler.plan(over: grid, predicting: .x0)
      // Samples of Gaussian data stay at the same multiple of their deviation.
      let (from, to) = (plan.start, plan.steps.last!.arrival)
      let start = spread(at: from).squareRoot()
      let end = plan.sample(from: Real(start), model: denoise)
      return abs(end.value - spread(at: to).squareRoot())
    }
    #expect(abs(slope + Double(entry.order)) < 0.1, "slope \(slope)")
  }

  /// But for what goes by timesteps, and those of this grid mean nothing.
  @Test(arguments: SamplerCatalog.stochastic.filter { !$0.readsTimesteps })
  func `the error in variance of a stochastic sampler falls with its declared order`(entry: SamplerCatalog.Entry) throws
  {
    let slope = try slope([6400, 12800, 25600]) { grid in
      let plan = try entry.sampler.plan(over: grid, predicting: .x0)
      return abs(variance(of: plan) - spread(at: plan.steps.last!.arrival))
    }
    #expect(abs(slope + Double(entry.order)) < 0.1, "slope \(slope)")
  }

  /// The variance of the samples at the end. Every sample is linear in those before it, so the last
  /// changes with the one at each step by a known factor, which is what the steps that use it pass
  /// back; noise drawn there arrives with the square of that factor.
  private func variance(of plan: SamplingPlan) -> Double {
    let steps = plan.steps
    var factors = [Double](repeating: 0, count: steps.count) + [1]
    for (k, step) in steps.enumerated().reversed() {
      for (ago, coefficient) in step.next.samples.enumerated() { factors[k - ago] += factors[k + 1] * coefficient }
      for (ago, coefficient) in step.next.estimates.enumerated() {
        let asked = steps[k - ago]
        let estimate =
          asked.foldedEstimate.sample + asked.foldedEstimate.output
          * denoise(Real(1), SamplingPlan.Query(asked.query)).value
        factors[k - ago] += factors[k + 1] * coefficient * estimate
      }
    }
    let drawn = steps.indices.reduce(0) {
      $0 + factors[$1 + 1] * factors[$1 + 1] * steps[$1].next.noise * steps[$1].next.noise
    }
    return factors[0] * factors[0] * spread(at: plan.start) + drawn
  }
}
