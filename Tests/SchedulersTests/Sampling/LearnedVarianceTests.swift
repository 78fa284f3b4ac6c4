import Foundation
import Testing

@testable import Schedulers
@testable import SchedulersInterop

@Suite struct LearnedVarianceTests {
  private let schedule = try! NoiseSchedule(.linear(), timesteps: 100)
  private var grid: SamplingGrid { try! SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing) }

  /// The sample before the last step, which returns x̂0, from a network that says 0 for the
  /// prediction, and the same for every variance.
  private func run(_ variance: Variance, saying v: Double) throws -> [Double] {
    var run = SamplingRun(try DDPM(variance: variance).plan(over: grid, predicting: .x0), from: [0.5, -1])
    var noise = GaussianNoise(seed: 9)
    while run.needsNoise { run.advance(output: variance.isLearned ? [0, 0, v, v] : [0, 0], using: &noise) }
    return run.sample
  }

  @Test func `a learned range ends at the two fixed variances`() throws {
    for (v, fixed) in [(-1.0, Variance.fixedSmall), (1, .fixedLarge)] {
      let (learned, expected) = (try run(.learnedRange, saying: v), try run(fixed, saying: 0))
      // Logarithms of up to 10 in size, each with an error of an ulp, and their exponential, in
      // five steps.
      #expect(zip(learned, expected).allSatisfy { isClose($0, $1, relative: 5 * 16 * unit * 10) })
    }
    #expect(try run(.learnedRange, saying: 0) != run(.fixedSmall, saying: 0))
  }

  @Test func `a learned variance is the exponential of what is said`() throws {
    let plan = try DDPM(variance: .learned).plan(over: grid, predicting: .x0)
    #expect(plan.learnsVariance && plan.isStochastic)
    var runs = [SamplingRun(plan, from: [0.0]), SamplingRun(plan, from: [0.0])]
    for k in 0..<2 { runs[k].advance(output: [0, Foundation.log(4) * Double(k)], noise: [1]) }
    #expect(runs[0].sample == [1])
    #expect(isClose(runs[1].sample[0], 2, relative: 2 * unit))
  }

  private static let schedules: [BetaSchedule] =
    BetaSchedule.all + [.linear(end: 0.03), .linear(end: 0.08), .scaledLinear(end: 0.3)]

  /// The deviation of the noise that a run adds in one step of a plan, where the network gives v:
  /// in place, and with a guidance, which goes by combinations.
  private func deviations(_ step: SamplingPlan.Step, saying v: Double) throws -> [Double] {
    let plan = try SamplingPlan(
      steps: [step], start: step.query.level, clipping: .none, learnsVariance: step.variance?.isLearned ?? false)
    let output = plan.learnsVariance ? [0, v] : [0.0]
    return [nil, ClassifierGuidance.score([0.0])].map { guidance in
      let ends = [1.0, 0].map { noise in
        var run = SamplingRun(plan, from: [0.0])
        run.advance(output: output, noise: [noise], guidance: guidance)
        return run.sample[0]
      }
      return ends[0] - ends[1]
    }
  }

  @Test(arguments: schedules) func `the noise of a step lies between its bounds, whatever the network gives`(
    formula: BetaSchedule
  ) throws {
    let schedule = try NoiseSchedule(formula, timesteps: 1000)
    for steps in [10, 100, 1000] {
      let grid = try SamplingGrid(schedule, steps: steps, spacing: TimestepSpacing.trailing)
      for variance in [Variance.fixedSmall, .fixedLarge, .learnedRange] {
        let plan = try DDPM(variance: variance).plan(over: grid, predicting: .x0)
        for (step, (from, to)) in zip(plan.steps, grid.intervals).dropLast() {
          let posterior = Posterior(from: from.level, to: to.level)
          // Where ᾱ is below 2⁻⁵³, the two are one.
          let bounds =
            (posterior.variance.squareRoot() * (1 - 1e-12))...(posterior.forwardVariance.squareRoot() * (1 + 1e-12))
          for v in [-1, -0.4, 0, 0.7, 1] {
            let found = try deviations(step, saying: v)
            #expect(
              found.allSatisfy(bounds.contains),
              "\(steps) steps, timestep \(step.query.timestep): \(found), not in \(bounds)")
          }
        }
      }
    }
  }

  @Test(arguments: [0.02, 0.03, 0.08]) func `so does that of diffusers' DDPM, whose bounds are equal sooner`(
    end: Double
  ) throws {
    let configuration = try DiffusersConfiguration(.ddpm, ["variance_type": "learned_range", "beta_end": .number(end)])
    let bars = try configuration.tables().alphaBars
    let plan = try configuration.plan(steps: 1000, fidelity: .diffusers)
    for step in plan.steps.dropLast() {
      let t = Int(step.query.timestep)
      let beta = 1 - bars[t] / bars[t - 1]
      let (small, large) = ((1 - bars[t - 1]) / (1 - bars[t]) * beta, beta)
      for v in [-1.0, 0.3, 1] {
        for found in try deviations(step, saying: v) {
          let squared = found * found
          #expect(squared >= Double(small) * (1 - 1e-6) && squared <= Double(large) * (1 + 1e-6), "\(t): \(squared)")
        }
      }
    }
  }

  @Test func `other samplers leave the variance aside`() throws {
    let plain = try DDIM().plan(over: grid, predicting: .epsilon)
    let learning = try DDIM().plan(over: grid, predicting: .epsilon, learnsVariance: true)
    let a = plain.sample(from: [1.0, 2]) { x, _ in [0.1, 0.2] }
    let b = learning.sample(from: [1.0, 2]) { x, _ in [0.1, 0.2, 7, 8] }
    #expect(a == b)
    #expect(try JSONDecoder().decode(SamplingPlan.self, from: JSONEncoder().encode(learning)) == learning)
    #expect(plain != learning)
  }

  @Test func `channels are cut in two, sample by sample`() throws {
    let batch = SampleBatch(shape: [2, 4, 1, 2], scalars: (0..<16).map(Double.init))
    let halves = try #require(batch.halves())
    #expect(halves.first == SampleBatch(shape: [2, 2, 1, 2], scalars: [0, 1, 2, 3, 8, 9, 10, 11]))
    #expect(halves.second == SampleBatch(shape: [2, 2, 1, 2], scalars: [4, 5, 6, 7, 12, 13, 14, 15]))
    #expect(SampleBatch(shape: [2, 3, 2], scalars: [Float](repeating: 0, count: 12)).halves() == nil)
    #expect(SampleBatch(shape: [4], scalars: [0.0, 1, 2, 3]).halves() == nil)
    #expect([1.0, 2, 3].halves() == nil)
  }

  @Test func `an output that does not fit is an error that says what it looks like`() throws {
    let fixed = SamplingRun(
      try DDPM().plan(over: grid, predicting: .epsilon), from: SampleBatch<Float>(zeros: [2, 3, 2]))
    let learned = SamplingRun(
      try DDPM(variance: .learned).plan(over: grid, predicting: .epsilon), from: SampleBatch<Float>(zeros: [2, 3, 2]))
    try fixed.check(SampleBatch(zeros: [2, 3, 2]))
    try learned.check(SampleBatch(zeros: [2, 6, 2]))
    func error(_ run: SamplingRun<SampleBatch<Float>>, _ output: SampleBatch<Float>) throws -> OutputError {
      try #require(#expect(throws: OutputError.self) { try run.check(output) })
    }
    #expect(try error(fixed, SampleBatch(zeros: [2, 6, 2])) == .size(12, sampleSize: 6, learnsVariance: false))
    #expect("\(try error(fixed, SampleBatch(zeros: [2, 6, 2])))".contains("choose a learned variance"))
    #expect("\(try error(learned, SampleBatch(zeros: [2, 3, 2])))".contains("choose a fixed variance"))
    #expect(
      "\(try error(learned, SampleBatch(zeros: [2, 5, 2])))".contains(
        "10 scalars for each sample; it should have twice 6"))
    #expect(
      "\(try error(fixed, SampleBatch(zeros: [2, 4, 2])))".contains("8 scalars for each sample; it should have 6"))
    #expect(try error(fixed, SampleBatch(zeros: [3, 3, 2])) == .samples(3, expected: 2))

    var spoiled = SampleBatch<Float>(zeros: [2, 3, 2])
    spoiled.scalars[9] = .infinity
    var run = fixed
    run.advance(output: SampleBatch(zeros: [2, 3, 2]), noise: SampleBatch(zeros: [2, 3, 2]))
    #expect(try error(run, spoiled) == .notFinite(.infinity, sample: 1, element: 3, timestep: 79, step: 1))
    spoiled.scalars[9] = .nan
    #expect("\(try error(run, spoiled))".contains("nan at element 3 of sample 1, at timestep 79, step 1"))
  }

  @Test func `misuse is refused with a message`() async {
    await #expect(processExitsWith: .failure) {
      let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDPM(variance: .learned).plan(over: grid, predicting: .x0), from: [1.0])
      run.advance(output: [0, 1, 2], noise: [0])
    }
    await #expect(processExitsWith: .failure) {
      let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      _ = SamplingRun(try DDPM(variance: .learned).plan(over: grid, predicting: .x0), from: Real(1))
    }
    await #expect(processExitsWith: .failure) {
      _ = try NoiseSchedule(.linear(), timesteps: 10).mix([1.0], with: [0.0], at: [10])
    }
    await #expect(processExitsWith: .failure) {
      _ = try NoiseSchedule(.linear(), timesteps: 10).mix([1.0], with: [0.0], at: [1, 2])
    }
  }
}
