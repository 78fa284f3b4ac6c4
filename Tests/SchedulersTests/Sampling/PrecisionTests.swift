import Testing

@testable import Schedulers

/// Runs in Float and Float16 against the same run in Double.
@Suite struct PrecisionTests {
  private static let schedule = try! NoiseSchedule(.cosine(), timesteps: 1000)

  /// An x̂0 in −1 ... 1 that depends on the sample, with slope at most ½.
  private static func network<Scalar: SampleScalar>(_ x: [Scalar], _ query: SamplingPlan.Query) -> [Scalar] {
    x.map { Scalar(Self.answer(Double($0))) }
  }

  private static func answer(_ x: Double) -> Double { 0.5 * x / (1 + x.magnitude) }

  /// Runs a plan twice, in Double and in another type, and returns the largest difference of a
  /// sample on the way beside its bound.
  ///
  /// With u the rounding unit of the type's storage and v that of its arithmetic, every step rounds
  /// its coefficients, its products and its sums (at most two for each term, in v) and the result
  /// (in u), each in proportion to the sum of the terms' magnitudes. The network's answer and the
  /// kept estimates are rounded likewise. What was wrong before is carried on by the terms'
  /// coefficients, the network's answer changing by at most half of what its sample does.
  private static func compare<Scalar: SampleScalar>(
    _ sampler: any Sampler, _: Scalar.Type, storage u: Double, arithmetic v: Double
  ) throws -> (error: Double, bound: Double) {
    let grid = try SamplingGrid(schedule, steps: 20, spacing: TimestepSpacing.trailing)
    let plan = try sampler.plan(over: grid, predicting: .x0)
    var noise = GaussianNoise(seed: 4)
    let start = noise.next(like: [Scalar](repeating: 0, count: 257))
    var exactNoise = noise
    var run = SamplingRun(plan, from: start)
    var exact = SamplingRun(plan, from: start.map { Double($0) })
    // Bounds of the errors of the samples and of the estimates kept, and of their sizes.
    var sampleBound = 0.0
    var samples: [(size: Double, bound: Double)] = []
    var estimateBounds: [Double] = []
    var estimateSizes: [Double] = []
    var worst = (error: 0.0, bound: 1.0)
    while let query = run.query {
      let step = plan.steps[run.evaluations]
      let size = exact.sample.reduce(0) { max($0, abs($1)) } + sampleBound
      run.advance(output: network(run.sample, query), using: &noise)
      exact.advance(output: network(exact.sample, query), using: &exactNoise)

      let outputBound = sampleBound / 2 + u
      let estimate = step.foldedEstimate
      let estimateSize = abs(estimate.sample) * size + abs(estimate.output)
      let estimateBound =
        abs(estimate.sample) * sampleBound + abs(estimate.output) * outputBound + estimateSize * (4 * v + u)
      let drawn = abs(step.next.noise) * 6.67
      var nextSize = abs(step.folded.sample) * size + abs(step.folded.output) + drawn
      var nextBound = abs(step.folded.sample) * sampleBound + abs(step.folded.output) * outputBound + drawn * u
      for (k, factor) in step.next.samples.dropFirst().enumerated() {
        nextSize += abs(factor) * samples[k].size
        nextBound += abs(factor) * samples[k].bound
      }
      samples.insert((size, sampleBound), at: 0)
      for (k, factor) in step.next.estimates.dropFirst().enumerated() {
        nextSize += abs(factor) * estimateSizes[k]
        nextBound += abs(factor) * estimateBounds[k]
      }
      sampleBound = nextBound + nextSize * (6 * v + u)
      estimateBounds.insert(estimateBound, at: 0)
      estimateSizes.insert(estimateSize, at: 0)

      let error = zip(run.sample, exact.sample).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
      if error / sampleBound > worst.error / worst.bound { worst = (error, sampleBound) }
    }
    return worst
  }

  @Test(arguments: SamplerCatalog.denoising) func `a run in Float stays within its derived bound of one in Double`(
    entry: SamplerCatalog.Entry
  ) throws {
    let (error, bound) = try Self.compare(entry.sampler, Float.self, storage: 0x1p-24, arithmetic: 0x1p-24)
    #expect(error <= bound, "\(error) beyond \(bound)")
    // The bound says something: it is far below the size of the data.
    #expect(bound < 1e-2)
  }

  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    /// Unless the bound is beyond the range of Float16, as for Runge-Kutta steps, which are not
    /// stable where this grid falls from σ of 20,000.
    @Test(arguments: SamplerCatalog.denoising)
    func `a run in Float16 stays within its derived bound, as its arithmetic is Float's`(
      entry: SamplerCatalog.Entry
    ) throws {
      let (error, bound) = try Self.compare(entry.sampler, Float16.self, storage: 0x1p-11, arithmetic: 0x1p-24)
      #expect(error <= bound || bound > Double(Float16.greatestFiniteMagnitude), "\(error) beyond \(bound)")
    }
  #endif
}
