import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// The loops of diffusers' own tests, through public names alone: `Fixtures/recipes/loops.py`.
@Suite struct DiffusersLoopTests {
  /// One loop of a test.
  struct Loop: Decodable, CustomTestStringConvertible, Sendable {
    let test: String
    let loop: Int
    let schedulerClass: String
    let config: [String: DiffusersConfiguration.Value]
    let arguments: [String: DiffusersConfiguration.Value]
    /// The arguments of the loop that is to give the same.
    let like: [String: DiffusersConfiguration.Value]?
    let firstStep, calls: Int
    let passes: Int?
    let shape: [Int]
    let scale: Double
    let noising: [Double]?
    let input: Input
    let seed: UInt64?
    /// A number and its tolerance, by what they are about.
    let expected: [String: [Double]]
    let result: [String: Double]
    let firstPass: [String: Double]?
    var testDescription: String { "\(test), \(loop)" }

    enum CodingKeys: String, CodingKey {
      case test, loop, config, arguments, like, calls, passes, shape, scale, noising, input, seed, expected, result
      case schedulerClass = "class"
      case firstStep = "first_step"
      case firstPass = "first_pass"
    }

    /// What the network is given, and what the test goes on from.
    enum Input: String, Decodable, Sendable { case sample, scaled, kept }
  }

  /// At which of its calls a run of six steps draws noise: "1".
  struct Drawing: Decodable, CustomTestStringConvertible, Sendable {
    let schedulerClass: String
    let config: [String: DiffusersConfiguration.Value]
    let arguments: [String: DiffusersConfiguration.Value]
    let calls: String
    var testDescription: String { "\(schedulerClass) \(config) \(arguments)" }

    enum CodingKeys: String, CodingKey {
      case config, arguments, calls
      case schedulerClass = "class"
    }
  }

  private struct File: Decodable {
    let apart: [Apart]
    let draws: [Drawing]
    let loops: [Loop]
    struct Apart: Decodable { let test: String }
  }

  private static let file: File? = {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return try? decoder.decode(File.self, from: Fixtures.data("diffusers-loops.json"))
  }()
  private static let loops = file?.loops ?? []
  private static let draws = file?.draws ?? []

  /// Loops whose expectation is a mistake, and why.
  private static let mistakes = [
    "ipndm.IPNDMSchedulerTest.test_full_loop_no_noise":
      "it goes through the timesteps a second time, from data as if it were noise, and with the outputs that the "
      + "solver remembers of the first time, which are of other noise levels"
  ]

  @Test func `every loop is there`() throws {
    let file = try #require(Self.file)
    #expect(file.loops.count { $0.expected["difference"] == nil } == 106)
    #expect(file.loops.count { $0.expected["difference"] != nil } == 48)
    #expect(file.loops.count { $0.noising != nil } == 15)
    // Those of two classes that compute in batches, of UnCLIP and of the VE process.
    #expect(file.apart.count == 11)
    #expect(file.draws.count > 30)
    #expect(Self.mistakes.keys.allSatisfy { name in file.loops.contains { $0.test == name } })
  }

  /// What a loop makes of its sample.
  private func made(_ loop: Loop, with arguments: [String: DiffusersConfiguration.Value]) throws -> SampleBatch<Float> {
    let configuration = try DiffusersConfiguration(loop.schedulerClass, loop.config)
    var given = arguments
    var steps = integer(given.removeValue(forKey: "steps"))
    // Without set_timesteps a test counts down from the last timestep.
    if steps == nil, given["timesteps"] == nil, given["sigmas"] == nil {
      steps = integer(configuration["num_train_timesteps"])
    }
    if loop.firstStep > 0 { given["first_step"] = .integer(loop.firstStep) }
    let arguments = try Self.arguments(given)
    let plan = try configuration.plan(steps: steps, fidelity: .diffusers, with: arguments)
    #expect(plan.steps.count == loop.calls)

    var run = SamplingRun(plan, from: try start(loop, plan))
    if configuration.schedulerClass == .dpmSolverSDE {
      let sigmas = try configuration.sigmas(steps: steps).map(Double.init).filter { $0 > 0 }
      let seed = try #require(integer(configuration["noise_sampler_seed"]))
      var noise = TorchSDENoise(seed: UInt64(seed), sigmas: sigmas.min()!...sigmas.max()!)
      finish(&run, loop.input, &noise, draws: plan.steps.map { $0.next.noise != 0 })
    } else {
      let draws = try configuration.draws(steps: steps, with: arguments)
      #expect(draws.contains(true) == (loop.seed != nil))
      var noise = TorchNoise(seed: loop.seed ?? 0)
      finish(&run, loop.input, &noise, draws: draws)
    }
    return run.sample
  }

