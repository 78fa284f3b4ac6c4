import Foundation
import Schedulers
import SchedulersInterop
import Testing

/// Runs that begin late and end early. What diffusers makes of them is recorded, for every class:
/// `PipelineTraceTests`.
@Suite struct LateStartTests {
  typealias Class = DiffusersConfiguration.Class
  /// A run of RePaint begins at its beginning.
  private static let classes = Class.allCases.filter { $0 != .rePaint }

  /// A start of a step, counted in calls, near the middle of ten steps. With Runge and Kutta's
  /// steps PNDM makes twelve calls in its first three.
  private static func begin(_ schedulerClass: Class) -> Int { schedulerClass == .pndm ? 12 : 4 }

  private static func configuration(_ schedulerClass: Class) throws -> DiffusersConfiguration {
    try DiffusersConfiguration(schedulerClass, schedulerClass == .edmDPMSolverMultistep ? ["solver_order": 2] : [:])
  }

  @Test(arguments: classes, Fidelity.allCases)
  func `the end of a base is the start of its refiner`(schedulerClass: Class, fidelity: Fidelity) throws {
    let (configuration, begin) = (try Self.configuration(schedulerClass), Self.begin(schedulerClass))
    func plan(_ arguments: RunArguments) throws -> SamplingPlan {
      try configuration.plan(steps: 10, fidelity: fidelity, with: arguments)
    }
    let whole = try plan(RunArguments())
    let base = try plan(RunArguments(end: begin))
    let refiner = try plan(RunArguments(begin: begin, setsBeginIndex: true))
    #expect(base.steps.count == begin && Array(whole.steps.prefix(begin)) == base.steps)
    let calls = try configuration.timesteps(
      steps: 10, fidelity: fidelity, with: RunArguments(begin: begin, setsBeginIndex: true))
    // EDM's logarithms are told in float32.
    #expect(zip(refiner.steps, calls).allSatisfy { abs($0.query.timestep - $1) <= 1e-6 })
    #expect(refiner.steps.count == calls.count)
    // Without memory both are parts of the whole.
    if [.eulerDiscrete, .ddpm, .flowMatchEulerDiscrete, .heunDiscrete, .edmEuler, .lcm].contains(schedulerClass) {
      #expect(refiner.steps == Array(whole.steps.dropFirst(begin)))
      let (end, start) = (base.steps[begin - 1].arrival, refiner.steps[0].query.level)
      #expect(end == start)
    }
  }

  @Test(arguments: Fidelity.allCases) func `a solver that begins late has forgotten`(fidelity: Fidelity) throws {
    let configuration = try DiffusersConfiguration(.dpmSolverMultistep, ["solver_order": 3])
    let plan = try configuration.plan(steps: 20, fidelity: fidelity, with: RunArguments(begin: 8, setsBeginIndex: true))
    #expect(plan.steps.prefix(4).map(\.next.estimates.count) == [1, 2, 3, 3])
  }

  /// The pipelines' counts: ⌊N·strength⌋ steps are made, and on rectified flow ⌊N − N·strength⌋
  /// left out.
  @Test(arguments: [
    (Class.ddim, 50, 0.6, 30), (.ddim, 15, 0.07, 1), (.eulerDiscrete, 4, 0.95, 3),
    (.flowMatchEulerDiscrete, 28, 0.6, 17),
    (.flowMatchEulerDiscrete, 4, 0.95, 4), (.flowMatchEulerDiscrete, 9, 0.6, 6),
    (.flowMatchEulerDiscrete, 50, 0.58, 29),
    (.heunDiscrete, 20, 0.5, 19), (.ddim, 50, 1, 50),
  ]) func `a strength makes as many calls as in pipelines`(
    schedulerClass: Class, steps: Int, strength: Double, calls: Int
  ) throws {
    let configuration = try DiffusersConfiguration(schedulerClass)
    for fidelity in Fidelity.allCases {
      let plan = try configuration.plan(steps: steps, fidelity: fidelity, with: RunArguments(strength: strength))
      #expect(plan.steps.count == calls)
    }
  }

