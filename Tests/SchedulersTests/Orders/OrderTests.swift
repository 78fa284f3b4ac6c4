import Testing

@testable import Schedulers

/// The declared order of every sampler, measured on Gaussian data, whose denoiser and whose solution are known.
@Suite struct OrderTests {
  /// The variance of the data.
  private let variance = 0.25

  /// From σ = 20 to σ = 0.1 in equal steps of ln σ, on the variance-preserving path.
  private func grid(_ steps: Int) throws -> SamplingGrid {
    try SamplingGrid(
      points: (0...steps).map { i in
        let sigma = Math.exp(Math.log(20) + Double(i) / Double(steps) * Math.log(0.1 / 20))
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
    let slope = try slope([100, 200, 400, 800]) { grid in
      let plan = try entry.sampler.plan(over: grid, predicting: .x0)
      // Samples of Gaussian data stay at the same multiple of their deviation.
      let (from, to) = (plan.start, plan.steps.last!.arrival)
      let start = spread(at: from).squareRoot()
      let end = plan.sample(from: Real(start), model: denoise)
      return abs(end.value - spread(at: to).squareRoot())
    }
    #expect(abs(slope + Double(entry.order)) < 0.1, "slope \(slope)")
  }

  @Test(arguments: SamplerCatalog.stochastic)
  func `the error in variance of a stochastic sampler falls with its declared order`(entry: SamplerCatalog.Entry) throws {
    let slope = try slope([200, 400, 800, 1600]) { grid in
      let plan = try entry.sampler.plan(over: grid, predicting: .x0)
      var current = spread(at: plan.start)
      for step in plan.steps {
        #expect(step.next.estimates.count == 1 && step.next.samples.count <= 1)
        let answer = denoise(Real(1), step.query).value
        let factor = step.folded.sample + step.folded.output * answer
        current = factor * factor * current + step.next.noise * step.next.noise
      }
      return abs(current - spread(at: plan.steps.last!.arrival))
    }
    #expect(abs(slope + Double(entry.order)) < 0.1, "slope \(slope)")
  }
}
