import ExactDenoisers
import Schedulers
import Testing

/// Two normal distributions in the plane. The exact classifier between them has the gradient ∇ ln
/// p(k | x) = ∇ ln p(x | k) − ∇ ln p(x) = signal/noise²·(D_k(x) − D(x)), as ∇ ln p(x) =
/// (signal·D(x) − x)/noise².
@Suite struct ClassifierGuidanceTests {
  private let components: [Gaussian<Double>]
  private let mixture: GaussianMixture<Double>
  private let grid: SamplingGrid

  init() throws {
    components = [
      try Gaussian(mean: [-1, 0.5], covariance: [[0.02, 0.01], [0.01, 0.03]]),
      try Gaussian(mean: [0.8, -0.6], covariance: [[0.05, 0], [0, 0.01]]),
    ]
    mixture = try GaussianMixture(components: components, weights: [0.2, 0.8])
    grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 200), steps: 200, spacing: TimestepSpacing.trailing)
  }

  private func gradient(_ k: Int, _ x: SampleBatch<Double>, _ query: SamplingPlan.Query) -> SampleBatch<Double> {
    let factor = query.level.signal / (query.level.noise * query.level.noise)
    return .combination([(factor, components[k](x, query)), (-factor, mixture(x, query))])
  }

  private func draw(
    _ sampler: any Sampler, _ model: (SampleBatch<Double>, SamplingPlan.Query) -> SampleBatch<Double>,
    guidance: (SampleBatch<Double>, SamplingPlan.Query) -> ClassifierGuidance<SampleBatch<Double>>? = { _, _ in nil }
  ) throws -> SampleBatch<Double> {
    var noise = GaussianNoise(seed: 3)
    let start = noise.next(like: SampleBatch<Double>(zeros: [64, 2]))
    return try sampler.plan(over: grid, predicting: .x0).sample(
      from: start, using: &noise, model: model, guidance: guidance)
  }

  /// How many of the samples are nearer to the mean of component k than to the other's.
  private func count(_ samples: SampleBatch<Double>, near k: Int) -> Int {
    let means = [[-1, 0.5], [0.8, -0.6]]
    return samples.rows.count { row in
      let squares = means.map { mean in zip(row, mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      return squares[k] < squares[1 - k]
    }
  }

  /// With the exact gradient, x̂0 moves from D to D_k.
  @Test(arguments: [DDPM(), DDIM(), DPMSolverPlusPlus(), Heun()] as [any Sampler], [0, 1])
  func `guidance by the score is the conditional model`(sampler: any Sampler, k: Int) throws {
    let guided = try draw(sampler, mixture.callAsFunction) { x, query in .score(gradient(k, x, query)) }
    let conditional = try draw(sampler, components[k].callAsFunction)
    // A rounding of x̂0, of about 1 in size, is 2⁻⁵² in each of 200 steps; taking it apart and
    // together again costs a few more.
    #expect(zip(guided.scalars, conditional.scalars).allSatisfy { abs($0 - $1) < 200 * 64 * .ulpOfOne })
  }

  @Test(arguments: [Variance.fixedSmall, .fixedLarge], [0, 1])
  func `guidance by the mean lands in the right component`(variance: Variance, k: Int) throws {
    let unguided = try draw(DDPM(variance: variance), mixture.callAsFunction)
    #expect((2...30).contains(count(unguided, near: 0)))
    let guided = try draw(DDPM(variance: variance), mixture.callAsFunction) { x, query in .mean(gradient(k, x, query)) }
    #expect(count(guided, near: k) == 64)
  }

  @Test func `a larger scale leads further`() throws {
    func mean(_ scale: Double) throws -> Double {
      try draw(DDIM(), mixture.callAsFunction) { x, query in .score(gradient(1, x, query), scale: scale) }.rows.map {
        $0[0]
      }
      .reduce(0, +)
    }
    let (none, half, whole) = (try mean(0), try mean(0.5), try mean(1))
    #expect(none < half && half < whole)
  }
}
