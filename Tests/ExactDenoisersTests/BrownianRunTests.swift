import ExactDenoisers
import Schedulers
import Testing

@Suite struct BrownianRunTests {
  /// With noise that does not know about time, two runs of one seed share their start and their
  /// first draws, which mean other steps in each. With one Brownian path, the finer run adds detail
  /// to the coarser one's.
  @Test(arguments: [DDPM(), EulerAncestral(), DPMSolverPlusPlusSDE()] as [any Sampler])
  func `a Brownian path gives much the same sample for other numbers of steps`(
    sampler: any Sampler
  ) throws {
    let model = try Gaussian<Double>(mean: [0.2, -0.3], covariance: [[0.5, 0.3], [0.3, 0.4]])
    let schedule = try NoiseSchedule(.cosine(), timesteps: 1000)
    func distance(_ source: some NoiseSource) throws -> Double {
      let ends = try [60, 120].map { steps in
        var noise = source
        let start = noise.next(like: SampleBatch<Double>(zeros: [100, 2]))
        let grid = try SamplingGrid(schedule, steps: steps, spacing: TimestepSpacing.trailing)
        let plan = try sampler.plan(over: grid, predicting: .x0)
        return plan.sample(from: start, using: &noise, model: model.callAsFunction)
      }
      let squares = zip(ends[0].scalars, ends[1].scalars).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return (squares / 200).squareRoot()
    }
    // The data's own deviation is about 0.67.
    let (brownian, independent) = (try distance(BrownianNoise(seed: 4)), try distance(GaussianNoise(seed: 4)))
    #expect(independent > 0.4)
    #expect(brownian < independent / 4)
  }
}
