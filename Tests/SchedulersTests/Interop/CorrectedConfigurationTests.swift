import Foundation
import Schedulers
import SchedulersInterop
import Testing

/// `.corrected`: a configuration is this library's own schedule, grid and sampler.
@Suite struct CorrectedConfigurationTests {
  /// DEISMultistepScheduler.step lowers the order at the end of runs of fewer than 15 steps.
  @Test func `DEIS lowers its last order in short runs`() throws {
    let configuration = try DiffusersConfiguration(.deis, ["solver_order": 3])
    for (steps, kept) in [(14, 2), (15, 3)] {
      for fidelity in Fidelity.allCases {
        let plan = try configuration.plan(steps: steps, fidelity: fidelity)
        #expect(plan.steps[steps - 2].next.estimates.count == kept, "\(steps) steps, \(fidelity)")
      }
    }
  }

  /// With no estimate before it, the first step of these classes is that of their rule.
  @Test func `the rule of a class makes its first step`() throws {
    let cases: [(DiffusersConfiguration.Class, [String: DiffusersConfiguration.Value])] =
      [(.ddim, [:]), (.ddpm, [:]), (.eulerDiscrete, [:]), (.eulerAncestralDiscrete, [:]), (.lms, [:]), (.deis, [:])]
      + [(.uniPC, [:]), (.flowMatchEulerDiscrete, [:]), (.dpmSolverMultistep, [:])]
      + [(.dpmSolverMultistep, ["algorithm_type": "sde-dpmsolver++"])]
    for (schedulerClass, options) in cases {
      let configuration = try DiffusersConfiguration(schedulerClass, options)
      let rule = try #require(configuration.rule(with: RunArguments(), fidelity: .corrected))
      let plan = try configuration.plan(steps: 10)
      // Some classes have samples of x0 + σ·epsilon.
      let own = try configuration.grid(steps: 10)
      let grid = plan.start.signal == 1 && own.points[0].level.signal != 1 ? try own.exploding() : own
      let (first, made) = (
        try rule.plan(over: grid, predicting: schedulerClass == .flowMatchEulerDiscrete ? .flow : .epsilon).steps[0],
        plan.steps[0]
      )
      let pairs = [
        (first.folded.sample, made.folded.sample), (first.folded.output, made.folded.output),
        (first.next.noise, made.next.noise),
      ]
      // Two ways to the same few operations on levels.
      for (a, b) in pairs { #expect(isClose(a, b, relative: 64 * unit), "\(schedulerClass.rawValue)") }
    }
  }

  private typealias Values = [String: DiffusersConfiguration.Value]

  private static func plan(
    _ schedulerClass: DiffusersConfiguration.Class, _ values: Values = [:], steps: Int = 10,
    with run: RunArguments = .init()
  ) throws -> SamplingPlan {
    try DiffusersConfiguration(schedulerClass, values).plan(steps: steps, with: run)
  }

  @Test func `DDPM and DDIM are theirs, with the file's clipping and prediction`() throws {
    let linear = try NoiseSchedule(.linear(), timesteps: 1000)
    let leading = try SamplingGrid(linear, steps: 10, spacing: .leading())
    #expect(try Self.plan(.ddpm) == DDPM().plan(over: leading, predicting: .epsilon, clipping: .range(-1...1)))
    for (name, variance) in [
      ("fixed_large", Variance.fixedLarge), ("fixed_large_log", .fixedLarge), ("fixed_small_log", .fixedSmall),
      ("learned", .learned),
      ("learned_range", .learnedRange),
    ] {
      let own = try DDPM(variance: variance).plan(over: leading, predicting: .x0)
      #expect(
        try Self.plan(.ddpm, ["variance_type": .string(name), "clip_sample": false, "prediction_type": "sample"])
          == own,
        "\(name)")
    }
    let scaled = try NoiseSchedule(.scaledLinear(start: 0.00085, end: 0.012), timesteps: 500)
      .rescaledToZeroTerminalSNR()
    let trailing = try SamplingGrid(scaled, steps: 7, spacing: .trailing)
    let values: Values = [
      "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "num_train_timesteps": 500,
      "rescale_betas_zero_snr": true, "timestep_spacing": "trailing", "prediction_type": "v_prediction",
      "thresholding": true,
      "sample_max_value": 2.0, "dynamic_thresholding_ratio": 0.9,
    ]
    let own = try DDIM(eta: 0.3).plan(over: trailing, predicting: .v, clipping: .dynamic(ratio: 0.9, maximum: 2))
    #expect(try Self.plan(.ddim, values, steps: 7, with: RunArguments(eta: 0.3)) == own)
  }

