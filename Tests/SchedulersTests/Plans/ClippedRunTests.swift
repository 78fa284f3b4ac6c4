import Schedulers
import SchedulersFixtures
import Testing

/// Whole runs with clipping and dynamic thresholding of samplers that other suites compare without,
/// against the reference implementations' in float64. `Fixtures/recipes/clipped.py` says how they
/// were made.
@Suite struct ClippedRunTests {
  private static let references = Result { try Safetensors("clipped.safetensors") }

  /// The grids of the fixture.
  enum Points { case clean, noisy, exploding, distilled, edm }

  /// A sampler as the fixture calls it.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    var points = Points.exploding
    var clipping = Clipping.range(-1...1)
    var testDescription: String { name }
  }

  private static let dynamic = Clipping.dynamic(ratio: 0.9, maximum: 1.5)
  private static func churned(_ base: some Sampler) -> any Sampler {
    Churn(base, amount: 2, range: 0.05...50, noise: 1.003)
  }

  static let samplers = [
    Reference(name: "dpm++2s", sampler: DPMSolverSinglestep(), points: .clean, clipping: dynamic),
    Reference(name: "dpm++3s", sampler: DPMSolverSinglestep(order: 3), points: .clean, clipping: dynamic),
    Reference(name: "unipc/3/bh2", sampler: UniPC(order: 3, lowersFinalOrder: true), points: .clean, clipping: dynamic),
    Reference(name: "deis3", sampler: DEIS(order: 3), points: .noisy, clipping: dynamic),
    Reference(
      name: "sa-solver/3/4/0.6",
      sampler: SASolver(
        predictorOrder: 3, correctorOrder: 4, tau: 0.6, matchesAuthorsCode: true, lowersFinalOrder: true),
      points: .noisy,
      clipping: dynamic),
    Reference(name: "lcm", sampler: LCM(), points: .distilled, clipping: dynamic),
    Reference(name: "lcm/range", sampler: LCM(), points: .distilled),
    Reference(name: "edm/dpm++2m", sampler: DPMSolverPlusPlus(), points: .edm, clipping: dynamic),
    Reference(name: "kdpm2", sampler: KDPM2()), Reference(name: "kdpm2-ancestral", sampler: KDPM2(eta: 1)),
    Reference(name: "dpm++sde", sampler: DPMSolverPlusPlusSDE()), Reference(name: "flow-heun", sampler: StraightHeun()),
    Reference(name: "lms", sampler: LMS()), Reference(name: "euler-churn", sampler: churned(Euler())),
    Reference(name: "heun-churn", sampler: churned(Heun())),
  ]

  @Test(arguments: samplers) func `every sample of a clipped run is the reference's`(reference: Reference) throws {
    let file = try Self.references.get()
    let plan = try Self.plan(reference, file)
    let shape = try file.shape("start")
    let size = shape.reduce(1, *)
    func batch(_ values: [Double], _ row: Int = 0) -> SampleBatch<Double> {
      SampleBatch(shape: shape, scalars: Array(values[row * size..<(row + 1) * size]))
    }
    let (outputs, noise) = (try file.doubles("\(reference.name).outputs"), try file.doubles("noise"))
    let expected = try file.doubles("\(reference.name).samples")
    try #require(expected.count == plan.steps.count * size && outputs.count == expected.count)
    // A sample of the exploding path is the noise times the first sigma, to which churn has not
    // added yet.
    let scale = try plan.start.signal < 1 ? 1 : file.doubles(reference.points == .edm ? "edm.sigmas" : "clean")[0]
    let start = batch(try file.doubles("start").map { scale * $0 })
    var run = SamplingRun(plan, from: start)
    for k in plan.steps.indices {
      run.advance(output: batch(outputs, k), noise: batch(noise, k))
      // x̂0 is a difference of terms of the size of the samples, of which each error is carried on.
      // Clipping makes no difference larger; where the coefficients of a step magnify it, it is by
      // less than a hundred.
      let row = expected[k * size..<(k + 1) * size]
      let error = zip(run.sample.scalars, row).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(error <= 1e-12 * max(scale, 1), "call \(k): \(error)")
    }
    Comparisons.count(expected.count)
  }

  private static func plan(_ reference: Reference, _ file: Safetensors) throws -> SamplingPlan {
    let edm = EDMPreconditioning()
    let grid: SamplingGrid
    switch reference.points {
    case .edm:
      grid = try SamplingGrid(edm: edm, sigmas: file.doubles("edm.sigmas").dropLast())
      return try reference.sampler.plan(over: grid, predicting: edm, clipping: reference.clipping)
    case .distilled:
      grid = try SamplingGrid(
        NoiseSchedule(.scaledLinear(), timesteps: 1000), timesteps: file.integers("lcm.timesteps"))
    case .clean, .noisy, .exploding:
      let sigmas = try file.doubles(reference.points == .noisy ? "noisy" : "clean")
      let isExploding = reference.points == .exploding
      grid = try SamplingGrid(
        points: sigmas.map {
          .init(timestep: 0, level: isExploding ? NoiseLevel(signal: 1, noise: $0) : .variancePreserving(sigma: $0))
        })
    }
    return try reference.sampler.plan(over: grid, predicting: .epsilon, clipping: reference.clipping)
  }
}
