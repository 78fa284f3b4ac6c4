import Testing

@testable import Schedulers

@Suite struct ContiguousTensorTests {
  /// A tensor that says what it alone knows, and no more.
  private struct Lent: ContiguousTensor, Equatable {
    var samples: Int
    var storage: [Float]

    var sampleCount: Int { samples }
    var sampleSize: Int { storage.count / samples }
    init(scalars: [Float], like other: Lent) { (samples, storage) = (other.samples, scalars) }
    func withScalars<Result>(_ body: (UnsafeBufferPointer<Float>) -> Result) -> Result {
      storage.withUnsafeBufferPointer(body)
    }
    mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result {
      storage.withUnsafeMutableBufferPointer { body($0) }
    }

    init(_ batch: SampleBatch<Float>) { (samples, storage) = (batch.sampleCount, batch.scalars) }
  }

  private static let grid = try! SamplingGrid(
    NoiseSchedule(.cosine(), timesteps: 100), steps: 8, spacing: TimestepSpacing.trailing)

  private static let plans: [SamplingPlan] = [Clipping.none, .range(-1...0.75), .dynamic(ratio: 0.9, maximum: 1.5)]
    .flatMap { clipping in
      SamplerCatalog.all.map { try! $0.sampler.plan(over: grid, predicting: .v, clipping: clipping) } + [
        try! DDPM(variance: .learnedRange).plan(over: grid, predicting: .v, clipping: clipping),
        try! DDPM(variance: .learned).plan(over: grid, predicting: .v, clipping: clipping),
        try! DDIM(eta: 0.5).plan(over: grid, predicting: .v, clipping: clipping, learnsVariance: true),
      ]
    }

  private static let start: SampleBatch<Float> = {
    var noise = GaussianNoise(seed: 77)
    return noise.next(like: SampleBatch(zeros: [3, 2, 5]))
  }()

  /// A stand-in for a network, with a variance in 0 ... 1 where there should be one.
  private static func network(_ x: [Float], _ query: SamplingPlan.Query, _ plan: SamplingPlan) -> SampleBatch<Float> {
    let values = x.map { $0 / (1 + $0.magnitude) + Float(query.timestep) / 1000 }
    guard plan.learnsVariance else { return SampleBatch(shape: [3, 2, 5], scalars: values) }
    let samples = (0..<3).map { Array(values[$0 * 10..<$0 * 10 + 10]) }
    return SampleBatch(shape: [3, 4, 5], scalars: samples.flatMap { $0 + $0.map { 0.5 + $0 / 4 } })
  }

  private enum Way: CaseIterable { case inPlace, byCombinations, guided }

  @Test(arguments: plans.indices) func `five members make the samples of a batch, in place and not`(index: Int) {
    let plan = Self.plans[index]
    for way in Way.allCases {
      var (batch, lent) = (SamplingRun(plan, from: Self.start), SamplingRun(plan, from: Lent(Self.start)))
      var (noise, same) = (GaussianNoise(seeds: [5, 6, 7]), GaussianNoise(seeds: [5, 6, 7]))
      while let query = batch.query {
        let output = Self.network(batch.sample.scalars, query, plan)
        let gradient = SampleBatch(shape: [3, 2, 5], scalars: (0..<30).map { Float($0) / 30 })
        switch way {
        case .inPlace:
          batch.advance(output: output, using: &noise)
          lent.advance(output: Lent(output), using: &same)
        case .byCombinations:
          batch.advance(output: output, using: &noise, transform: { $0 })
          lent.advance(output: Lent(output), using: &same, transform: { $0 })
        case .guided where plan.start.signal > 0:
          batch.advance(output: output, using: &noise, guidance: .score(gradient))
          lent.advance(output: Lent(output), using: &same, guidance: .score(Lent(gradient)))
        case .guided:
          batch.advance(output: output, using: &noise)
          lent.advance(output: Lent(output), using: &same)
        }
        #expect(lent.sample == Lent(batch.sample) && lent.denoised == Lent(batch.denoised!))
      }
    }
  }

  @Test func `the rest follows from five members`() {
    let tensor = Lent(SampleBatch(shape: [2, 2], scalars: [1, -2, 0.5, 4]))
    #expect(tensor.scalars == [1, -2, 0.5, 4])
    #expect(Lent.combination([(2, tensor), (-1, tensor), (0.5, tensor)]).storage == [1.5, -3, 0.75, 6])
    #expect(Lent.product(tensor, tensor).storage == [1, 4, 0.25, 16])
    #expect(tensor.clipped(by: .range(-1...1)).storage == [1, -1, 0.5, 1])
    #expect(tensor.exponential(offset: 0, slope: 0).storage == [1, 1, 1, 1])
    #expect(Lent.product(tensor, tensor).squareRoot().storage == [1, 2, 0.5, 4])
  }

  /// Two rows of two scalars and a gap, lent with the gaps.
  private struct Padded: ContiguousTensor {
    var storage: [Float] = [1, 2, .nan, 3, 4, .nan]

    var sampleCount: Int { 1 }
    var sampleSize: Int { 4 }
    init() {}
    init(scalars: [Float], like other: Padded) { fatalError() }
    func withScalars<Result>(_ body: (UnsafeBufferPointer<Float>) -> Result) -> Result {
      storage.withUnsafeBufferPointer(body)
    }
    mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result {
      storage.withUnsafeMutableBufferPointer { body($0) }
    }
  }

  @Test func `a tensor that lends its gaps is refused`() async {
    let step = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 9), steps: 3, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDIM().plan(over: grid, predicting: .v), from: Padded())
      run.advance(output: Padded())
    }
    #expect(said(by: step).contains("a tensor lends 6 scalars where 4 are wanted"))
    let noise = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var (noise, tensor) = (GaussianNoise(seed: 0), Padded())
      noise.fill(&tensor)
    }
    #expect(said(by: noise).contains("a tensor lends 6 scalars, and has 1 × 4"))
  }
}
