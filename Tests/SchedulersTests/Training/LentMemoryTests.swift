import Schedulers
import Testing

#if arch(x86_64) && !os(Windows) && !os(Android)
  // A scalar that the kernels do not know.
  extension Float80: @retroactive Codable {
    public init(from decoder: any Decoder) throws { self.init(try Double(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try Double(self).encode(to: encoder) }
  }

  extension Float80: SampleScalar {
    public static func combination(_ terms: [(coefficient: Double, values: [Float80])]) -> [Float80] {
      terms[0].values.indices.map { i in terms.reduce(0) { $0 + Float80($1.coefficient) * $1.values[i] } }
    }
    public static func clamp(_ values: inout [Float80], to range: ClosedRange<Double>) {
      for i in values.indices { values[i] = min(max(values[i], Float80(range.lowerBound)), Float80(range.upperBound)) }
    }
    public static func rounding(_ values: [Float]) -> [Float80] { values.map { Float80($0) } }
    public static func rounding(_ values: [Double]) -> [Float80] { values.map { Float80($0) } }
  }
#endif

/// Losses, bounds and distributions of a batch whose samples are larger than what goes to the
/// kernels at once: in new memory and in lent, on one thread and on three, in other scalars.
@Suite struct LentMemoryTests {
  private static let schedule = try! NoiseSchedule(.cosine(), timesteps: 40)
  private static let timesteps = [0, 17, 39]
  private static let shape = [3, 3, 40, 41]

  private struct Tensors<Scalar: SampleScalar> {
    let x0, epsilon, sample: SampleBatch<Scalar>
    var output: SampleBatch<Scalar>

    init(learnsVariance: Bool) {
      var noise = GaussianNoise(seed: 2)
      let zeros = SampleBatch<Float>(zeros: shape)
      func converted(_ tensor: SampleBatch<Float>) -> SampleBatch<Scalar> {
        SampleBatch(shape: tensor.shape, scalars: tensor.scalars.map { Scalar($0) })
      }
      let (data, drawn) = (noise.next(like: zeros).clipped(by: .range(-1...1)), noise.next(like: zeros))
      (x0, epsilon) = (converted(data), converted(drawn))
      sample = converted(schedule.mix(data, with: drawn, at: timesteps))
      let channels = learnsVariance ? 6 : 3
      output = converted(noise.next(like: SampleBatch<Float>(zeros: [3, channels, 40, 41])))
    }
  }

  private static let cases = [Variance.fixedLarge, .learnedRange].flatMap { variance in
    TrainingLoss.Kind.allCases.map { (variance, $0) }
  }

  @Test(arguments: cases)
  func `a loss has the same bits in lent memory and on any number of threads`(
    variance: Variance, kind: TrainingLoss.Kind
  ) throws {
    let loss = try TrainingLoss(Self.schedule, predicting: .v, variance: variance, kind: kind)
    let t = Tensors<Float>(learnsVariance: variance.isLearned)
    func made(_ threads: Int?) throws -> TrainingLoss.Value<SampleBatch<Float>> {
      try loss(
        output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps,
        weights: [0.5, 2, 1], threads: threads)
    }
    let expected = try made(1)
    for threads in [3, nil] {
      let other = try made(threads)
      #expect(other.terms == expected.terms && other.gradient == expected.gradient)
      var gradient = t.output
      let terms = try loss(
        output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps,
        weights: [0.5, 2, 1], gradient: &gradient, threads: threads)
      #expect(terms == expected.terms && gradient == expected.gradient)
    }
    // Sample by sample it is the same loss, with the weight of one sample among three.
    for n in 0..<3 {
      func part(_ tensor: SampleBatch<Float>) -> SampleBatch<Float> {
        let size = tensor.sampleSize
        return SampleBatch(
          shape: [1] + tensor.shape.dropFirst(), scalars: Array(tensor.scalars[n * size..<(n + 1) * size]))
      }
      let alone = try loss(
        output: part(t.output), x0: part(t.x0), epsilon: part(t.epsilon), sample: part(t.sample),
        timesteps: [Self.timesteps[n]])
      #expect(alone.losses == [expected.losses[n]])
    }
  }

  @Test(arguments: [Variance.fixedSmall, .learned, .learnedRange], [Clipping.none, .range(-1...1), .dynamic()])
  func `a distribution has the same bits in lent memory and on any number of threads`(
    variance: Variance, clipping: Clipping
  ) throws {
    let process = try ReverseProcess(Self.schedule, predicting: .v, variance: variance, clipping: clipping)
    let t = Tensors<Float>(learnsVariance: variance.isLearned)
    let expected = try process.distribution(output: t.output, sample: t.sample, timesteps: Self.timesteps, threads: 1)
    var made = ReverseDistribution(like: t.sample)
    for threads in [3, nil] {
      try process.distribution(
        output: t.output, sample: t.sample, timesteps: Self.timesteps, into: &made, threads: threads)
      #expect(made.mean == expected.mean && made.variance == expected.variance)
      #expect(made.logVariance == expected.logVariance && made.denoised == expected.denoised)
    }
    // x̂0 is that of the unclipped process, clipped; a Float has half a unit of 1.2e-7.
    let free = try ReverseProcess(Self.schedule, predicting: .v, variance: variance)
    let read = try free.distribution(output: t.output, sample: t.sample, timesteps: Self.timesteps)
    let clipped = read.denoised.clipped(by: clipping)
    for (own, other) in zip(expected.denoised.scalars, clipped.scalars) {
      #expect(abs(own - other) <= 4 * Float.ulpOfOne * max(1, abs(other)))
    }
    // And a transformation comes before the clipping.
    let halved = try process.distribution(
      output: t.output, sample: t.sample, timesteps: Self.timesteps, transform: { .combination([(0.5, $0)]) })
    let half = SampleBatch.combination([(0.5, read.denoised)]).clipped(by: clipping)
    for (own, other) in zip(halved.denoised.scalars, half.scalars) {
      #expect(abs(own - other) <= 4 * Float.ulpOfOne * max(1, abs(other)))
    }
  }

  @Test(arguments: [Clipping.none, .range(-1...1), .dynamic()])
  func `the terms of a bound do not depend on the number of threads`(clipping: Clipping) throws {
    let process = try ReverseProcess(Self.schedule, predicting: .v, variance: .learnedRange, clipping: clipping)
    let t = Tensors<Float>(learnsVariance: true)
    func term(_ threads: Int?) throws -> VariationalBound.Term {
      try VariationalBound(process).term(
        output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps, threads: threads)
    }
    let expected = try term(1)
    #expect(try term(3) == expected && term(nil) == expected)
    let read = try process.distribution(output: t.output, sample: t.sample, timesteps: Self.timesteps).denoised
    let size = read.sampleSize
    for n in 0..<3 {
      var sum = 0.0
      for i in n * size..<(n + 1) * size {
        let error = Double(read.scalars[i]) - Double(t.x0.scalars[i])
        sum += error * error
      }
      // Each x̂0 is rounded to Float here, half of 1.2e-7 of itself.
      #expect(isClose(expected.x0Error[n], sum / Double(size), relative: 1e-6))
    }
  }

  @Test func `NaN far in a batch is named, with its sample and its place`() throws {
    var t = Tensors<Float>(learnsVariance: true)
    let size = t.sample.sampleSize
    t.output.scalars[2 * 2 * size + size + 4500] = .nan
    let loss = try TrainingLoss(Self.schedule, predicting: .v, variance: .learnedRange, kind: .rescaledMSE)
    func expectError(_ body: () throws -> Void, _ place: SourceLocation = #_sourceLocation) {
      let error = #expect(throws: OutputError.self, sourceLocation: place) { try body() }
      guard case .notFinite(_, 2, size + 4500, 39, nil) = error else {
        Issue.record("said: \(String(describing: error))", sourceLocation: place)
        return
      }
    }
    expectError {
      _ = try loss(output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps)
    }
    expectError {
      var gradient = t.output
      _ = try loss(
        output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps,
        gradient: &gradient)
    }
    expectError {
      _ = try loss.bound.term(
        output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps)
    }
    expectError {
      _ = try loss.bound.process.distribution(output: t.output, sample: t.sample, timesteps: Self.timesteps)
    }
    expectError {
      var made = ReverseDistribution(like: t.sample)
      try loss.bound.process.distribution(
        output: t.output, sample: t.sample, timesteps: Self.timesteps, into: &made)
    }
  }

  #if arch(x86_64) && !os(Windows) && !os(Android)
    @Test(arguments: cases)
    func `scalars that the kernels do not know go through Double`(
      variance: Variance, kind: TrainingLoss.Kind
    ) throws {
      let loss = try TrainingLoss(Self.schedule, predicting: .v, variance: variance, kind: kind)
      let (t, other) = (
        Tensors<Double>(learnsVariance: variance.isLearned), Tensors<Float80>(learnsVariance: variance.isLearned)
      )
      let expected = try loss(
        output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps)
      var gradient = other.output
      let terms = try loss(
        output: other.output, x0: other.x0, epsilon: other.epsilon, sample: other.sample, timesteps: Self.timesteps,
        gradient: &gradient)
      #expect(terms == expected.terms)
      #expect(gradient.scalars.map { Double($0) } == expected.gradient.scalars)
      let process = loss.bound.process
      let p = try process.distribution(output: t.output, sample: t.sample, timesteps: Self.timesteps)
      let q = try process.distribution(output: other.output, sample: other.sample, timesteps: Self.timesteps)
      #expect(q.mean.scalars.map { Double($0) } == p.mean.scalars)
      #expect(q.variance.scalars.map { Double($0) } == p.variance.scalars)
      let bound = VariationalBound(process)
      #expect(
        try bound.term(
          output: other.output, x0: other.x0, epsilon: other.epsilon, sample: other.sample, timesteps: Self.timesteps)
          == bound.term(
            output: t.output, x0: t.x0, epsilon: t.epsilon, sample: t.sample, timesteps: Self.timesteps))
      var (noise, same) = (GaussianNoise(seed: 5), GaussianNoise(seed: 5))
      var (batch, wide) = (DiffusedBatch(like: t.x0), DiffusedBatch(like: other.x0))
      Self.schedule.diffuse(
        t.x0, at: Self.timesteps, predicting: .v, using: &noise, offset: (0.25, 3), perturbation: 0.125, into: &batch)
      Self.schedule.diffuse(
        other.x0, at: Self.timesteps, predicting: .v, using: &same, offset: (0.25, 3), perturbation: 0.125, into: &wide)
      #expect(noise == same)
      for (a, b) in zip(batch.sample.scalars + batch.target.scalars, wide.sample.scalars + wide.target.scalars) {
        #expect(abs(a - Double(b)) <= 8 * unit * 8)
      }
    }
  #endif
}