  private static func arguments(_ values: [String: DiffusersConfiguration.Value]) throws -> RunArguments {
    try JSONDecoder().decode(RunArguments.self, from: Data(DiffusersConfiguration.Value.object(values).json.utf8))
  }

  @Test(arguments: draws) func `a run draws where diffusers draws`(row: Drawing) throws {
    let configuration = try DiffusersConfiguration(row.schedulerClass, row.config)
    let draws = try configuration.draws(steps: 6, with: Self.arguments(row.arguments))
    #expect(draws.map { $0 ? "1" : "0" }.joined() == row.calls)
  }

  private func integer(_ value: DiffusersConfiguration.Value?) -> Int? {
    if case .integer(let value)? = value { value } else { nil }
  }

  /// The first sample: a ramp, to which noise is added where the run begins late.
  private func start(_ loop: Loop, _ plan: SamplingPlan) throws -> SampleBatch<Float> {
    let count = loop.shape.reduce(1, *)
    let (batch, size) = (loop.shape[0], count / loop.shape[0])
    let ramp = (0..<count).map { i in Float(i % size * batch + i / size) / Float(count) }
    let sample = SampleBatch(shape: loop.shape, scalars: ramp.map { Float(loop.scale) * $0 })
    guard let noising = loop.noising else {
      // What add_noise would have been multiplied by is what the sample is.
      if loop.scale != 1 { #expect(isClose(plan.initialScale, loop.scale, relative: 1e-6)) }
      return sample
    }
    let level = plan.start
    #expect(isClose(level.signal, noising[0], relative: 1e-6) && isClose(level.noise, noising[1], relative: 1e-6))
    let noise = SampleBatch(shape: loop.shape, scalars: ramp.map { Float(count - 1) / Float(count) - $0 })
    return .combination([(level.signal, sample), (level.noise, noise)])
  }

  /// Goes to the end of a run with the tests' network, sample·t/(t + 1).
  private func finish(
    _ run: inout SamplingRun<SampleBatch<Float>>, _ input: Loop.Input, _ noise: inout some NoiseSource, draws: [Bool]
  ) {
    while let query = run.query {
      if input == .kept { run.sample = run.input }
      if draws[run.evaluations], !run.needsNoise { _ = noise.next(like: run.sample) }
      let t = Float(query.timestep)
      let given = input == .scaled ? run.input : run.sample
      run.advance(
        output: SampleBatch(shape: given.shape, scalars: given.scalars.map { $0 * t / (t + 1) }), using: &noise)
    }
  }

  @Test(arguments: loops) func `a loop of diffusers' tests gives what they expect`(loop: Loop) throws {
    let sample = try made(loop, with: loop.arguments)
    var values = magnitudes(sample)
    if let like = loop.like {
      values["difference"] = zip(sample.scalars, try made(loop, with: like).scalars).reduce(0) {
        $0 + abs(Double($1.0) - Double($1.1))
      }
    }
    if Self.mistakes[loop.test] == nil {
      for (key, expected) in loop.expected { #expect(abs(values[key]! - expected[0]) < expected[1], "\(key)") }
    }
    // Many expectations are smaller than their tolerance, so that 0 would do. diffusers' own result
    // is met closer: at t = 999 sample − output is a thousandth of what it is made of, and carries
    // a thousand times its roundings of 2⁻²⁴, of which there are one or two. Less than a millionth
    // is what such roundings leave of a sample that cancels altogether.
    for (key, result) in loop.firstPass ?? loop.result where key != "difference" {
      #expect(abs(values[key]! - result) <= 2e3 * 0x1p-24 * result + 1e-6, "\(key)")
    }
  }

  private func magnitudes(_ sample: SampleBatch<Float>) -> [String: Double] {
    let sum = sample.scalars.reduce(0) { $0 + abs(Double($1)) }
    return ["sum": sum, "mean": sum / Double(sample.scalars.count)]
  }
}
