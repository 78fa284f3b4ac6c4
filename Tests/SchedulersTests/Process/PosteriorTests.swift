import Schedulers
import Testing

@Suite struct PosteriorTests {
  @Test(arguments: BetaSchedule.all) func `between neighbouring timesteps it is the schedule's tables`(
    formula: BetaSchedule
  )
    throws
  {
    let schedule = try NoiseSchedule(formula, timesteps: 200)
    for t in 1..<200 {
      let posterior = Posterior(from: schedule[t], to: schedule[t - 1])
      // The levels are rounded, so 1 − (σ'/σ)² carries their errors, divided by itself: the
      // accuracy in the documentation.
      let ratio = schedule[t - 1].sigma / schedule[t].sigma
      let tolerance = 8 * unit / ((1 - ratio) * (1 + ratio)) + 8 * unit
      #expect(isClose(posterior.forwardVariance, schedule.betas[t], relative: tolerance))
      #expect(isClose(posterior.variance, schedule.posteriorVariance[t], relative: tolerance))
      #expect(isClose(posterior.x0Coefficient, schedule.posteriorX0Coefficient[t], relative: tolerance))
      #expect(isClose(posterior.sampleCoefficient, schedule.posteriorSampleCoefficient[t], relative: tolerance))
    }
  }

  @Test func `its moments give back the forward process`() {
    // E over q(x_t | x_0) of the posterior's mean is signal_s·x_0, and the total variance is
    // noise_s².
    let from = NoiseLevel(signal: 0.3, noise: 2.5)
    let to = NoiseLevel(signal: 0.7, noise: 0.4)
    let posterior = Posterior(from: from, to: to)
    #expect(isClose(posterior.x0Coefficient + posterior.sampleCoefficient * 0.3, 0.7, relative: 4 * unit))
    let carried = posterior.sampleCoefficient * 2.5
    #expect(isClose(posterior.variance + carried * carried, 0.16, relative: 8 * unit))
  }

  @Test func `at clean data nothing is left to draw`() {
    let posterior = Posterior(from: NoiseLevel(signal: 0.6, noise: 0.8), to: .clean)
    #expect(posterior.variance == 0)
    #expect(posterior.x0Coefficient == 1)
    #expect(posterior.sampleCoefficient == 0)
  }

  @Test func `it does not run uphill`() async {
    await #expect(processExitsWith: .failure) {
      _ = Posterior(from: NoiseLevel(signal: 0.9, noise: 0.1), to: NoiseLevel(signal: 0.1, noise: 0.9))
    }
  }
}
