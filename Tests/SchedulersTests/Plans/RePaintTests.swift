import SchedulersFixtures
import Testing

@testable import Schedulers

/// RePaint's jumps and runs against diffusers' in float64: `Fixtures/recipes/repaint.py` says how
/// they were made.
@Suite struct RePaintTests {
  private static let file = Result { try Safetensors("repaint.safetensors") }
  private static let cases = [[6, 2, 3], [10, 1, 2], [10, 3, 2], [12, 4, 1], [7, 5, 3], [5, 10, 4], [1, 1, 2]]

  @Test(arguments: cases) func `a run comes to the points of the reference, by the same numbers`(numbers: [Int]) throws
  {
    let file = try Self.file.get()
    let (steps, length, resamplings) = (numbers[0], numbers[1], numbers[2])
    let name = "\(steps)/\(length)/\(resamplings)"
    let sampler = RePaint(jumpLength: length, resamplings: resamplings)
    // There a jump passes the timesteps between.
    let expected = try file.integers("\(name).visits").map { steps - 1 - $0 }
    let turns = expected.indices.filter { i in
      let isPassed = i > 0 && i + 1 < expected.count && expected[i] < expected[i - 1] && expected[i + 1] < expected[i]
      return !isPassed
    }
    #expect(sampler.visits(steps: steps) == turns.map { expected[$0] })

    let schedule = try NoiseSchedule(betas: file.doubles("\(steps).betas"))
    let grid = try SamplingGrid(schedule, timesteps: Array((0..<steps).reversed()))
    let plan = try sampler.plan(over: grid, predicting: .epsilon)
    // ᾱ above 0.1, and differences of it above 0.01 of it, lose two digits.
    expectRows(of: plan, are: try file.doubles("\(name).run"))
  }

  @Test func `without resampling it is DDIM`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 100), steps: 25, spacing: TimestepSpacing.trailing)
    for eta in [0, 0.5, 1] {
      let plain = try DDIM(eta: eta).plan(over: grid, predicting: .v)
      #expect(try RePaint(eta: eta, resamplings: 1).plan(over: grid, predicting: .v) == plain)
    }
  }

  /// Data of two equal numbers, a standard normal one twice, of which the first is known.
  private func filled(resamplings: Int, seed: UInt64) throws -> [Double] {
    let known = [0.8, 0]
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 40, spacing: TimestepSpacing.trailing)
    let plan = try RePaint(jumpLength: 5, resamplings: resamplings).plan(over: grid, predicting: .x0)
    var noise = GaussianNoise(seed: seed)
    var run = SamplingRun(plan, from: noise.next(like: known))
    while let query = run.query {
      let (signal, variance) = (query.level.signal, query.level.noise * query.level.noise)
      let mean = signal * (run.sample[0] + run.sample[1]) / (variance + 2 * signal * signal)
      run.advance(output: [mean, mean], using: &noise)
      run.sample[0] = run.level.mix(known, with: noise.next(like: known))[0]
    }
    return run.sample
  }

  @Test func `what is filled in agrees with what is known, the better the more often it is made anew`() throws {
    func error(resamplings: Int) throws -> Double {
      try (0..<UInt64(20)).reduce(0.0) { sum, seed in
        let sample = try filled(resamplings: resamplings, seed: seed)
        #expect(sample[0] == 0.8)
        return sum + abs(sample[1] - 0.8) / 20
      }
    }
    // Once: the network never sees both at peace. Ten times: closer by far more than the scatter of
    // twenty means.
    let (once, often) = (try error(resamplings: 1), try error(resamplings: 10))
    #expect(often < once / 2, "\(once) \(often)")
  }

  @Test(arguments: [0, -1, 1001, .max]) func `options out of range are errors that name them`(value: Int) throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 100), steps: 5, spacing: TimestepSpacing.trailing)
    for (sampler, name) in [(RePaint(jumpLength: value), "jumpLength"), (RePaint(resamplings: value), "resamplings")] {
      #expect(throws: PlanError.option(name, Double(value), of: "RePaint", allowed: "1 ... 1000")) {
        try sampler.plan(over: grid, predicting: .v)
      }
    }
    #expect(throws: PlanError.self) { try RePaint(eta: -1).plan(over: grid, predicting: .v) }
  }
}
