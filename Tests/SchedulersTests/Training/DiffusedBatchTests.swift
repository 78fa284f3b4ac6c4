import Schedulers
import SchedulersInterop
import Testing

@Suite struct DiffusedBatchTests {
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)
  private static let timesteps = [0, 500, 999]
  // No multiple of a block of normals, so that its rows lie across them.
  private static let shape = [3, 4, 15, 7]

  private static func data<Scalar: SampleScalar>(_: Scalar.Type) -> SampleBatch<Scalar> {
    var noise = GaussianNoise(seed: 11)
    return noise.next(like: SampleBatch<Scalar>(zeros: shape))
  }

  /// Sample and target by the long way, with the source's next draws.
  private static func expected<Scalar: SampleScalar>(
    _ x0: SampleBatch<Scalar>, _ prediction: Prediction, _ noise: inout some NoiseSource, offset: Double?,
    perturbation: Double
  ) -> (SampleBatch<Scalar>, SampleBatch<Scalar>) {
    let epsilon = offset.map { noise.next(like: x0, offsetBy: $0) } ?? noise.next(like: x0)
    let other = perturbation == 0 ? epsilon : noise.perturbing(epsilon, by: perturbation)
    return (
      schedule.mix(x0, with: other, at: timesteps),
      prediction.target(x0: x0, epsilon: epsilon, at: timesteps.map { schedule[$0] })
    )
  }

  private static func check<Scalar: SampleScalar, Source: NoiseSource>(_: Scalar.Type, _ source: Source) {
    let x0 = data(Scalar.self)
    for prediction in [Prediction.epsilon, .x0, .v, .flow, .reverseFlow] {
      for (offset, perturbation) in [(nil, 0), (0.1, 0), (nil, 0.1), (0.2, 0.1)] as [(Double?, Double)] {
        for threads in [1, 3] {
          var (own, other) = (source, source)
          var batch = DiffusedBatch(like: x0)
          for _ in 0..<2 {
            schedule.diffuse(
              x0, at: timesteps, predicting: prediction, using: &own, offset: offset.map { ($0, 4) },
              perturbation: perturbation, into: &batch, threads: threads)
            let expected = expected(x0, prediction, &other, offset: offset, perturbation: perturbation)
            #expect(batch.sample == expected.0 && batch.target == expected.1, "\(prediction), \(Scalar.self)")
          }
        }
      }
    }
  }

  @Test func `one pass makes the numbers of the long way, bit for bit`() {
    Self.check(Float.self, GaussianNoise(seed: 3))
    Self.check(Double.self, GaussianNoise(seed: 3))
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      Self.check(Float16.self, GaussianNoise(seed: 3))
    #endif
  }

  @Test func `noise of another source is used as it comes`() {
    Self.check(Float.self, TorchNoise(seed: 3))
    Self.check(Double.self, NumPyRandomState(seed: 3))
  }

  @Test func `samples keep the seeds of their own`() {
    let x0 = Self.data(Float.self)
    var (all, one) = (GaussianNoise(seeds: [5, 6, 7]), GaussianNoise(seed: 6))
    var batch = DiffusedBatch(like: x0)
    Self.schedule.diffuse(x0, at: Self.timesteps, using: &all, into: &batch)
    let second = SampleBatch(shape: [1, 4, 15, 7], scalars: Array(x0.scalars[420..<840]))
    var alone = DiffusedBatch(like: second)
    Self.schedule.diffuse(second, at: [500], using: &one, into: &alone)
    #expect(Array(batch.sample.scalars[420..<840]) == alone.sample.scalars)
  }

  @Test func `levels of any path, and the previous sample as the target`() {
    let x0 = Self.data(Float.self)
    let levels = [0.2, 0.5, 0.9].map { NoiseLevel(signal: 1 - $0, noise: $0) }
    let next = [0.1, 0.4, 0.8].map { NoiseLevel(signal: 1 - $0, noise: $0) }
    var (own, other) = (GaussianNoise(seed: 3), GaussianNoise(seed: 3))
    var batch = DiffusedBatch(like: x0)
    levels.diffuse(x0, predicting: .previous, previous: next, using: &own, into: &batch)
    let epsilon = other.next(like: x0)
    #expect(batch.sample == levels.mix(x0, with: epsilon))
    #expect(batch.target == Prediction.previous.target(x0: x0, epsilon: epsilon, at: levels, previous: next))
  }

  @Test func `data and noise mix in lent memory to the same bits`() {
    let x0 = Self.data(Float.self)
    var noise = GaussianNoise(seed: 4)
    let epsilon = noise.next(like: x0)
    for threads in [1, 3, nil] {
      var sample = SampleBatch<Float>(zeros: Self.shape)
      Self.schedule.mix(x0, with: epsilon, at: Self.timesteps, into: &sample, threads: threads)
      #expect(sample == Self.schedule.mix(x0, with: epsilon, at: Self.timesteps))
    }
  }
}
