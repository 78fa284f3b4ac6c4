import Foundation
import Testing

@testable import Schedulers

@Suite struct InPlaceTests {
  private static let schedule = try! NoiseSchedule(.cosine(), timesteps: 100)
  private static let grid = try! SamplingGrid(schedule, steps: 8, spacing: TimestepSpacing.trailing)
  private static let shape = [3, 2, 149]

  private static func start<Scalar: SampleScalar>(_: Scalar.Type) -> SampleBatch<Scalar> {
    var noise = GaussianNoise(seed: 77)
    return noise.next(like: SampleBatch<Scalar>(zeros: shape))
  }

  /// A stand-in for a network, with a variance where there should be one.
  private static func network<Scalar: SampleScalar>(
    _ x: SampleBatch<Scalar>, _ query: SamplingPlan.Query, _ plan: SamplingPlan
  )
    -> SampleBatch<Scalar>
  {
    let scalars: [Scalar] = x.scalars.map { value in
      let value = Double(value)
      return Scalar(value / (1 + abs(value)) + query.timestep / 1000)
    }
    guard plan.learnsVariance else { return SampleBatch(shape: x.shape, scalars: scalars) }
    let size = x.sampleSize
    var both: [Scalar] = []
    for n in 0..<x.sampleCount {
      both += scalars[n * size..<(n + 1) * size]
      for i in 0..<size { both.append(Scalar(Double((i * 7 + n) % 19) / 9.5 - 1)) }
    }
    return SampleBatch(shape: [x.shape[0], 2 * x.shape[1]] + x.shape.dropFirst(2), scalars: both)
  }

  private static let plans: [SamplingPlan] = {
    var plans: [SamplingPlan] = []
    for clipping in [Clipping.none, .range(-1...0.75), .dynamic(ratio: 0.9, maximum: 1.5)] {
      for entry in SamplerCatalog.all {
        plans.append(try! entry.sampler.plan(over: grid, predicting: .v, clipping: clipping))
      }
      for sampler in [DDPM(variance: .learnedRange), DDPM(variance: .learned)] {
        plans.append(try! sampler.plan(over: grid, predicting: .v, clipping: clipping))
      }
      plans.append(try! DDIM(eta: 0.5).plan(over: grid, predicting: .v, clipping: clipping, learnsVariance: true))
    }
    return plans
  }()

  /// A tensor that no cache holds is swept in two regions by turns, where more threads have parts
  /// that are swept in one.
  @Test func `a large tensor takes the step that its parts take`() throws {
    let count = 1 << 22 + 1500
    var noise = GaussianNoise(seed: 6)
    let output = noise.next(like: [Float](repeating: 0, count: count))
    for sampler in [DDIM(), DPMSolverPlusPlus()] as [any Sampler] {
      func stepped(threads: Int) throws -> [Float] {
        var run = SamplingRun(try sampler.plan(over: Self.grid, predicting: .v, clipping: .range(-1...1)), from: output)
        (run.keepsDenoised, run.threads) = (false, threads)
        for _ in 0..<3 { run.advance(output: output) }
        return run.sample
      }
      #expect(try stepped(threads: 1) == stepped(threads: 3))
    }
  }

  private enum Way { case inPlace, givenNoise, combinations }

  private static func trajectory<Scalar: SampleScalar>(
    _ plan: SamplingPlan, _: Scalar.Type, _ way: Way, threads: Int? = nil
  )
    -> [SampleBatch<Scalar>]
  {
    var run = SamplingRun(plan, from: start(Scalar.self))
    run.threads = threads
    var noise = GaussianNoise(seed: 5, firstSample: 4)
    var result: [SampleBatch<Scalar>] = []
    while let query = run.query {
      let output = network(run.sample, query, plan)
      switch way {
      case .inPlace: run.advance(output: output, using: &noise)
      case .givenNoise: run.advance(output: output, noise: run.needsNoise ? noise.next(like: run.sample) : nil)
      case .combinations: run.advance(output: output, using: &noise, transform: { $0 })
      }
      result += [run.sample, run.denoised!]
    }
    return result
  }

  @Test(arguments: plans.indices) func `a step in place is the same step as by combinations`(index: Int) {
    let plan = Self.plans[index]
    let (fast, slow) = (Self.trajectory(plan, Double.self, .inPlace), Self.trajectory(plan, Double.self, .combinations))
    #expect(fast.count == 2 * plan.steps.count && fast.count == slow.count)
    // A dozen roundings in each of at most 15 steps, of numbers no larger than the largest on the
    // way times the factors that it meets: combinations do not fold x̂0 and the estimate into the
    // step, and cancel where folding does not.
    let largest = slow.reduce(1) { $1.scalars.reduce($0) { max($0, abs($1)) } }
    let factors = plan.steps.map { step in
      let denoising = abs(step.denoising.sample) + abs(step.denoising.output)
      let estimate = abs(step.keeping.sample) + abs(step.keeping.output) * denoising
      let parts = step.next.samples + step.next.estimates + [step.next.predicted, step.next.noise]
      return parts.reduce(1) { $0 + abs($1) } * max(1, denoising, estimate)
    }
    let bound = 12 * 15 * unit * largest * factors.max()!
    for (a, b) in zip(fast, slow) {
      #expect(a.shape == b.shape)
      let error = zip(a.scalars, b.scalars).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(error <= bound, "\(error) beyond \(bound)")
    }
  }

