import Testing

@testable import Schedulers

/// What must hold whatever the formula looks like.
@Suite struct LawTests {
  private static let schedule = try! NoiseSchedule(.linear(), timesteps: 1000)
  private static let variancePreservers: [any Sampler] = [
    DDPM(), DDIM(eta: 0), DDIM(eta: 0.3), DDIM(eta: 1), EulerAncestral(eta: 0.5), EulerAncestral(),
    DPMSolverPlusPlus(order: 1, eta: 1), DPMSolverPlusPlus(eta: 0.5), DPMSolverPlusPlus(order: 3, eta: 1),
    SASolver(predictorOrder: 3, correctorOrder: 4, tau: 1.5), SASolver(noisySigmas: 0.1...1), TCD(), TCD(eta: 1),
    ConsistencyModel(leastSigma: 0), Churn(Euler(), amount: 40), Churn(Euler(), amount: 1e9, range: 0.1...5),
  ]

  /// Data that are one point: x0 = y whatever the sample. The solution of the ODE through x =
  /// signal·y + noise·epsilon keeps epsilon.
  @Test(arguments: SamplerCatalog.deterministic, Spacing.allCases)
  func `a point mass is sampled exactly by every ODE sampler, all along the way`(
    entry: SamplerCatalog.Entry, spacing: Spacing
  ) throws {
    let (y, epsilon) = (0.625, -1.375)
    for steps in [1, 2, 3, 10, 50, 999, 1000] {
      let grid = try spacing.grid(Self.schedule, steps: steps)
      let plan = try entry.sampler.plan(over: grid, predicting: .x0)
      // Each of the N steps rounds a few times at the size of x/signal, at most σ_max·|epsilon| +
      // |y|. A second evaluation divides the rounding of the first by σ' and multiplies it by σ,
      // and so does each one after it.
      let ratios = grid.intervals.dropLast().map { $0.from.level.sigma / $0.to.level.sigma }
      let magnified = (2..<entry.evaluations(steps: 2)).reduce(1.0) { product, _ in product * (ratios.max() ?? 1) }
      // A step multiplies the rounding of its sample by what it takes of it, itself and in E.
      let kept = plan.steps.reduce(1.0) { product, step in
        let (sample, estimate) = (step.next.samples.first ?? 0, step.next.estimates.first ?? 0)
        return product * max(1, abs(sample + estimate * step.keeping.sample))
      }
      let tolerance = 16 * Double(steps) * unit * (1 + grid.points[0].level.sigma) * 2 * magnified * kept
      let start = grid.points[0].level.mix(Real(y), with: Real(epsilon))
      let end = plan.sample(from: start, model: { _, _ in Real(y) }) { run in
        let exact = run.level.mix(Real(y), with: Real(epsilon))
        #expect(abs(run.sample.value - exact.value) <= tolerance)
        #expect(run.denoised == Real(y))
      }
      #expect(abs(end.value - y) <= tolerance)
    }
  }

  /// Guidance by the score takes the noise to be epsilon − noise·gradient, which a network of
  /// epsilon could have said itself.
  @Test(arguments: SamplerCatalog.denoising)
  func `guidance by the score is another epsilon, for every sampler`(entry: SamplerCatalog.Entry) throws {
    let grid = try SamplingGrid(Self.schedule, steps: 7, spacing: TimestepSpacing.leading(offset: 1))
    let plan = try entry.sampler.plan(over: grid, predicting: .epsilon)
    var generator = SplitMix64(seed: 4)
    func number() -> Double { Double.random(in: -1...1, using: &generator) }
    var runs = [SamplingRun(plan, from: [0.5]), SamplingRun(plan, from: [0.5])]
    for step in plan.steps {
      let (output, gradient, noise) = (number(), number(), number())
      runs[0].advance(output: [output], noise: [noise], guidance: .score([gradient], scale: 1.5))
      runs[1].advance(output: [output - step.query.level.noise * 1.5 * gradient], noise: [noise])
      // A step divides its roundings by a signal of 0.006 or more.
      let size = max(1, abs(runs[0].sample[0]), abs(runs[1].sample[0]))
      #expect(abs(runs[0].sample[0] - runs[1].sample[0]) <= 1e-10 * size)
      #expect(abs(runs[0].denoised![0] - runs[1].denoised![0]) <= 1e-10 * max(1, abs(runs[1].denoised![0])))
    }
  }