  /// Numbers that a file may hold, in every place where a list or a number stands.
  @Test(arguments: Class.allCases) func `no argument traps`(schedulerClass: Class) throws {
    let numbers = [Double.nan, .infinity, -1, 0, 0x1p-1060, 0.5, 1000, 1e300]
    let counts = [Int.min, -1, 0, 3, 9, 10, 40, Int.max]
    var all: [RunArguments] = []
    for a in numbers {
      all += [RunArguments(strength: a), RunArguments(mu: a), RunArguments(eta: a), RunArguments(churn: a)]
      all += [[a], [a, a], [1, 0.5, a], [999, a, 3]].flatMap {
        [RunArguments(timesteps: $0), RunArguments(sigmas: $0), RunArguments(timesteps: $0, sigmas: $0)]
      }
    }
    for n in counts {
      all += [RunArguments(begin: n), RunArguments(end: n), RunArguments(begin: 2, end: n), RunArguments(tokens: n)]
      all += [
        RunArguments(begin: n, setsBeginIndex: true), RunArguments(originalSteps: n), RunArguments(begin: n, end: .max),
      ]
    }
    let flow: [[String: DiffusersConfiguration.Value]] = [
      [:], ["use_flow_sigmas": true], ["use_dynamic_shifting": true],
      ["use_karras_sigmas": true, "use_flow_sigmas": true],
      ["num_train_timesteps": 1],
    ]
    for options in flow {
      let configuration = try DiffusersConfiguration(schedulerClass, options)
      for arguments in all {
        for fidelity in Fidelity.allCases {
          for steps in [nil, 3] {
            _ = try? configuration.plan(steps: steps, fidelity: fidelity, with: arguments)
          }
        }
      }
    }
  }

  private static let bad: [(Class, RunArguments, String)] = [
    (.ddim, RunArguments(strength: 0.01), "strength 0.01 of DDIMScheduler"),
    (.ddim, RunArguments(strength: 1.5), "0 ... 1"),
    (.ddim, RunArguments(strength: .nan), "0 ... 1"),
    (.ddim, RunArguments(begin: 10), "first_step 10 of DDIMScheduler"),
    (.ddim, RunArguments(begin: -1), "first_step -1"), (.ddim, RunArguments(begin: 5, end: 5), "below last_step, 5"),
    (.ddim, RunArguments(end: 11), "last_step 11"), (.ddim, RunArguments(strength: 0.5, begin: 3), "both say where"),
    (.heunDiscrete, RunArguments(begin: 5), "use 4"),
    (.ddim, RunArguments(timesteps: [900, 500]), "only DDPMScheduler"),
    (.ddpm, RunArguments(timesteps: Array(repeating: 500, count: 10)), "timesteps[1] 500"),
    (.ddpm, RunArguments(timesteps: [1000]), "they make 1 steps"), (.rePaint, RunArguments(begin: 2), "first_step 2"),
    (.eulerDiscrete, RunArguments(timesteps: [900, 500], strength: 0.5), "strength 0.5"),
  ]

  @Test(arguments: bad) func `what cannot be is refused in one line`(
    schedulerClass: Class, arguments: RunArguments, words: String
  ) throws {
    let configuration = try DiffusersConfiguration(schedulerClass)
    for fidelity in Fidelity.allCases {
      let error = #expect(throws: ConfigurationError.self) {
        try configuration.plan(steps: 10, fidelity: fidelity, with: arguments)
      }
      #expect(error.map { "\($0)".contains(words) } == true, "\(error as Any)")
    }
  }

  /// Each of PNDM's first three steps is four calls.
  @Test func `a run of PNDM begins where a step of Runge and Kutta begins`() throws {
    let configuration = try DiffusersConfiguration(.pndm)
    func calls(from begin: Int) throws -> Int {
      try configuration.plan(steps: 20, with: RunArguments(begin: begin)).steps.count
    }
    // What is left of 20 steps is a run of its own.
    #expect(try calls(from: 0) == 3 * 4 + 17 && calls(from: 4) == 3 * 4 + 16 && calls(from: 8) == 3 * 4 + 15)
    for begin in [3, 6, 9] { #expect(throws: ConfigurationError.self) { try calls(from: begin) } }
  }

  /// The strength of LCM and TCD is an argument of set_timesteps: it chooses timesteps, of which a
  /// run may make a part.
  @Test func `a strength that chooses timesteps goes with a first step`() throws {
    let configuration = try DiffusersConfiguration(.lcm)
    let plan = try configuration.plan(steps: 4, with: RunArguments(strength: 0.5))
    let late = try configuration.plan(steps: 4, with: RunArguments(strength: 0.5, begin: 1))
    #expect(late.steps.map(\.query.timestep) == plan.steps.dropFirst().map(\.query.timestep))
    let both = RunArguments(strength: 0.5, begin: 1)
    #expect(throws: ConfigurationError.self) { try DiffusersConfiguration(.ddim).plan(steps: 4, with: both) }
  }
}
