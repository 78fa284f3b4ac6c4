import Schedulers
import Testing

/// A sampler goes by levels, whatever path they lie on.
@Suite struct PathTests {
  private static let times = [0.98, 0.9, 0.7, 0.5, 0.45, 0.2, 0.05, 0.01]

  /// Any network at all, in what it sees of a sample divided by its signal.
  private func network(_ x: [Double], _ query: SamplingPlan.Query) -> [Double] {
    x.map { 0.3 + 0.6 * $0 / query.level.signal / (1 + query.level.sigma) }
  }

  // Samples of levels with the same sigma are the same but for a factor.
  @Test(arguments: SamplerCatalog.denoising.filter { !$0.followsPath && !$0.readsTimesteps })
  func `a run on the straight path is one on the circle, scaled`(entry: SamplerCatalog.Entry) throws {
    let flow = try SamplingGrid(flow: FlowSpacing(), times: Self.times)
    let circle = try SamplingGrid(
      points: flow.points.map { .init(timestep: $0.timestep, level: .variancePreserving(sigma: $0.level.sigma)) })
    let plans = try [flow, circle].map { try entry.sampler.plan(over: $0, predicting: .x0) }
    var runs = plans.map { SamplingRun($0, from: [0.4 * $0.start.signal, -1.2 * $0.start.signal]) }
    var noise = GaussianNoise(seed: 3)
    while let query = runs[0].query {
      let z = noise.next(like: [0.0, 0.0])
      for i in 0..<2 { runs[i].advance(output: network(runs[i].sample, i == 0 ? query : runs[i].query!), noise: z) }
      let factor = runs[0].level.signal / runs[1].level.signal
      for (a, b) in zip(runs[0].sample, runs[1].sample) {
        // Some thirty steps of a handful of roundings; where the noise drawn goes to 49 times the
        // signal, of that size.
        #expect(abs(a - factor * b) <= 1e-12, "\(entry.name) at \(runs[0].level)")
      }
    }
  }

  @Test(arguments: SamplerCatalog.deterministic) func `a point mass is sampled exactly on the straight path`(
    entry: SamplerCatalog.Entry
  ) throws {
    let (y, epsilon) = (0.625, -1.375)
    for times in [Self.times, entry.needsSignal ? [] : [1] + Self.times] where !times.isEmpty {
      let grid = try SamplingGrid(flow: FlowSpacing(), times: times)
      // What the network says of the data does not depend on the kind of its output.
      for prediction in [Prediction.x0, .flow, .reverseFlow] {
        let plan = try entry.sampler.plan(over: grid, predicting: prediction)
        let output = prediction.target(x0: [y], epsilon: [epsilon], at: grid.points[0].level)
        var run = SamplingRun(plan, from: grid.points[0].level.mix([y], with: [epsilon]))
        while run.query != nil {
          run.advance(output: output)
          #expect(abs(run.sample[0] - run.level.mix([y], with: [epsilon])[0]) <= 1e-12, "\(entry.name) \(prediction)")
        }
      }
    }
  }

  @Test func `on the exploding path StraightHeun is Heun`() throws {
    let grid = try SamplingGrid(
      points: [8, 3, 1.5, 0.4, 0.1].map { .init(timestep: $0, level: NoiseLevel(signal: 1, noise: $0)) } + [.clean])
    let runs = try [Heun() as any Sampler, StraightHeun()].map { sampler in
      try sampler.plan(over: grid, predicting: .x0).sample(from: [3.0, -7], model: network)
    }
    // Eight roundings of numbers up to 8 in each of nine calls.
    #expect(zip(runs[0], runs[1]).allSatisfy { abs($0 - $1) <= 9 * 64 * unit })
  }
}
