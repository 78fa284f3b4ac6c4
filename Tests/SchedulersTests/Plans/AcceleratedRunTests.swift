import Schedulers
import SchedulersFixtures
import Testing

/// Whole runs of the inversion of DPM-Solver++ against diffusers', and of the accelerated family
/// against its formula in 50 digits: `Fixtures/recipes/accelerated.py` says how they were made.
@Suite struct AcceleratedRunTests {
  private static let file = Result { try Safetensors("accelerated.safetensors") }

  private func grid(_ sigmas: [Double]) throws -> SamplingGrid {
    try SamplingGrid(
      points: sigmas.enumerated().map {
        .init(timestep: Double(sigmas.count - $0), level: .variancePreserving(sigma: $1))
      })
  }

  @Test(arguments: SlopeRule.allCases, [1, 2, 3, 4, 7, 12]) func `DPM-Solver++ climbs as diffusers' inverse does`(
    rule: SlopeRule, steps: Int
  ) throws {
    let file = try Self.file.get()
    let sigmas = try file.doubles("\(steps).sigmas")
    for prediction in [Prediction.epsilon, .x0] {
      let plan = try DPMSolverPlusPlusInversion(slopeRule: rule).plan(over: grid(sigmas), predicting: prediction)
      // diffusers calls the exact rule Heun's.
      let name = rule == .exact ? "heun" : "midpoint"
      expectRows(of: plan, are: try file.doubles("dpm++2m-inversion/\(name)/\(steps)/\(prediction).run"))
    }
  }

  @Test(arguments: [(2, 0), (1.5, 0.25), (1, 0.5)], [1, 2, 3, 4, 7, 12])
  func `gradient estimation takes its steps and draws its noise by the formula`(
    parameters: (Double, Double), steps: Int
  ) throws {
    let (gamma, mu) = parameters
    let file = try Self.file.get()
    let sigmas = try file.doubles("\(steps).sigmas").dropLast() + [0]
    let plan = try GradientEstimation(gamma: gamma, mu: mu).plan(over: grid(Array(sigmas)), predicting: .epsilon)
    func text(_ number: Double) -> String { number == number.rounded() ? "\(Int(number))" : "\(number)" }
    expectRows(of: plan, are: try file.doubles("gradient-estimation/\(text(gamma))/\(text(mu))/\(steps).run"))
  }

  @Test func `gradient estimation is Euler at gamma 1, and DDPM at mu ½`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 20, spacing: TimestepSpacing.trailing)
    for (sampler, other) in [
      (GradientEstimation(gamma: 1), Euler() as any Sampler), (GradientEstimation(gamma: 1, mu: 0.5), DDPM()),
    ] {
      let pairs = zip(
        try sampler.plan(over: grid, predicting: .x0).steps, try other.plan(over: grid, predicting: .x0).steps)
      for (a, b) in pairs {
        // Made from epsilon, x̂0 has the rounding of a sample of size signal'/signal.
        let size = max(1, a.arrival.signal / a.query.level.signal)
        #expect(abs(a.folded.sample - b.folded.sample) <= 64 * unit * size)
        #expect(abs(a.folded.output - b.folded.output) <= 64 * unit * size)
        #expect(abs(a.next.noise - b.next.noise) <= 64 * unit)
      }
    }
  }

  /// A network that is right about a point mass: what climbs to noise comes down to the data.
  @Test func `the inversion carries a point mass to where DPM-Solver++ would have started`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 20, spacing: TimestepSpacing.linspace)
    let y = [0.625]
    let plan = try DPMSolverPlusPlusInversion().plan(over: grid, predicting: .x0)
    let noise = plan.sample(from: [0.626], model: { _, _ in y })
    let back = try DPMSolverPlusPlus().plan(over: grid, predicting: .x0).sample(from: noise, model: { _, _ in y })
    // x/noise, up to 200 times its rounding, in each of 40 steps of a handful of operations.
    #expect(abs(back[0] - y[0]) <= 16 * 40 * unit * 200)
    #expect(plan.start == .clean && plan.steps.last?.arrival == grid.points[0].level)
  }
}
