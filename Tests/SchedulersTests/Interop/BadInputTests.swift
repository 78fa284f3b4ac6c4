import Schedulers
import SchedulersInterop
import Testing

/// What a file says that cannot be followed: an error that names the class and the option, where
/// diffusers fails deep inside or returns NaN.
@Suite struct BadInputTests {
  typealias Value = DiffusersConfiguration.Value

  private static let bad: [(DiffusersConfiguration.Class, [String: Value], Int, String)] = [
    (.ddpm, ["beta_end": 2.0], 5, "beta_start and beta_end of DDPMScheduler"),
    (.uniPC, ["beta_start": -1.0], 5, "beta_start and beta_end of UniPCMultistepScheduler"),
    (.lms, ["trained_betas": [0.1, 1.5, 0.2], "num_train_timesteps": 3], 3, "trained_betas of LMSDiscreteScheduler"),
    (.ddim, ["steps_offset": 5000], 5, "steps_offset"),
    (.ddim, ["clip_sample_range": .number(.infinity)], 5, "clip_sample_range"),
    (
      .ddim, ["thresholding": true, "dynamic_thresholding_ratio": 1.5], 5,
      "dynamic_thresholding_ratio 1.5 of DDIMScheduler"
    ),
    (.deis, ["thresholding": true, "sample_max_value": 0.0], 5, "sample_max_value 0.0 of DEISMultistepScheduler"),
    (.flowMatchEulerDiscrete, ["shift_terminal": 0.1], 1, "shift_terminal 0.1 of FlowMatchEulerDiscreteScheduler"),
    (.flowMatchEulerDiscrete, ["use_dynamic_shifting": true], 5, "needs mu"),
    (.lcm, ["timestep_scaling": 1e40], 4, "timestep_scaling"), (.tcd, [:], 51, "original_inference_steps"),
    (.edmEuler, ["sigma_max": .number(.infinity)], 5, "sigma_max"),
    (.saSolver, ["predictor_order": 7], 5, "predictor_order 7"),
    (.dpmSolverSinglestep, ["solver_order": 0], 5, "solver_order 0 of DPMSolverSinglestepScheduler"),
    (.dpmSolverMultistep, ["use_karras_sigmas": true, "use_exponential_sigmas": true], 5, "use_exponential_sigmas"),
    (
      .dpmSolverMultistep, ["use_flow_sigmas": true], 5,
      "DPMSolverMultistepScheduler: epsilon prediction does not determine x0"
    ),
    // A beta so small that ᾱ stays as it is, of which a part is taken.
    (
      .dpmSolverMultistep, ["trained_betas": [0.3, 1e-40, 0.5], "num_train_timesteps": 3, "lambda_min_clipped": -9.0],
      2,
      "trained_betas of DPMSolverMultistepScheduler"
    ),
  ]

  @Test func `mu where it says nothing, or is no number, has its remedy`() throws {
    for (schedulerClass, mu, words) in [
      (DiffusersConfiguration.Class.eulerDiscrete, 1.15, "leave it out; it is for classes with use_dynamic_shifting"),
      (.flowMatchEulerDiscrete, .infinity, "it must be finite"),
    ] {
      let error = #expect(throws: ConfigurationError.self) {
        try DiffusersConfiguration(schedulerClass).plan(steps: 5, with: RunArguments(mu: mu))
      }
      #expect("\(error!)".hasPrefix("mu \(mu) of \(schedulerClass.rawValue)") && "\(error!)".hasSuffix(words))
    }
  }

  @Test(arguments: bad) func `an error names the class and the option`(
    schedulerClass: DiffusersConfiguration.Class, values: [String: Value], steps: Int, excerpt: String
  ) throws {
    let error = #expect(throws: ConfigurationError.self) {
      try DiffusersConfiguration(schedulerClass, values).plan(steps: steps)
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains(excerpt) && text.contains(schedulerClass.rawValue), "\(text)")
  }

  @Test func `errors of parts name the class, whatever the value`() throws {
    let values: [Value] = [
      0, -1, 2, 1e9, 1e-40, 1e300, .number(.infinity), .integer(.max), .integer(.min), "zero", true, [],
    ]
    for schedulerClass in DiffusersConfiguration.Class.allCases {
      for option in DiffusersConfiguration.Option.all(of: schedulerClass) where option.name != "num_train_timesteps" {
        for value in values {
          let others: [String: Value] = ["num_train_timesteps": 10, "thresholding": true]
          let values = others.merging([option.name: value]) { $1 }
          guard let configuration = try? DiffusersConfiguration(schedulerClass, values) else { continue }
          for fidelity in Fidelity.allCases {
            do { _ = try configuration.plan(steps: 5, fidelity: fidelity) } catch {
              #expect("\(error)".contains(schedulerClass.rawValue), "\(option.name) \(value.json): \(error)")
            }
          }
        }
      }
    }
  }

  @Test func `the noise of a step is set for classes that have it alone`() throws {
    for schedulerClass in DiffusersConfiguration.Class.allCases {
      let configuration = try DiffusersConfiguration(schedulerClass, [:])
      // 0 is what those do that draw none.
      #expect(throws: Never.self) { try configuration.plan(steps: 4, with: RunArguments(eta: 0)) }
      func noisy() throws -> SamplingPlan { try configuration.plan(steps: 4, with: RunArguments(eta: 0.5)) }
      if [.ddim, .tcd, .cogVideoXDDIM].contains(schedulerClass) {
        #expect(throws: Never.self) { try noisy() }
      } else {
        #expect(
          "\(#expect(throws: ConfigurationError.self) { try noisy() }!)".hasPrefix("eta 0.5 of"), "\(schedulerClass)")
      }
    }
  }

  @Test func `IPNDM's own noises may end at 0, and nowhere else`() throws {
    func plan(_ betas: [Value]) throws -> SamplingPlan {
      try DiffusersConfiguration(.ipndm, ["num_train_timesteps": 3, "trained_betas": .list(betas)]).plan(steps: 2)
    }
    #expect(try plan([0.9, 0.5, 0]).steps.count == 2)
    #expect(throws: ConfigurationError.self) { try plan([0.9, 0, 0]) }
    #expect(throws: ConfigurationError.self) { try plan([0.9, -0.5, 0]) }
    #expect(throws: ConfigurationError.self) { try plan([1.1, 0.5, 0]) }
  }
}