  @Test(arguments: plans.indices) func `noise made on the way is the noise of the source, and threads change no bit`(
    index: Int
  ) {
    let plan = Self.plans[index]
    let fast = Self.trajectory(plan, Float.self, .inPlace, threads: 1)
    #expect(fast == Self.trajectory(plan, Float.self, .givenNoise))
    for threads in [2, 3, 5] { #expect(fast == Self.trajectory(plan, Float.self, .inPlace, threads: threads)) }
  }

  /// But for variances, which the stand-in says by the place in the batch.
  @Test(arguments: plans.indices.filter { !plans[$0].learnsVariance })
  func `an image is that of its seed, whatever else is in the batch`(index: Int) {
    let plan = Self.plans[index]
    let seeds: [UInt64] = [5, 1_000_000_007, 5]
    func end(_ start: SampleBatch<Float>, _ noise: GaussianNoise, _ threads: Int?) -> SampleBatch<Float> {
      var (run, noise) = (SamplingRun(plan, from: start), noise)
      run.threads = threads
      while let query = run.query { run.advance(output: Self.network(run.sample, query, plan), using: &noise) }
      return run.sample
    }
    let start = Self.start(Float.self)
    let whole = end(start, GaussianNoise(seeds: seeds), nil)
    #expect(end(start, GaussianNoise(seeds: seeds), 3) == whole)
    for (n, seed) in seeds.enumerated() { #expect(end(start[n], GaussianNoise(seed: seed), nil) == whole[n]) }
  }

  /// But for what reaches back to earlier samples, of which every step makes a new one.
  @Test(arguments: SamplerCatalog.denoising.filter { $0.keptSamples == 0 })
  func `a run stays in its buffers`(entry: SamplerCatalog.Entry) throws {
    let grid = try SamplingGrid(Self.schedule, steps: 30, spacing: TimestepSpacing.trailing)
    let plan = try entry.sampler.plan(over: grid, predicting: .v)
    var run = SamplingRun(plan, from: [Float](repeating: 0.5, count: 1000))
    run.keepsDenoised = false
    var noise = GaussianNoise(seed: 1)
    let output = [Float](repeating: 0.25, count: 1000)
    var places: Set<UnsafeRawPointer> = []
    while run.query != nil {
      run.advance(output: output, using: &noise)
      for tensor in [run.sample] + run.history.estimates + run.spare {
        tensor.withUnsafeBytes { _ = places.insert($0.baseAddress!) }
      }
      #expect(run.denoised == nil)
    }
    // The sample and the most estimates that the plan ever holds.
    #expect(places.count == 1 + plan.retention.map(\.estimates).max()!)
  }

  @Test func `what x0 is kept for does not change the samples, and may be asked for on the way`() throws {
    let plan = try DPMSolverPlusPlus().plan(over: Self.grid, predicting: .v, clipping: .range(-1...1))
    var (a, b) = (SamplingRun(plan, from: [0.5, -2]), SamplingRun(plan, from: [0.5, -2]))
    b.keepsDenoised = false
    for i in 0..<8 {
      if i == 4 { b.keepsDenoised = true }
      if i == 6 { b.keepsDenoised = false }
      a.advance(output: [0.1, 0.7])
      b.advance(output: [0.1, 0.7])
      #expect(a.sample == b.sample)
      #expect(b.denoised == ((4..<6).contains(i) ? a.denoised : nil))
    }
  }

  @Test func `a sample that somebody else holds is not changed under them`() throws {
    let plan = try DPMSolverPlusPlus().plan(over: Self.grid, predicting: .v)
    let start = [0.5, -2]
    var run = SamplingRun(plan, from: start)
    var seen: [[Double]] = []
    var copies: [SamplingRun<[Double]>] = []
    while run.query != nil {
      seen.append(run.sample)
      copies.append(run)
      run.advance(output: run.sample)
    }
    #expect(seen[0] == start && Set(seen).count == 8)
    for i in 0..<8 {
      #expect(copies[i].sample == seen[i])
      copies[i].advance(output: copies[i].sample)
      #expect(copies[i].sample == (i < 7 ? seen[i + 1] : run.sample))
    }
  }

  @Test func `a run in lent buffers gives what any other gives, and stays in them`() throws {
    struct Stopped: Error {}
    let plan = try DDPM().plan(over: Self.grid, predicting: .v, clipping: .range(-1...1))
    let start = Self.start(Float.self)
    var (noise, same) = (GaussianNoise(seed: 3), GaussianNoise(seed: 3))
    let expected = plan.sample(from: start, using: &noise, model: { x, query in Self.network(x, query, plan) })
    var sample = SampleBatch<Float>(shape: start.shape, scalars: start.scalars.map { $0 })
    var output = SampleBatch<Float>(zeros: start.shape)
    let place = { (tensor: SampleBatch<Float>) in tensor.scalars.withUnsafeBytes { $0.baseAddress! } }
    let places = [place(sample), place(output)]
    plan.sample(in: &sample, output: &output, using: &same) { x, query, output in
      #expect(place(x) == places[0])
      #expect(place(output) == places[1])
      let values = Self.network(x, query, plan).scalars
      for i in values.indices { output.scalars[i] = values[i] }
    }
    #expect(sample == expected)
    #expect(place(sample) == places[0])
    #expect(place(output) == places[1])
    #expect(throws: Stopped.self) {
      try plan.sample(in: &sample, output: &output, using: &same) { _, _, _ throws(Stopped) in throw Stopped() }
    }
    #expect(sample == expected)
  }

  @Test func `a network that is given scaled samples is given them in one buffer`() throws {
    let points = Self.grid.points.map { point in
      SamplingGrid.Point(
        timestep: point.timestep, level: point.level.scaled(by: 1 / point.level.signal), inputScale: point.level.signal)
    }
    let plan = try DDIM().plan(over: SamplingGrid(points: points), predicting: .v)
    var run = SamplingRun(plan, from: Self.start(Float.self))
    var places: Set<UnsafeRawPointer> = []
    var noise = GaussianNoise(seed: 3)
    let end = plan.sample(from: run.sample, using: &noise) { x, query in
      let scale = Float(query.inputScale)
      #expect(x.scalars == run.sample.scalars.map { scale * $0 })
      x.scalars.withUnsafeBytes { _ = places.insert($0.baseAddress!) }
      let output = Self.network(x, query, plan)
      run.advance(output: output)
      return output
    }
    #expect(end == run.sample)
    #expect(places.count == 1)
  }

  @Test func `nothing is sampled from nothing`() throws {
    let plan = try DDPM().plan(over: Self.grid, predicting: .v, clipping: .dynamic())
    var noise = GaussianNoise(seed: 1)
    #expect(plan.sample(from: [Float](), using: &noise, model: { x, _ in x }).isEmpty)
  }

  /// A tensor that counts what is asked of it.
  private final class Counter { var combinations = 0 }
  private struct Counting: LinearSpace {
    let counter: Counter
    static func combination(_ terms: [(coefficient: Double, value: Counting)]) -> Counting {
      terms[0].value.counter.combinations += 1
      return terms[0].value
    }
  }

  @Test func `a foreign tensor is asked for one combination per step and one per estimate kept`() throws {
    for entry in SamplerCatalog.denoising {
      let plan = try entry.sampler.plan(over: Self.grid, predicting: .v)
      let tensor = Counting(counter: Counter())
      var run = SamplingRun(plan, from: tensor)
      for kept in plan.retention {
        let before = tensor.counter.combinations
        run.advance(output: tensor, noise: tensor)
        #expect(tensor.counter.combinations - before <= 1 + min(kept.estimates, 1), "\(entry.name)")
      }
    }
  }

  @Test func `tensors that do not fit are refused`() async {
    await #expect(processExitsWith: .failure) {
      let plan = try DDPM().plan(
        over: SamplingGrid(NoiseSchedule(.cosine(), timesteps: 9), steps: 3, spacing: TimestepSpacing.trailing),
        predicting: .v)
      var run = SamplingRun(plan, from: [0.0, 1])
      run.advance(output: [0, 1], noise: [0])
    }
    await #expect(processExitsWith: .failure) {
      let plan = try DDIM().plan(
        over: SamplingGrid(NoiseSchedule(.cosine(), timesteps: 9), steps: 3, spacing: TimestepSpacing.trailing),
        predicting: .v,
        learnsVariance: true)
      var run = SamplingRun(plan, from: SampleBatch<Float>(zeros: [2, 2, 3]))
      run.advance(output: SampleBatch(zeros: [2, 2, 3]))
    }
    await #expect(processExitsWith: .failure) {
      let plan = try DPMSolverPlusPlus().plan(
        over: SamplingGrid(NoiseSchedule(.cosine(), timesteps: 9), steps: 3, spacing: TimestepSpacing.trailing),
        predicting: .v)
      var run = SamplingRun(plan, from: [0.0, 1])
      run.advance(output: [0, 1])
      run.sample = [0, 1, 2]
      run.advance(output: [0, 1, 2])
    }
  }
}