  @Test func `DDIM inversion runs over the same grid, and what ends at timestep 0 does so`() throws {
    let cosine = try NoiseSchedule(.cosine(), timesteps: 1000)
    let values: Values = ["beta_schedule": "squaredcos_cap_v2", "steps_offset": 1, "clip_sample": false]
    let grid = try SamplingGrid(cosine, steps: 10, spacing: .leading(offset: 1))
    #expect(try Self.plan(.ddimInverse, values) == DDIMInversion().plan(over: grid, predicting: .epsilon))
    let ended = try SamplingGrid(points: grid.points.dropLast() + [.init(timestep: 0, level: cosine[0])])
    let toLeast = values.merging(["set_alpha_to_one": false]) { $1 }
    #expect(try Self.plan(.ddim, toLeast) == DDIM().plan(over: ended, predicting: .epsilon))
    #expect(try Self.plan(.ddimInverse, toLeast) == DDIMInversion().plan(over: ended, predicting: .epsilon))
    let deprecated = values.merging(["set_alpha_to_zero": false]) { $1 }
    #expect(try Self.plan(.ddimInverse, deprecated) == DDIMInversion().plan(over: ended, predicting: .epsilon))
    // Where the last timestep is 0 already, there is nowhere else to go than clean data.
    let last = try Self.plan(.ddim, ["set_alpha_to_one": false]).steps[9]
    #expect(last.query.timestep == 0 && last.arrival == .clean)
  }

  @Test(arguments: [
    (DiffusersConfiguration.Class.eulerDiscrete, "euler", 1e-4, 0.02),
    (.eulerAncestralDiscrete, "euler-ancestral", 1e-4, 0.02),
    (.heunDiscrete, "heun", 0.00085, 0.012), (.dpmSolverSDE, "dpm++sde", 0.00085, 0.012),
  ])
  func `Euler's family has samples x0 + sigma·epsilon`(
    schedulerClass: DiffusersConfiguration.Class, name: String, start: Double, end: Double
  ) throws {
    let linear = try NoiseSchedule(.linear(start: start, end: end), timesteps: 1000)
    let grid = try SamplingGrid(linear, steps: 5, spacing: .linspace)
    let preserving = try #require(SamplerCatalog[name]).sampler.plan(over: grid, predicting: .epsilon)
    let exploding = try Self.plan(schedulerClass, steps: 5)
    #expect(exploding.steps.count == preserving.steps.count)
    for (own, other) in zip(exploding.steps, preserving.steps) {
      #expect(own.query.timestep == other.query.timestep && own.query.level.signal == 1)
      #expect(isClose(own.query.level.sigma, other.query.level.sigma, relative: 4 * unit))
      #expect(isClose(own.query.inputScale, other.query.level.signal, relative: 4 * unit))
      // The same step between samples that are 1/signal as large.
      let factor = other.query.level.signal / other.arrival.signal
      #expect(isClose(own.folded.sample, factor * other.folded.sample, relative: 1e-9))
      #expect(isClose(own.next.noise, other.next.noise / other.arrival.signal, relative: 1e-12))
    }
    #expect(try DiffusersConfiguration(schedulerClass).timesteps(steps: 5) == exploding.steps.map(\.query.timestep))
  }

  @Test func `flow matching by Heun's method and by noise drawn anew are theirs`() throws {
    let shifted = FlowSpacing(shift: .fixed(3), last: 0.001)
    let grid = try SamplingGrid(flow: shifted, steps: 10)
    #expect(try Self.plan(.flowMatchHeunDiscrete, ["shift": 3.0]) == StraightHeun().plan(over: grid, predicting: .flow))
    let anew = try ConsistencyModel(leastSigma: 0).plan(over: grid, predicting: .flow)
    #expect(try Self.plan(.flowMatchLCM, ["shift": 3.0]) == anew)
    #expect(try Self.plan(.flowMatchLCM, ["shift": 3.0, "scale_factors": [], "upscale_mode": "nearest"]) == anew)
  }

  @Test func `a step with churn arrives at the level of the grid, as diffusers takes it`() throws {
    for name in [DiffusersConfiguration.Class.eulerDiscrete, .edmEuler] {
      let configuration = try DiffusersConfiguration(name)
      let arguments = RunArguments(churn: 2)
      let plan = try configuration.plan(steps: 5, fidelity: .diffusers, with: arguments)
      #expect(plan.isStochastic)
      let grid = try configuration.grid(steps: 5, fidelity: .diffusers, with: arguments)
      #expect(plan.steps.map(\.arrival) == grid.points.dropFirst().map(\.level), "\(name)")
    }
  }