  /// The outputs of the network are given, so that nothing but the sample itself can carry the
  /// change on.
  @Test(arguments: SamplerCatalog.denoising.filter { !$0.needsSignal })
  func `a sample that is replaced before any evaluation is where the run goes on from`(entry: SamplerCatalog.Entry)
    throws
  {
    let grid = try SamplingGrid(Self.schedule, steps: 6, spacing: TimestepSpacing.leading())
    let plan = try entry.sampler.plan(over: grid, predicting: .epsilon)
    func end(changing k: Int?) -> Double {
      var run = SamplingRun(plan, from: [0.5])
      for i in plan.steps.indices {
        if i == k { run.sample = [run.sample[0] + 1] }
        run.advance(output: [0.1 * Double(i)], noise: [0.0])
      }
      return run.sample[0]
    }
    // A step that begins where the evaluation before began takes what was changed meanwhile for
    // noise.
    for k in plan.steps.indices where plan.steps[k].next.samples.count < 2 {
      #expect(abs(end(changing: k) - end(changing: nil)) > 0.5, "evaluation \(k)")
    }
  }

  @Test(arguments: [0, 0.3, 1]) func `DDIM inversion carries a point mass to where DDIM would have started`(
    strength: Double
  )
    throws
  {
    let grid = try SamplingGrid(Self.schedule, steps: 20, spacing: TimestepSpacing.linspace)
    let y = 0.625
    let plan = try DDIMInversion().plan(over: grid, predicting: .x0)
    let noise = plan.sample(from: Real(y + 1e-3 * strength), model: { _, _ in Real(y) })
    let back = try DDIM().plan(over: grid, predicting: .x0).sample(from: noise, model: { _, _ in Real(y) })
    #expect(abs(back.value - y) <= 16 * 20 * unit * 200)
    #expect(plan.start == .clean)
  }

  /// On a point mass at 0 the network answers 0, and a step is x' = A·x + c·z: the variance must
  /// become that of the next level.
  @Test(arguments: variancePreservers, Spacing.allCases)
  func `stochastic samplers keep the variance of every level on a point mass`(sampler: any Sampler, spacing: Spacing)
    throws
  {
    for steps in [1, 2, 10, 100, 1000] {
      let plan = try sampler.plan(over: spacing.grid(Self.schedule, steps: steps), predicting: .x0)
      var level = plan.start
      for step in plan.steps {
        let factor = step.folded.sample
        let variance = factor * factor * level.noise * level.noise + step.next.noise * step.next.noise
        #expect(isClose(variance, step.arrival.noise * step.arrival.noise, relative: 64 * unit))
        level = step.arrival
      }
    }
  }

