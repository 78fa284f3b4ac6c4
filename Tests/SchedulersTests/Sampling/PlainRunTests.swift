import Testing

@testable import Schedulers

/// The engine against the plain reading of a plan.
@Suite struct PlainRunTests {
  /// Every symbol in every step, as far back as there are samples, with each kind of variance in
  /// turn.
  private struct EverySymbol: Sampler {
    var learnsVariance: Bool

    func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
      grid.intervals.enumerated().map { i, interval in
        let made = [0.25, 0.125, -0.0625].prefix(i + 1).enumerated().map { $1 * LinearForm.sample(ago: $0) }
        let kept = [-0.5, 0.375, 0.3].prefix(i + 1).enumerated().map { $1 * LinearForm.estimate(ago: $0) }
        let rest = [0.2 * LinearForm.made, 0.15 * .predicted, -0.35 * .output, 0.4 * .noise]
        let variances: [StepVariance?] =
          learnsVariance
          ? [.learned(LogVariance(offset: -0.5, slope: 0.75)), .output, .fixed(logarithm: -1), nil]
          : [.fixed(logarithm: -1), nil]
        return SamplingPlan.Move(
          at: interval.from, to: interval.to.level, estimate: i.isMultiple(of: 2) ? .x0 : .epsilon,
          next: .sum(Array(repeating: DoubleDouble(1), count: 10), made + kept + rest),
          variance: variances[i % variances.count])
      }
    }
  }

  private static let plans: [SamplingPlan] = {
    // Long enough for RePaint to jump.
    let grid = try! SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 12, spacing: .leading(offset: 1))
    return [Clipping.none, .range(-0.75...1), .dynamic(ratio: 0.7, maximum: 1.25)].flatMap { clipping in
      func plan(_ sampler: any Sampler, over grid: SamplingGrid) -> SamplingPlan {
        try! sampler.plan(over: grid, predicting: .v, clipping: clipping)
      }
      let others: [any Sampler] = [
        DDPM(variance: .learned), DDPM(variance: .learnedRange), EverySymbol(learnsVariance: true),
        EverySymbol(learnsVariance: false),
      ]
      let plans = (SamplerCatalog.all.map(\.sampler) + others).map { plan($0, over: grid) }
      return plans + [plan(DDIM(eta: 0.5), over: try! grid.exploding())]
    }
  }()

  /// How far the two may be apart, by running error analysis: each line of a step carries on the
  /// differences of what it is made of, and rounds its terms. A folded coefficient has the rounding
  /// of the terms that it is made of.
  private struct Bounds {
    /// Of the samples, the estimates, and the newest sample as it was made.
    var samples = [0.0], estimates: [Double] = [], made = 0.0
    var denoised = 0.0

    mutating func advance(
      _ step: SamplingPlan.Step, clipping: Clipping, from run: PlainRun, _ output: Double, _ noise: Double
    ) {
      func size(_ values: [Double]) -> Double { values.reduce(0) { max($0, abs($1)) } }
      func line(_ readout: SamplingPlan.Readout, _ x: (Double, Double), _ y: (Double, Double)) -> (Double, Double) {
        let size = abs(readout.sample) * x.0 + abs(readout.output) * y.0
        return (size, abs(readout.sample) * x.1 + abs(readout.output) * y.1 + 8 * unit * size)
      }
      // A size and a bound of each.
      let sizes = (run.samples.map(size), run.estimates.map(size))
      let x = (sizes.0[0], samples[0])
      let predicted = line(step.denoising, x, (output, 0))
      // A threshold of 1 or more moves by as much as the values do.
      let clipped = (predicted.0, clipping.isDynamic ? 2 * predicted.1 + 2 * unit * predicted.0 : predicted.1)
      let estimate = line(step.keeping, x, clipped)
      var terms: [(Double, (Double, Double))] = [
        (step.next.made, (sizes.0[0] + 1, made)), (step.next.predicted, predicted), (step.next.output, (output, 0)),
        (step.next.noise, (noise, 0)),
      ]
      terms += zip(step.next.samples, zip(sizes.0, samples)).map { ($0, $1) }
      terms += zip(step.next.estimates, [estimate] + zip(sizes.1, estimates)).map { ($0, $1) }
      let total = terms.reduce(0) { $0 + abs($1.0) * $1.1.0 }
      made = terms.reduce(0) { $0 + abs($1.0) * $1.1.1 } + Double(terms.count + 8) * unit * total
      denoised = clipped.1
      samples.insert(made, at: 0)
      estimates.insert(estimate.1, at: 0)
    }
  }

  @Test(arguments: plans.indices, [true, false])
  func `a run makes the samples that the plan means, in place and by combinations`(index: Int, inPlace: Bool) throws {
    let plan = Self.plans[index]
    var generator = SplitMix64(seed: 8)
    func numbers(_ range: ClosedRange<Double>) -> [Double] {
      (0..<7).map { _ in .random(in: range, using: &generator) }
    }
    let start = numbers(-2...2)
    var (plain, run, bounds) = (PlainRun(plan, from: start), SamplingRun(plan, from: start), Bounds())
    func isNear(_ a: [Double], _ b: [Double], _ bound: Double) -> Bool {
      zip(a, b).allSatisfy { abs($0 - $1) <= bound }
    }
    for (i, step) in plan.steps.enumerated() {
      let query = SamplingPlan.Query(step.query, step: run.evaluations, count: plan.steps.count)
      #expect(run.query == query && plain.query == query)
      let scale = step.query.inputScale
      #expect(isNear(plain.input, plain.samples[0].map { scale * $0 }, 0))
      #expect(isNear(run.input, plain.input, scale * (bounds.samples[0] + unit * 100)))
      // The root of what the network says of the variance is below 3, and is rounded in a few
      // units.
      let output = numbers(-1...1) + (plan.learnsVariance ? numbers(0...1) : [])
      let noise = numbers(-2...2)
      bounds.advance(step, clipping: plan.clipping, from: plain, 1, 2 * 3 * 4)
      plain.advance(output: output, noise: noise)
      if inPlace {
        run.advance(output: output, noise: noise)
      } else {
        run.advance(output: output, noise: noise, transform: { $0 })
      }
      #expect(run.level == step.arrival)
      #expect(isNear(run.sample, plain.samples[0], bounds.samples[0]), "evaluation \(i)")
      #expect(isNear(try #require(run.denoised), try #require(plain.denoised), bounds.denoised), "evaluation \(i)")
      // Somebody else changes a sample now and then, who does not change how it was made.
      if i % 4 == 1, i + 1 < plan.steps.count {
        let edited = plain.samples[0].map { $0 + 0.5 }
        (plain.samples[0], run.sample, bounds.samples[0]) = (edited, edited, 0)
      }
    }
    #expect(plain.query == nil && run.query == nil && !run.needsNoise && plain.samples.count == plan.steps.count + 1)
    // The bound says something: it is far below the samples.
    let largest = plain.samples.reduce(1) { $1.reduce($0) { max($0, abs($1)) } }
    #expect(bounds.samples[0] <= 1e-9 * largest, "\(bounds.samples[0]) beside \(largest)")
  }
}