  @Test func `churn of flow matching stays on the straight line, between two of its noises`() throws {
    let arguments = RunArguments(churn: 4, churnMinimum: 0.25, churnMaximum: 0.8)
    let grid = try SamplingGrid(flow: FlowSpacing(shift: .fixed(3), last: 0.001), steps: 10)
    let plan = try Self.plan(.flowMatchHeunDiscrete, ["shift": 3.0], with: arguments)
    // A noise of 0.25 is a sigma of 1/3, and one of 0.8 a sigma of 4.
    let own = try Churn(StraightHeun(), amount: 4, range: 0.25 / 0.75...0.8 / (1 - 0.8)).plan(
      over: grid, predicting: .flow)
    #expect(plan == own)
    // A network that knows that the datum is 0 says x/t: what is left of the noise and what is
    // added are the noise of the next level. It is the difference of numbers as much larger as the
    // noise falls in a step.
    let fall = grid.intervals.dropLast().map { $0.from.level.noise / $0.to.level.noise }.max() ?? 1
    var level = plan.start
    for step in plan.steps {
      let kept = (step.folded.sample + step.folded.output / step.query.level.noise) * level.noise
      let variance = kept * kept + step.next.noise * step.next.noise
      #expect(isClose(variance, step.arrival.noise * step.arrival.noise, relative: 16 * unit * fall))
      level = step.arrival
    }
    let within = grid.points.dropFirst().filter { $0.level.noise >= 0.25 && $0.level.noise <= 0.8 }
    #expect(plan.steps.count { $0.next.noise > 0 } == within.count && within.count > 1 && within.count < 9)
    let least = RunArguments(churn: 4, churnMinimum: -1, churnMaximum: 1)
    let everywhere = try Self.plan(.flowMatchHeunDiscrete, with: least)
    #expect(everywhere.steps.count { $0.next.noise > 0 } == 9)
    #expect(try everywhere == Self.plan(.flowMatchHeunDiscrete, with: RunArguments(churn: 4)))
  }