  /// On a unit Gaussian the network answers signal·x and every level has variance 1; the step to
  /// clean data draws nothing.
  @Test func `fixed large variance keeps the variance of every level on a unit Gaussian`() throws {
    for steps in [2, 10, 100, 1000] {
      let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: TimestepSpacing.trailing)
      let plan = try DDPM(variance: .fixedLarge).plan(over: grid, predicting: .x0)
      for step in plan.steps.dropLast() {
        let factor = step.folded.sample + step.folded.output * step.query.level.signal
        #expect(isClose(factor * factor + step.next.noise * step.next.noise, 1, relative: 64 * unit))
      }
      #expect(plan.steps.last?.next.noise == 0)
    }
  }

  @Test(arguments: Spacing.allCases, [1, 2, 10, 100, 1000])
  func `DDIM with eta 1, ancestral Euler and DDPM with fixed small variance are one`(spacing: Spacing, steps: Int)
    throws
  {
    let grid = try spacing.grid(Self.schedule, steps: steps)
    let ddpm = try DDPM().plan(over: grid, predicting: .x0)
    for other in [
      try DDIM(eta: 1).plan(over: grid, predicting: .x0), try EulerAncestral().plan(over: grid, predicting: .x0),
    ] {
      expectSameSteps(ddpm, other)
    }
  }

  /// All hold 1 − (σ'/σ)², which cancels where the levels are close.
  private func expectSameSteps(_ plan: SamplingPlan, _ other: SamplingPlan) {
    #expect(plan.steps.count == other.steps.count)
    for (a, b) in zip(plan.steps, other.steps) {
      let ratio = a.arrival.sigma / a.query.level.sigma
      let tolerance = 64 * unit / ((1 - ratio) * (1 + ratio))
      #expect(abs(a.folded.sample - b.folded.sample) <= tolerance)
      #expect(abs(a.folded.output - b.folded.output) <= tolerance)
      #expect(isClose(a.next.noise, b.next.noise, relative: tolerance))
    }
  }

  @Test(arguments: [0, 0.25, 0.7, 1]) func `DDIM and ancestral Euler are one at every eta`(eta: Double) throws {
    let grid = try SamplingGrid(Self.schedule, steps: 25, spacing: TimestepSpacing.leading(offset: 1))
    let ddim = try DDIM(eta: eta).plan(over: grid, predicting: .x0)
    let euler = try EulerAncestral(eta: eta).plan(over: grid, predicting: .x0)
    expectSameSteps(ddim, euler)
  }

  @Test(arguments: Spacing.allCases, [1, 2, 10, 100, 1000])
  func `DPM-Solver++ of order 1 is DDIM is Euler`(spacing: Spacing, steps: Int) throws {
    let grid = try spacing.grid(Self.schedule, steps: steps)
    let euler = try Euler().plan(over: grid, predicting: .x0)
    for other in [
      try DPMSolverPlusPlus(order: 1).plan(over: grid, predicting: .x0), try DDIM().plan(over: grid, predicting: .x0),
      try EulerAncestral(eta: 0).plan(over: grid, predicting: .x0),
    ] {
      for (a, b) in zip(euler.steps, other.steps) {
        // Factors of order 1 made of a handful of rounded operations.
        #expect(abs(a.folded.sample - b.folded.sample) <= 16 * unit)
        #expect(abs(a.folded.output - b.folded.output) <= 16 * unit)
        #expect(b.next.noise == 0)
      }
    }
  }

  @Test func `TCD without noise is DDIM, and with all of it an LCM without its skip`() throws {
    let grid = try SamplingGrid(Self.schedule, steps: 10, spacing: TimestepSpacing.trailing)
    let none = try TCD(eta: 0).plan(over: grid, predicting: .x0)
    for (a, b) in zip(none.steps, try Euler().plan(over: grid, predicting: .x0).steps) {
      #expect(abs(a.folded.sample - b.folded.sample) <= 8 * unit && abs(a.folded.output - b.folded.output) <= 8 * unit)
      #expect(a.next.noise == 0)
    }
    let all = try TCD(eta: 1).plan(over: grid, predicting: .x0)
    // Down to timestep 0, where sigma is 0.01, and up again to 0.3 or more: the noise misses its
    // square, x̂0 a share of it.
    for (a, b) in zip(all.steps, try LCM().plan(over: grid, predicting: .x0).steps) {
      #expect(abs(a.next.noise - b.next.noise) <= 2e-4 && abs(a.folded.output - b.folded.output) <= 0.01 / 0.29)
    }
  }

  /// With Gaussian data of variance c², the ODE through x ends at c·x/√(signal²·c² + noise²), which
  /// is what a distilled network says.
  @Test func `samplers of distilled networks keep the variance of every level at any number of steps`() throws {
    let variance = 0.05
    func spread(at level: NoiseLevel) -> Double { level.signal * level.signal * variance + level.noise * level.noise }
    // An LCM's skip is 0.25/(10·timestep)² at timesteps of 19 and more.
    for (sampler, tolerance) in [
      (ConsistencyModel(leastSigma: 0) as any Sampler, 64 * unit), (LCM(), 2 * 0.25 / 190 / 190 * 5),
    ] {
      for steps in [1, 2, 4, 50] {
        let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .distilled())
        for step in try sampler.plan(over: grid, predicting: .x0).steps {
          let before = spread(at: step.query.level)
          let factor = step.folded.sample + step.folded.output * (variance / before).squareRoot()
          let after = factor * factor * before + step.next.noise * step.next.noise
          #expect(isClose(after, spread(at: step.arrival), relative: tolerance))
        }
      }
    }
  }

  @Test func `Heun's first evaluation is Euler, and the mean of two equal slopes changes nothing`() throws {
    let grid = try SamplingGrid(Self.schedule, steps: 10, spacing: TimestepSpacing.trailing)
    let heun = try Heun().plan(over: grid, predicting: .epsilon)
    let euler = try Euler().plan(over: grid, predicting: .epsilon)
    for (i, step) in euler.steps.enumerated() {
      let first = heun.steps[2 * i]
      #expect(abs(first.folded.sample - step.folded.sample) <= 16 * unit * first.folded.sample)
      #expect(abs(first.folded.output - step.folded.output) <= 64 * unit * first.folded.sample)
      if i < 9 {
        let second = heun.steps[2 * i + 1].next
        #expect(second.samples == [1] && second.estimates[0] == -second.estimates[1])
      }
    }
  }

  @Test(arguments: SamplerCatalog.denoising) func `from any start, a perfect network lands on the data`(
    entry: SamplerCatalog.Entry
  ) throws {
    let grid = try SamplingGrid(Self.schedule, steps: 20, spacing: TimestepSpacing.trailing)
    let y: [Double] = [0.25, -0.75, 1, 0]
    for count in 0...20 {
      let late = try grid.last(count)
      var noise = GaussianNoise(seed: 7)
      let start = late.points[0].level.mix(y, with: noise.next(like: y))
      // To an LCM, perfect is what makes skip·x + out·x̂0 the data.
      let model = { (x: [Double], query: SamplingPlan.Query) -> [Double] in
        guard entry.sampler is LCM else { return y }
        let power = 100 * query.timestep * query.timestep + 0.25
        return zip(x, y).map { ($1 - 0.25 / power * $0) * power.squareRoot() / (10 * query.timestep) }
      }
      let end = try entry.sampler.plan(over: late, predicting: .x0).sample(from: start, using: &noise, model: model)
      #expect(zip(end, y).allSatisfy { abs($0 - $1) <= 16 * 40 * unit * 200 * 6 })
    }
  }
}
