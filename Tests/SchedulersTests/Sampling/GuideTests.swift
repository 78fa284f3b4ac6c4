import Schedulers
import Testing

/// Where guides act, what they answer where they do not, and how their outputs may be made.
@Suite struct GuideTests {
  private typealias Images = SampleBatch<Double>

  private func query(sigma: Double) -> SamplingPlan.Query {
    SamplingPlan.Query(timestep: 5, level: NoiseLevel(signal: 1, noise: sigma))
  }

  @Test func `an interval of sigmas holds its upper end, not its lower one`() {
    let interval = GuidanceInterval.sigmas(above: 0.25, through: 4)
    for sigma in [0.2500001, 1, 4] { #expect(interval.contains(query(sigma: sigma)), "\(sigma)") }
    for sigma in [0, 0.25, 4.0000001, 80] { #expect(!interval.contains(query(sigma: sigma)), "\(sigma)") }
    let noisy = SamplingPlan.Query(timestep: 5, level: NoiseLevel(signal: 0, noise: 1))
    #expect(!interval.contains(noisy))
    #expect(GuidanceInterval.sigmas(above: 1, through: .infinity).contains(noisy))
    #expect(GuidanceInterval.always.contains(noisy) && GuidanceInterval.always.contains(query(sigma: 0)))
  }

  @Test func `an interval of steps counts the calls of a run`() throws {
    let steps = try queries(6)
    #expect(steps.map { GuidanceInterval.steps(2..<4).contains($0) } == [false, false, true, true, false, false])
    #expect(steps.allSatisfy { GuidanceInterval.part(from: 0, to: 1).contains($0) })
    #expect(!steps.contains { GuidanceInterval.part(from: 0.5, to: 0.5).contains($0) })
  }

  private let inside = SamplingPlan.Query(timestep: 5, level: NoiseLevel(signal: 1, noise: 2))
  private let outside = SamplingPlan.Query(timestep: 5, level: NoiseLevel(signal: 1, noise: 3))
  private let interval = GuidanceInterval.sigmas(above: 1, through: 2)
  private let with = [3.0, 1.0]
  private let without = [1.0, 2.0]
  private let other = [2.0, -1.0]

  /// Whether a guide is active and changes the first output inside of the interval, and only there.
  private func expectActive(_ guide: some Guide, _ comment: String, answer: (SamplingPlan.Query) -> [Double]) {
    #expect(!guide.isNeutral && guide.isActive(at: inside) && !guide.isActive(at: outside), "\(comment)")
    #expect(answer(inside) != with && answer(outside) == with, "\(comment)")
  }

  private func expectNeutral(_ guide: some Guide, _ comment: String, answer: (SamplingPlan.Query) -> [Double]) {
    #expect(guide.isNeutral && !guide.isActive(at: inside), "\(comment)")
    #expect(answer(inside) == with, "\(comment)")
  }

  @Test func `outside of its interval a guide answers with the conditional output`() {
    let free = ClassifierFreeGuide(scale: 3, in: interval)
    expectActive(free, "classifier-free") { free(with, without, at: $0) }
    let projected = ProjectedGuide(scale: 3, in: interval)
    expectActive(projected, "projected") { projected(with, without, at: $0) }
    let zero = ZeroStarGuide(scale: 3, zeroSteps: 0, in: interval)
    expectActive(zero, "zero") { zero(with, without, at: $0) }
    let magnitude = MagnitudeAwareGuide(scale: 3, in: interval)
    expectActive(magnitude, "magnitude") { magnitude(with, without, at: $0) }
    for (scale, first) in [(3.0, 3.0), (1, 3), (3, 1)] {
      let two = TwoConditionGuide(scale: scale, firstScale: first, in: interval)
      expectActive(two, "two \(scale) \(first)") { two(with, first: other, neither: without, at: $0) }
    }
    for (scale, weight) in [(3.0, 1.0), (3, 0), (1, 2)] {
      let negative = PerpendicularNegativeGuide(scale: scale, weights: [weight], in: interval)
      expectActive(negative, "negative \(scale) \(weight)") { negative(with, without, negatives: [other], at: $0) }
    }
  }

  @Test func `a scale of 1 needs the conditional output alone`() {
    let free = ClassifierFreeGuide(scale: 1)
    expectNeutral(free, "classifier-free") { free(with, without, at: $0) }
    for origin in [ProjectedGuide.Origin.conditional, .unconditional] {
      let projected = ProjectedGuide(scale: 1, from: origin)
      expectNeutral(projected, "projected") { projected(with, without, at: $0) }
    }
    #expect(!ZeroStarGuide(scale: 1, zeroSteps: 1).isNeutral)
    let zero = ZeroStarGuide(scale: 1, zeroSteps: 0)
    expectNeutral(zero, "zero") { zero(with, without, at: $0) }
    let magnitude = MagnitudeAwareGuide(scale: 1)
    expectNeutral(magnitude, "magnitude") { magnitude(with, without, at: $0) }
    let two = TwoConditionGuide(scale: 1, firstScale: 1)
    expectNeutral(two, "two") { two(with, first: other, neither: without, at: $0) }
    let negative = PerpendicularNegativeGuide(scale: 1, weights: [0])
    expectNeutral(negative, "negative") { negative(with, without, negatives: [other], at: $0) }
  }

  @Test func `CFG-Zero* answers 0 in its first steps, wherever it is active`() throws {
    let steps = try queries(3)
    for (scale, interval) in [(2.0, GuidanceInterval.always), (1, .always), (2, .steps(2..<2))] {
      let guide = ZeroStarGuide(scale: scale, zeroSteps: 2, in: interval)
      #expect(!guide.isNeutral)
      #expect(steps.map { guide.isActive(at: $0) } == [true, true, scale == 2 && interval == .always])
      #expect(steps.prefix(2).map { guide(with, without, at: $0) } == [[0, 0], [0, 0]])
    }
    // ⟨F_c, F_u⟩ = 1 and ‖F_u‖² = 1, but for the 1e-8: 2·(1, 2) − (1, 0).
    let answer = ZeroStarGuide(scale: 2, zeroSteps: 2)([1.0, 2.0], [1.0, 0.0], at: steps[2])
    #expect(answer[1] == 4 && abs(answer[0] - 1 - 1e-8) < 1e-15)
  }

  @Test func `outputs of 0 divide nothing by 0`() throws {
    let (zero, one) = ([0.0, 0.0], [1.0, 2.0])
    let projected = ProjectedGuide(scale: 3, parallel: 0.5, limit: 1)
    #expect(projected(zero, zero, at: inside) == zero && projected(one, one, at: inside) == one)
    // The change (−1, −2) has the length √5, and the conditional output no direction.
    let shortened = projected(zero, one, at: inside)
    #expect(abs(shortened[0] + 2 / 5.0.squareRoot()) < 1e-15 && abs(shortened[1] + 4 / 5.0.squareRoot()) < 1e-15)
    #expect(ZeroStarGuide(scale: 3, zeroSteps: 0)(one, zero, at: inside) == [3, 6])
    let magnitude = MagnitudeAwareGuide(scale: 3)
    #expect(magnitude(zero, zero, at: inside) == zero && magnitude(one, zero, at: inside) == one)
    #expect(PerpendicularNegativeGuide(scale: 3)(one, one, negatives: [zero], at: inside) == [4, 8])
  }

  /// D = (1, −1), of which (1, 0) lies along F_c = (2, 0).
  @Test func `APG leaves out what lies along the conditional output`() {
    #expect(ProjectedGuide(scale: 3)([2, 0], [1, 1], at: inside) == [2, -2])
    #expect(ProjectedGuide(scale: 3, parallel: 0.5)([2, 0], [1, 1], at: inside) == [3, -2])
    #expect(ProjectedGuide(scale: 3, from: .unconditional)([2, 0], [1, 1], at: inside) == [1, -2])
  }

  /// D = (1, 0), then (0, 2) − ½·(1, 0): F = F_c + D for the scale 2.
  @Test func `momentum is remembered, and not where the guide is off`() {
    let guide = ProjectedGuide(scale: 2, parallel: 1, in: interval)
    var momentum = GuidanceMomentum<[Double]>(-0.5)
    #expect(momentum.sum == nil)
    #expect(guide([1, 0], [0, 0], momentum: &momentum, at: inside) == [2, 0])
    #expect(guide([9, 9], [0, 0], momentum: &momentum, at: outside) == [9, 9])
    #expect(momentum.sum == [1, 0] && momentum.factor == -0.5)
    #expect(guide([0, 2], [0, 0], momentum: &momentum, at: inside) == [-0.5, 4])
    #expect(momentum.sum == [-0.5, 2])
    #expect(guide([0, 2], [0, 0], at: inside) == [0, 4])
  }

  @Test func `every scalar type sums each sample in Double`() {
    func check<Scalar: SampleScalar>(_: Scalar.Type) {
      let a = SampleBatch<Scalar>(shape: [2, 3], scalars: [1, 2, 3, 4, 0, -4])
      let b = SampleBatch<Scalar>(shape: [2, 3], scalars: [2, 2, -1, 0.5, 7, 1])
      #expect(SampleBatch.innerProducts(a, b) == [3, -2])
      // ((1 + 0 + 1)/3, (16 + 0 + 16)/3) about the means 2 and 0.
      #expect(a.standardDeviations == [(2.0 / 3).squareRoot(), (32.0 / 3).squareRoot()])
      // 300² is no number of Float16.
      #expect([Scalar].innerProducts([300, 1], [300, 1]) == [90001])
    }
    check(Double.self)
    check(Float.self)
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      check(Float16.self)
    #endif
  }

  /// Ways to ask a network twice make the same picture, to the bit.
  @Test func `outputs of two calls, of one batch, and of tasks are guided alike`() async throws {
    let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 1000), steps: 8, spacing: .trailing)
    let plan = try DPMSolverPlusPlus().plan(over: grid, predicting: .v)
    var noise = GaussianNoise(seed: 3)
    let xT: Images = noise.next(like: Images(zeros: [2, 1, 2, 2]))
    @Sendable func network(_ x: Images, _ conditions: [Double]) -> Images {
      let size = x.sampleSize
      return Images(shape: x.shape, scalars: x.scalars.enumerated().map { $1 * 0.5 + conditions[$0 / size] })
    }
    let guide = ProjectedGuide(scale: 4, parallel: 0.5, in: .steps(2..<6))

    var calls = 0
    let inTwo = plan.sample(from: xT) { x, query in
      calls += 1
      let with = network(x, [1, 2])
      guard guide.isActive(at: query) else { return with }
      calls += 1
      return guide(with, network(x, [0, 0]), at: query)
    }
    #expect(calls == 8 + 4)

    let inOne = plan.sample(from: xT) { x, query in
      let both = network(Images(concatenating: [x, x]), [1, 2, 0, 0])
      return guide(both[..<2], both[2...], at: query)
    }
    #expect(inOne == inTwo)

    let inTasks = await plan.sample(from: xT) { x, query in
      async let with = network(x, [1, 2])
      async let without = network(x, [0, 0])
      return guide(await with, await without, at: query)
    }
    #expect(inTasks == inTwo)
  }