  @Test func `DPM-Solver++ runs backwards over its own grid, with the order that the file gives each step`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 20, spacing: .trailing)
    let values: Values = ["timestep_spacing": "trailing", "solver_type": "heun"]
    let own = try DPMSolverPlusPlusInversion(slopeRule: .exact).plan(over: grid, predicting: .epsilon)
    #expect(try Self.plan(.dpmSolverMultistepInverse, values, steps: 20) == own)
    let reach = try Self.plan(.dpmSolverMultistepInverse, ["solver_order": 3], steps: 6).steps.map(
      \.next.estimates.count)
    #expect(reach == [1, 1, 2, 3, 2, 1])
    // Where there are no data at the end, the last step is of order 1 whatever the file says.
    let flow: Values = ["use_flow_sigmas": true, "prediction_type": "flow_prediction", "lower_order_final": false]
    #expect(
      try Self.plan(.dpmSolverMultistepInverse, flow, steps: 6).steps.map(\.next.estimates.count) == [1, 1, 2, 2, 2, 1])
    let epsilon = try Self.plan(
      .dpmSolverMultistepInverse, ["algorithm_type": "dpmsolver", "solver_order": 1], steps: 5)
    let data = try Self.plan(.dpmSolverMultistepInverse, ["solver_order": 1], steps: 5)
    for (one, other) in zip(epsilon.steps, data.steps) {
      // Of order 1 both are DDIM.
      #expect(isClose(one.folded.sample, other.folded.sample, relative: 1e-9))
      #expect(isClose(one.folded.output, other.folded.output, relative: 1e-9))
    }
  }

  @Test func `RePaint's jumps are arguments`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 20, spacing: .leading())
    let own = try RePaint(eta: 0.5, jumpLength: 3, resamplings: 2).plan(
      over: grid, predicting: .epsilon, clipping: .range(-1...1))
    let arguments = try JSONDecoder().decode(
      RunArguments.self, from: Data("{\"jump_length\": 3, \"jump_n_sample\": 2}".utf8))
    #expect(try Self.plan(.rePaint, ["eta": 0.5], steps: 20, with: arguments) == own)
    let plain = try RePaint(eta: 0).plan(over: grid, predicting: .epsilon)
    #expect(try Self.plan(.rePaint, ["clip_sample": false], steps: 20) == plain)
    // diffusers' timesteps are multiples of 1000/20, as the class has no offset.
    let theirs = try DiffusersConfiguration(.rePaint).plan(steps: 20, fidelity: .diffusers)
    #expect(theirs.steps.first?.query.timestep == 950 && theirs.steps.last?.query.timestep == 0)
    for (length, resamplings) in [(0, 10), (10, 0), (1001, 2), (2, 1001)] {
      for fidelity in Fidelity.allCases {
        #expect(throws: ConfigurationError.self) {
          try DiffusersConfiguration(.rePaint).plan(
            steps: 20, fidelity: fidelity, with: RunArguments(jumpLength: length, resamplings: resamplings))
        }
      }
    }
    #expect(throws: ConfigurationError.self) {
      try Self.plan(.rePaint, steps: 1000, with: RunArguments(resamplings: 101))
    }
    #expect(throws: ConfigurationError.self) { try Self.plan(.ddim, with: RunArguments(jumpLength: 3)) }
    let given = try DiffusersConfiguration(.rePaint, ["num_train_timesteps": 3, "trained_betas": [0.1, 0.2, 0.3]])
    #expect(try given.plan(steps: 3).steps.count == 3)
    #expect(throws: ConfigurationError.self) { try given.plan(steps: 3, fidelity: .diffusers) }
    #expect(given.deviations(steps: 3).isEmpty)
  }

  @Test func `a consistency model's output is its function, and its noise has the file's factor`() throws {
    let function = ConsistencyFunction(leastSigma: 0.01, sigmaData: 1)
    let grid = try SamplingGrid(consistency: function, steps: 3, levels: 18, largestSigma: 10, rho: 3)
    let values: Values = [
      "num_train_timesteps": 18, "sigma_min": 0.01, "sigma_max": 10.0, "sigma_data": 1.0, "rho": 3.0,
    ]
    let (plain, loud) = (try Self.plan(.consistency, values, steps: 3), values.merging(["s_noise": 1.5]) { $1 })
    #expect(plain.clipping == .range(-1...1))
    for (step, interval) in zip(plain.steps, grid.intervals) {
      #expect(step.query == interval.from && step.arrival == interval.to.level)
      #expect(step.denoising == function.denoising(at: interval.from, next: nil))
    }
    // σ₁ = (10^⅓ + 6/17·(0.01^⅓ − 10^⅓))³, and what is drawn is √(σ₁² − 0.01²).
    let (start, end) = (pow(10, 1 / 3.0), pow(0.01, 1 / 3.0))
    let sigma = pow(start + 6 / 17.0 * (end - start), 3)
    #expect(isClose(plain.steps[0].next.noise, (sigma * sigma - 1e-4).squareRoot(), relative: 1e-12))
    let louder = try Self.plan(.consistency, loud, steps: 3).steps[0].next.noise
    #expect(isClose(louder, 1.5 * plain.steps[0].next.noise, relative: 1e-12))
    #expect(try Self.plan(.consistency, ["clip_denoised": false], steps: 3).clipping == .none)
  }

  @Test func `DPM++ SDE's noise has the argument's factor, and its seed is reported`() throws {
    let plans = try Fidelity.allCases.map { fidelity in
      try [1.0, 1.5].map {
        try DiffusersConfiguration(.dpmSolverSDE).plan(
          steps: 4, fidelity: fidelity, with: RunArguments(churnNoise: $0))
      }
    }
    for pair in plans {
      for (plain, loud) in zip(pair[0].steps, pair[1].steps) {
        #expect(isClose(loud.next.noise, 1.5 * plain.next.noise, relative: 1e-12))
        #expect(loud.next.samples == plain.next.samples && loud.next.estimates == plain.next.estimates)
      }
    }
    #expect(try DiffusersConfiguration(.dpmSolverSDE, ["noise_sampler_seed": 7]).ignoredKeys == ["noise_sampler_seed"])
    #expect(try DiffusersConfiguration(.dpmSolverSDE, ["noise_sampler_seed": nil]).ignoredKeys.isEmpty)
  }

  @Test(arguments: [DiffusersConfiguration.Class.lms, .dpmSolverSDE])
  func `two classes look for ends of their sigmas in the file, but not for Karras'`(
    schedulerClass: DiffusersConfiguration.Class
  ) throws {
    for fidelity in Fidelity.allCases {
      func largest(_ spacing: String) throws -> Double {
        let values: Values = [spacing: true, "sigma_min": 0.1, "sigma_max": 20.0]
        return try DiffusersConfiguration(schedulerClass, values).plan(steps: 5, fidelity: fidelity).steps[0].query
          .level.sigma
      }
      #expect(isClose(try largest("use_exponential_sigmas"), 20, relative: 1e-6))
      #expect(try abs(largest("use_karras_sigmas") - 20) > 1)
    }
  }

  @Test func `spacings of sigmas go from end to end, or between the file's`() throws {
    let linear = try NoiseSchedule(.linear(), timesteps: 1000)
    for (key, spacing) in [("use_karras_sigmas", SigmaSpacing.karras()), ("use_exponential_sigmas", .exponential)] {
      let grid = try SamplingGrid(linear, steps: 10, spacing: spacing)
      let own = try DPMSolverPlusPlus().plan(over: grid, predicting: .epsilon)
      #expect(try Self.plan(.dpmSolverMultistep, [key: true]) == own)
    }
    let values: Values = ["use_karras_sigmas": true, "sigma_min": 0.1, "sigma_max": 20.0]
    let levels = try Self.plan(.eulerDiscrete, values).steps.map(\.query.level.sigma)
    #expect(isClose(levels[0], 20, relative: 1e-12) && isClose(levels[9], 0.1, relative: 1e-12))
    let logarithmic = try Self.plan(.eulerDiscrete, ["interpolation_type": "log_linear"]).steps.map(\.query.level.sigma)
    #expect(isClose(logarithmic[1] * logarithmic[1], logarithmic[0] * logarithmic[2], relative: 1e-12))
    let continuous = try Self.plan(
      .eulerDiscrete, ["timestep_type": "continuous", "prediction_type": "v_prediction"])
    #expect(continuous.steps.allSatisfy { isClose(4 * $0.query.timestep, -$0.query.level.lambda, relative: 1e-9) })
    #expect(
      try Self.plan(.eulerDiscrete, ["final_sigmas_type": "sigma_min", "timestep_spacing": "trailing"]).steps[9].arrival
        .noise
        > 0)
  }

  @Test func `DPM-Solver++ has the order that the file gives each step`() throws {
    func reach(_ values: Values, steps: Int) throws -> [Int] {
      try Self.plan(.dpmSolverMultistep, values.merging(["timestep_spacing": "trailing"]) { $1 }, steps: steps).steps
        .map {
          $0.next.estimates.count
        }
    }
    #expect(try reach([:], steps: 4) == [1, 2, 2, 1])
    #expect(try reach(["solver_order": 1], steps: 4) == [1, 1, 1, 1])
    let least: Values = ["final_sigmas_type": "sigma_min"]
    #expect(try reach(least, steps: 4) == [1, 2, 2, 1])
    #expect(try reach(least, steps: 15).last == 2)
    #expect(try reach(least.merging(["lower_order_final": false]) { $1 }, steps: 4) == [1, 2, 2, 2])
    #expect(
      try reach(least.merging(["lower_order_final": false, "euler_at_final": true]) { $1 }, steps: 4) == [1, 2, 2, 1])
    // Lambda of the last timestep kept is the first that is not below the limit.
    let clipped = try Self.plan(.dpmSolverMultistep, ["lambda_min_clipped": -3.0, "timestep_spacing": "trailing"])
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    let first = Int(clipped.steps[0].query.timestep)
    #expect(schedule[first].lambda >= -3 && schedule[first + 1].lambda < -3)
  }

  @Test func `formulas of other classes are computed in Double`() throws {
    let exponential = try DiffusersConfiguration(.heunDiscrete, ["beta_schedule": "exp", "num_train_timesteps": 100])
    // ᾱ = exp(−12·t), and so every beta is 1 − exp(−12/T).
    let betas = try exponential.schedule().betas
    #expect(betas.allSatisfy { isClose($0, 0.113_079_563, relative: 1e-6) })
    let laplace = try DiffusersConfiguration(.ddpm, ["beta_schedule": "laplace", "num_train_timesteps": 100])
    #expect(try laplace.schedule().timesteps == 100)
    let given = try DiffusersConfiguration(.ddim, ["trained_betas": [0.1, 0.2, 0.3], "num_train_timesteps": 3])
    #expect(try given.schedule().betas == [0.1, 0.2, 0.3])
    #expect(try given.grid(steps: 3, fidelity: .diffusers).points.map(\.timestep) == [2, 1, 0, -1])
  }
}
