import SchedulersFixtures
import Testing

@testable import Schedulers

/// The density of steps that were taken. `Fixtures/recipes/step_probabilities.py` made the numbers.
@Suite struct StepProbabilityTests {
  private static let known = Result { try Safetensors("step-probabilities.safetensors") }

  private func plan(_ sampler: some Sampler, clipping: Clipping = .none) throws -> SamplingPlan {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    let grid = try SamplingGrid(schedule, steps: 10, spacing: TimestepSpacing.leading())
    return try sampler.plan(over: grid, predicting: .epsilon, clipping: clipping)
  }

  private func compare(_ name: String, _ plan: SamplingPlan) throws {
    let known = try Self.known.get()
    func batch(_ part: String) throws -> SampleBatch<Double> {
      let numbers = try known.doubles("\(name).\(part)")
      return SampleBatch(shape: [2, numbers.count / 2], scalars: numbers)
    }
    let (sample, output) = (try batch("sample"), try batch("output"))
    var run = SamplingRun(plan, from: sample)
    for _ in 0..<Int(try known.doubles("\(name).index")[0]) {
      run.advance(output: SampleBatch(zeros: output.shape), noise: SampleBatch(zeros: sample.shape))
    }
    run.sample = sample
    let made = try #require(run.probability(of: batch("next"), output: output))
    // ᾱ of the reference is a product of 1000 roundings, 1e-13, which differences and deviations
    // of 0.02 and more magnify a few thousand times.
    func check(_ own: [Double], _ part: String) throws {
      let expected = try known.doubles("\(name).\(part)")
      #expect(own.count == expected.count)
      for (a, b) in zip(own, expected) { #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(name) \(part)") }
      Comparisons.count(expected.count)
    }
    try check(made.mean.scalars, "mean")
    try check(made.logProbabilities, "log")
    try check(try #require(made.gradient).scalars, "gradient")
  }

  @Test func `probabilities and their gradients are those of torch on diffusers' steps`() throws {
    for index in [0, 6] {
      try compare("ddpm/\(index)", plan(DDPM(variance: .fixedSmall)))
      try compare("ddpm-range/\(index)", plan(DDPM(variance: .learnedRange)))
    }
    try compare("ddpm-clip/7", plan(DDPM(variance: .fixedSmall), clipping: .range(-1...1)))
    try compare("ddim/6", plan(DDIM(eta: 0.7)))
  }

  @Test(arguments: SamplerCatalog.all)
  func `every step of every plan has a density, or says that it has none`(entry: SamplerCatalog.Entry) throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    let grid = try SamplingGrid(schedule, steps: 8, spacing: TimestepSpacing.leading())
    let plan = try entry.sampler.plan(over: grid, predicting: .v)
    var generator = SplitMix64(seed: 3)
    func draw() -> [Double] { (0..<3).map { _ in Double.random(in: -1.5...1.5, using: &generator) } }
    var run = SamplingRun(plan, from: draw())
    var densities = 0
    while let step = run.step {
      let (output, z, before) = (draw(), draw(), run)
      run.advance(output: output, noise: z)
      guard let p = before.probability(of: run.sample, output: output) else {
        #expect(step.next.noise == 0)
        continue
      }
      densities += 1
      let expected = z.reduce(-3 * Math.log(abs(step.next.noise) * (2 * Double.pi).squareRoot())) { $0 - $1 * $1 / 2 }
      // x' is rounded, which the deviation magnifies in z.
      let size = run.sample.reduce(1) { max($0, abs($1)) } / abs(step.next.noise)
      #expect(abs(p.logProbabilities[0] - expected) <= 64 * unit * max(size, abs(expected)), "\(entry.name)")
      #expect(p.deviation == [Double](repeating: abs(step.next.noise), count: 3))
      // ln p is quadratic in the output, so a central difference has rounding errors alone.
      for i in 0..<3 {
        func log(_ change: Double) -> Double {
          var changed = output
          changed[i] += change
          return before.probability(of: run.sample, output: changed)!.logProbabilities[0]
        }
        let slope = (log(0.25) - log(-0.25)) / 0.5
        let own = try #require(p.gradient)[i]
        let scale = max(1, abs(log(0.25)), abs(log(-0.25)), abs(own))
        #expect(abs(own - slope) <= 256 * unit * size * scale, "\(entry.name): \(own), \(slope)")
      }
    }
    #expect((densities > 0) == plan.isStochastic)
  }

  @Test func `clipping by a quantile leaves no gradient, and an end no step`() async throws {
    let plan = try plan(DDPM(), clipping: .dynamic())
    let run = SamplingRun(plan, from: [0.5, -2.0])
    #expect(try #require(run.probability(of: [0, 0], output: [1, 1])).gradient == nil)
    await #expect(processExitsWith: .failure) {
      let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 10), steps: 1, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDPM().plan(over: grid, predicting: .epsilon), from: [1.0])
      run.advance(output: [1.0])
      _ = run.probability(of: [1.0], output: [1.0])
    }
  }
}