  @Test func `a guided denoiser asks the second model in its interval alone`() throws {
    struct Answer: Denoiser {
      let output: Double
      var prediction: Prediction { .x0 }
      func callAsFunction(_ input: Real, _ query: SamplingPlan.Query) -> Real { Real(output) }
    }
    struct Refusing: Denoiser {
      var prediction: Prediction { .x0 }
      func callAsFunction(_ input: Real, _ query: SamplingPlan.Query) -> Real { Real(.nan) }
    }
    let (on, off) = (inside, outside)
    let guided = ClassifierFreeGuidance(
      conditional: Answer(output: 3), unconditional: Answer(output: 1), scale: 2, in: interval)
    #expect(guided(Real(0), on) == Real(5) && guided(Real(0), off) == Real(3))
    let refusing = ClassifierFreeGuidance(
      conditional: Answer(output: 3), unconditional: Refusing(), scale: 2, in: interval)
    #expect(refusing(Real(0), off) == Real(3))
  }

  private func expect(_ message: String, in result: ExitTest.Result?) {
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains(message), "\(text)")
  }

  @Test func `outputs of different shapes end the program with their shapes`() async {
    let arrays = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ClassifierFreeGuide(scale: 2)([1.0, 2], [1.0], at: try queries(1)[0])
    }
    expect("Fatal error: guidance needs outputs of one shape; got 1 × 2 and 1 × 1 scalars", in: arrays)
    let batches = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (a, b) = (SampleBatch<Float>(zeros: [1, 2, 3]), SampleBatch<Float>(zeros: [1, 3, 2]))
      _ = MagnitudeAwareGuide(scale: 2)(a, b, at: try queries(1)[0])
    }
    expect("Fatal error: tensors of shapes [1, 2, 3] and [1, 3, 2] do not combine", in: batches)
    let negatives = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (a, b) = (SampleBatch<Float>(zeros: [2, 3]), SampleBatch<Float>(zeros: [3, 2]))
      _ = PerpendicularNegativeGuide(scale: 2)(a, a, negatives: [b], at: try queries(1)[0])
    }
    expect("Fatal error: guidance needs outputs of one shape; got 2 × 3 and 3 × 2 scalars", in: negatives)
    let third = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = TwoConditionGuide(scale: 2, firstScale: 2)([1.0], first: [1, 2], neither: [1], at: try queries(1)[0])
    }
    expect("Fatal error: guidance needs outputs of one shape; got 1 × 1 and 1 × 2 scalars", in: third)
    let products = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (a, b) = (SampleBatch<Float>(zeros: [2, 3]), SampleBatch<Float>(zeros: [3, 2]))
      _ = SampleBatch.innerProducts(a, b)
    }
    expect(
      "Fatal error: tensors of 2 × 3 and 3 × 2 scalars have no inner products; give two of one shape", in: products)
    let sizes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = [Float].innerProducts([1, 2], [1])
    }
    expect("Fatal error: tensors of 1 × 2 and 1 × 1 scalars have no inner products", in: sizes)
    let counts = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch.innerProducts(SampleBatch<Float>(zeros: [2, 3]), SampleBatch<Float>(zeros: [1, 3]))
    }
    expect("Fatal error: tensors of 2 × 3 and 1 × 3 scalars have no inner products", in: counts)
  }

  @Test func `what no guide can do ends the program with a reason`() async {
    let sigmas = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GuidanceInterval.sigmas(above: 5, through: 5)
    }
    expect("Fatal error: no sigma is above 5.0 and at most 5.0; give the lower one first", in: sigmas)
    let parts = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GuidanceInterval.part(from: 0.5, to: 1.5)
    }
    expect("Fatal error: guidance acts from 0.5 to 1.5 of a run; give two parts of 1, the smaller first", in: parts)
    let backwards = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GuidanceInterval.part(from: 0.5, to: 0.25)
    }
    expect("Fatal error: guidance acts from 0.5 to 0.25 of a run", in: backwards)
    let early = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GuidanceInterval.part(from: -0.5, to: 0.25)
    }
    expect("Fatal error: guidance acts from -0.5 to 0.25 of a run", in: early)
    let limit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ProjectedGuide(scale: 2, limit: 0)
    }
    expect("Fatal error: the limit of a change must be above 0, and infinite for none; got 0.0", in: limit)
    let part = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = [1.0].rescaled(like: [2], by: 1.5)
    }
    expect("Fatal error: the part of a rescaling must be in 0 ... 1; got 1.5", in: part)
    let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = [1.0].rescaled(like: [2], by: -0.5)
    }
    expect("Fatal error: the part of a rescaling must be in 0 ... 1; got -0.5", in: negative)
    let negatives = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = PerpendicularNegativeGuide(scale: 2)([1.0], [2.0], negatives: [], at: try queries(1)[0])
    }
    expect("Fatal error: 0 negative outputs for 1 weights; give one for each", in: negatives)
  }
}
