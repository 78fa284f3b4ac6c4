import SchedulersFixtures
import Testing

@testable import Schedulers

/// Likelihoods by the probability-flow ODE. `Fixtures/recipes/ode_likelihood.py` made the numbers.
@Suite struct LikelihoodRunTests {
  private let variance = 0.05

  private func spread(at level: NoiseLevel) -> Double {
    level.signal * level.signal * variance + level.noise * level.noise
  }

  /// From σ = 1000 to σ = 0.2 in equal steps of ln σ, on the variance-preserving path. At the start
  /// the denoiser changes by 1e-6, so that what multistep methods lose in their first steps, of
  /// lower order, does not show.
  private func grid(_ steps: Int) throws -> SamplingGrid {
    try SamplingGrid(
      points: (0...steps).map { i in
        let sigma = Math.exp(Math.log(1000) + Double(i) / Double(steps) * Math.log(0.2 / 1000))
        return .init(timestep: Double(steps - i), level: .variancePreserving(sigma: sigma))
      })
  }

  @Test(arguments: SamplerCatalog.all.filter { !$0.isStochastic })
  func `the error of a Gaussian's likelihood falls with the order of the sampler`(entry: SamplerCatalog.Entry) throws {
    // Whole steps of singlestep methods, which span two or three intervals. DPM-Solver-Fast ends
    // such runs with a step of order 1, whose error has the other sign: their sum passes 0 near 396
    // steps. It ends others with one of order 2.
    let counts = entry.sampler is DPMSolverFast ? [398, 794, 1586] : [396, 792, 1584]
    let points = try counts.map { count in
      let plan = try entry.sampler.plan(over: grid(count), predicting: .x0)
      var run = LikelihoodRun(plan, from: [1.5])
      while let query = run.query {
        // E[x0 | x] = signal·c²·x/(signal²·c² + noise²).
        let slope = query.level.signal * variance / spread(at: query.level)
        run.advance(output: run.input.map { slope * $0 }, divergence: [slope])
      }
      // Samples of Gaussian data stay at the same multiple of their deviation.
      let exact = -Math.log(spread(at: plan.steps.last!.arrival) / spread(at: plan.start)) / 2
      return (Math.log(Double(count)), Math.log(abs(run.logDensityChanges[0] - exact)))
    }
    let (x, y) = (points.reduce(0) { $0 + $1.0 } / 3, points.reduce(0) { $0 + $1.1 } / 3)
    let slope = points.reduce(0) { $0 + ($1.0 - x) * ($1.1 - y) } / points.reduce(0) { $0 + ($1.0 - x) * ($1.0 - x) }
    // A method may be better for an integral alone than for an equation.
    #expect(slope + Double(entry.order) < 0.1, "slope \(slope)")
  }

  /// ln p of each sample of the fixture, by its network as one of another reading.
  private func logLikelihoods(_ reading: some OutputReading, steps: Int, probing: Bool) throws -> [Double] {
    let known = try Safetensors("ode-likelihood.safetensors")
    let (sigmas, mixture) = (try known.doubles("sigmas"), try known.doubles("mixture"))
    let grid = try SamplingGrid(
      points: (0...steps).map { i in
        let sigma = sigmas[1] * Math.pow(sigmas[0] / sigmas[1], Double(i) / Double(steps))
        return .init(timestep: Double(steps - i), level: NoiseLevel(signal: 1, noise: sigma))
      })
    let plan = try DPMSolverPlusPlusInversion().plan(over: grid, predicting: reading)
    let x = SampleBatch(shape: [2, 3], scalars: try known.doubles("x"))
    var run = LikelihoodRun(plan, from: x)
    let probe = SampleBatch<Double>(shape: [2, 3], scalars: [1, -1, -1, 1, 1, -1])
    while let query = run.query {
      let (square, factors) = (query.level.noise * query.level.noise, run.run.step!.denoising)
      var (output, slopes) = (run.sample, run.sample)
      for i in 0..<6 {
        let (centre, variance, x) = (mixture[i % 3 * 2], mixture[i % 3 * 2 + 1], run.sample.scalars[i])
        let spread = variance + square
        let tanh = Math.tanh(centre * x / spread)
        let denoised = (variance * x + square * centre * tanh) / spread
        let slope = (variance + square * centre * centre / spread * (1 - tanh * tanh)) / spread
        output.scalars[i] = (denoised - factors.sample * x) / factors.output
        slopes.scalars[i] = (slope - factors.sample) / (factors.output * query.inputScale)
      }
      if probing {
        run.advance(output: output, probe: probe, product: .product(probe, slopes))
      } else {
        run.advance(output: output, divergence: [slopes[0], slopes[1]].map { $0.scalars.reduce(0, +) })
      }
    }
    return run.logLikelihoods()
  }

  @Test func `likelihoods of a mixture tend to those of k-diffusion, whatever the network predicts`() throws {
    let expected = try Safetensors("ode-likelihood.safetensors").doubles("log-likelihood")
    func check(_ reading: some OutputReading, probing: Bool) throws {
      let (coarse, fine) = (
        try logLikelihoods(reading, steps: 1000, probing: probing),
        try logLikelihoods(reading, steps: 2000, probing: probing)
      )
      for n in 0..<2 {
        // Of order 2, so that a third of the difference is what is left; 1e-9 is the reference's.
        let difference = abs(fine[n] - coarse[n])
        #expect(difference < 1e-4, "\(difference)")
        #expect(abs(fine[n] - expected[n]) <= difference / 2 + 2e-9, "\(fine[n]), \(expected[n])")
      }
      Comparisons.count(2)
    }
    try check(Prediction.x0, probing: false)
    try check(Prediction.epsilon, probing: true)
    try check(EDMPreconditioning(), probing: true)
  }

  @Test func `the likelihood of what is drawn is that of its noise, carried along`() throws {
    let plan = try Heun().plan(over: grid(400), predicting: .x0)
    let start = 2 * spread(at: plan.start).squareRoot()
    var run = LikelihoodRun(plan, from: [start])
    while let query = run.query {
      let slope = query.level.signal * variance / spread(at: query.level)
      run.advance(output: run.input.map { slope * $0 }, divergence: [slope])
    }
    let end = spread(at: plan.steps.last!.arrival)
    let exact = -2 - Math.log(2 * .pi * end) / 2
    // Heun's error on this grid is below 1e-3.
    let own = run.logLikelihoods(deviation: spread(at: plan.start).squareRoot())[0]
    #expect(abs(own - exact) < 1e-3, "\(own), \(exact)")
    let noise = plan.start.noise
    let other = run.logLikelihoods()[0] - run.logDensityChanges[0]
    let prior = -start * start / (2 * noise * noise) - Math.log(2 * .pi) / 2 - Math.log(noise)
    #expect(isClose(other, prior, relative: 32 * unit))
  }

  @Test func `plans that are no flow of densities are refused`() async throws {
    await #expect(processExitsWith: .failure) {
      let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = LikelihoodRun(try DDPM().plan(over: grid, predicting: .epsilon), from: [1.0])
    }
    await #expect(processExitsWith: .failure) {
      let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = LikelihoodRun(try DDIM().plan(over: grid, predicting: .epsilon, clipping: .range(-1...1)), from: [1.0])
    }
    await #expect(processExitsWith: .failure) {
      let schedule = try NoiseSchedule(.linear(), timesteps: 10).rescaledToZeroTerminalSNR()
      let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
      _ = LikelihoodRun(try DDIM().plan(over: grid, predicting: .v), from: [1.0])
    }
  }
}
