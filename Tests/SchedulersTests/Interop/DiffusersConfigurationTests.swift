import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

@Suite struct DiffusersConfigurationTests {
  typealias Value = DiffusersConfiguration.Value

  private struct GoldenOption: Decodable {
    let name: String
    let `default`: Value
    let optional: Bool
  }

  @Test func `options and defaults are those of diffusers' constructors`() throws {
    let classes = try DiffusersConfiguration.decoder.decode(
      [String: [GoldenOption]].self, from: Fixtures.data("diffusers-options.json"))
    #expect(classes.count == DiffusersConfiguration.Class.allCases.count + 2)
    for (name, golden) in classes {
      let schedulerClass = try #require(DiffusersConfiguration.Class(named: name))
      // An argument by keyword alone, which diffusers calls deprecated.
      let own = DiffusersConfiguration.Option.all(of: schedulerClass).filter { $0.name != "set_alpha_to_zero" }
      #expect(own.map(\.name).sorted() == golden.map(\.name).sorted(), "\(name)")
      for option in golden {
        let match = try #require(own.first { $0.name == option.name })
        // JSON does not tell 1.0 from 1.
        let isSame = match.standard == option.default || match.standard.json == option.default.json + ".0"
        #expect(isSame && match.isOptional == option.optional, "\(name) \(option.name)")
      }
    }
  }

  @Test func `every key survives reading and writing, as Python spells it`() throws {
    let text = """
      {"_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.21.4", "lambda_min_clipped": -Infinity,
       "clip_sample": false, "x": NaN, "y": Infinity, "z": [1, 2.5, "a\\"\\\\\\n\\u0001é", null, {}, []], \
       "steps_offset": 1,
       "big": 123456789012345678901234567890, "trained_betas": null, "o": {"b": true, "a": 1e-05}}
      """
    let configuration = try DiffusersConfiguration.reading(text)
    #expect(configuration["lambda_min_clipped"] == .number(-.infinity))
    #expect(configuration.ignoredKeys == ["big", "clip_sample", "o", "x", "y", "z"])
    #expect(try DiffusersConfiguration.reading(configuration.json) == configuration)
    let written = configuration.json
    for line in [
      "  \"lambda_min_clipped\": -Infinity,", "  \"x\": NaN,", "  \"y\": Infinity,", "    \"a\": 1e-05,", "    2.5,",
      "    \"a\\\"\\\\\\n\\u0001é\",", "  \"_class_name\": \"DPMSolverMultistepScheduler\",",
    ] { #expect(written.contains(line + "\n"), "\(line) in \(written)") }
  }

  @Test func `every control character is written as JSON asks`() throws {
    for code in UInt8(0)..<32 {
      let text = String(UnicodeScalar(code))
      let written = try DiffusersConfiguration(.ddim, ["note": .string(text)]).json
      let read = try #require(JSONSerialization.jsonObject(with: Data(written.utf8)) as? [String: Any])
      #expect(read["note"] as? String == text, "\(code) in \(written)")
    }
  }

  @Test func `it is the same through a coder of another kind`() throws {
    let configuration = try DiffusersConfiguration(
      "DDIMParallelScheduler", ["beta_start": 0.00085, "trained_betas": nil, "note": [true, 1, "x", nil]])
    let encoded = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(DiffusersConfiguration.self, from: encoded) == configuration)
    #expect(configuration.className == "DDIMParallelScheduler" && configuration.schedulerClass == .ddim)
  }

  @Test func `a class that is not supported says so`() {
    for name in ["AmusedScheduler", "VQDiffusionScheduler", "ddpm", ""] {
      #expect(throws: ConfigurationError.unsupportedClass(name)) {
        try DiffusersConfiguration.reading("{\"_class_name\": \"\(name)\"}")
      }
    }
    #expect("\(ConfigurationError.unsupportedClass("AmusedScheduler"))".contains("DDPMScheduler, DDIMScheduler"))
  }

  @Test(arguments: [
    ("\"num_train_timesteps\": 10.5", "num_train_timesteps"), ("\"beta_start\": \"x\"", "beta_start"),
    ("\"clip_sample\": 1", "clip_sample"), ("\"prediction_type\": null", "prediction_type"),
    ("\"trained_betas\": [1, true]", "trained_betas"), ("\"steps_offset\": NaN", "steps_offset"),
  ])
  func `a value of the wrong type is named with its key`(member: String, key: String) throws {
    let error = #expect(throws: DecodingError.self) {
      try DiffusersConfiguration.decoder.decode(
        [DiffusersConfiguration].self, from: Data("[{\"_class_name\": \"DDPMScheduler\", \(member)}]".utf8))
    }
    guard case .typeMismatch(_, let context) = error else { throw error! }
    #expect(context.codingPath.map(\.stringValue).last == key && context.codingPath.count == 2)
    #expect(context.debugDescription.contains("\(key) of DDPMScheduler must be"))
  }

  @Test func `text that is no configuration is refused, however it is wrong`() {
    for text in ["", "{", "[]", "{}", "{\"_class_name\": 1}", "null", String(repeating: "[", count: 100_000)] {
      #expect(throws: DecodingError.self, "\(text.prefix(20))") { try DiffusersConfiguration.reading(text) }
    }
  }

  @Test(arguments: [
    (DiffusersConfiguration.Class.ddim, "beta_schedule", Value.string("sigmoid")), (.ddpm, "beta_schedule", "linaer"),
    (.eulerAncestralDiscrete, "prediction_type", "sample"), (.ddimInverse, "timestep_spacing", "linspace"),
    (.ddpm, "variance_type", "fixed_huge"), (.dpmSolverMultistep, "solver_order", 4),
    (.uniPC, "solver_order", 4), (.deis, "solver_order", 0), (.uniPC, "solver_type", "bh3"),
    (.deis, "algorithm_type", "unipc"),
    (.dpmSolverMultistep, "algorithm_type", "dpmsolver+"), (.dpmSolverSinglestep, "algorithm_type", "sde-dpmsolver"),
    (.uniPC, "use_dynamic_shifting", true), (.uniPC, "shift_terminal", 0.1), (.pndm, "prediction_type", "sample"),
    (.kdpm2Discrete, "prediction_type", "sample"), (.lcm, "original_inference_steps", 0),
    (.tcd, "original_inference_steps", 2000),
    (.lcm, "timestep_scaling", 0.0), (.flowMatchEulerDiscrete, "use_dynamic_shifting", true),
    (.flowMatchEulerDiscrete, "shift", 0.0), (.flowMatchEulerDiscrete, "shift_terminal", 1.5),
    (.flowMatchEulerDiscrete, "time_shift_type", "cubic"), (.edmEuler, "sigma_data", 0.0), (.edmEuler, "rho", -1.0),
    (.edmDPMSolverMultistep, "prediction_type", "sample"), (.edmEuler, "sigma_min", 100.0),
    (.edmDPMSolverMultistep, "algorithm_type", "dpmsolver"), (.saSolver, "predictor_order", 5),
    (.saSolver, "corrector_order", 0),
    (.saSolver, "algorithm_type", "dpmsolver++"), (.flowMatchHeunDiscrete, "shift", 0.0),
    (.flowMatchLCM, "scale_factors", .list([0.5, 1])), (.flowMatchLCM, "shift_terminal", 1.0),
    (.flowMatchLCM, "use_dynamic_shifting", true), (.consistency, "sigma_min", 80.0), (.consistency, "sigma_data", 0.0),
    (.consistency, "rho", 0.0), (.consistency, "s_noise", -1.0), (.dpmSolverSDE, "prediction_type", "sample"),
    (.rePaint, "eta", 1.5), (.rePaint, "beta_schedule", "laplace"), (.dpmSolverSDE, "beta_schedule", "exp"),
    (.dpmSolverMultistepInverse, "algorithm_type", "sde-dpmsolver++"),
    (.dpmSolverMultistepInverse, "solver_order", 4), (.dpmSolverMultistepInverse, "prediction_type", "flow_prediction"),
    (.eulerDiscrete, "interpolation_type", "cubic"), (.eulerDiscrete, "final_sigmas_type", "one"),
    (.ddpm, "num_train_timesteps", 0), (.ddpm, "num_train_timesteps", 1_000_000_000_000),
    (.ddpm, "clip_sample_range", -1.0),
    (.dpmSolverMultistep, "prediction_type", "flow_prediction"), (.ddpm, "trained_betas", .list([0.1, 0.2])),
    (.dpmSolverMultistep, "lambda_min_clipped", 100.0),
  ])
  func `a value that would change the numbers is refused by name`(
    schedulerClass: DiffusersConfiguration.Class, option: String, value: Value
  ) throws {
    let configuration = try DiffusersConfiguration(schedulerClass, [option: value])
    for fidelity in Fidelity.allCases {
      let error = #expect(throws: ConfigurationError.self) { try configuration.plan(steps: 10, fidelity: fidelity) }
      guard case .option(option, _, schedulerClass.rawValue, _) = error else { throw error! }
    }
  }

  @Test func `of choices that exclude each other the second is named`() throws {
    let names = [
      "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas",
    ]
    for schedulerClass in DiffusersConfiguration.Class.allCases {
      let own = DiffusersConfiguration.Option.all(of: schedulerClass).map(\.name)
      for (i, first) in names.enumerated() where own.contains(first) {
        for second in names[(i + 1)...] where own.contains(second) {
          // UniPC brings Karras' sigmas to rectified flow's path.
          if schedulerClass == .uniPC, first == "use_karras_sigmas", second == "use_flow_sigmas" { continue }
          let configuration = try DiffusersConfiguration(schedulerClass, [first: true, second: true])
          for fidelity in Fidelity.allCases {
            let error = #expect(throws: ConfigurationError.self) {
              try configuration.plan(steps: 10, fidelity: fidelity)
            }
            guard case .option(second, _, schedulerClass.rawValue, _) = error else { throw error! }
          }
        }
      }
    }
  }

  @Test func `betas that make no process are refused`() throws {
    for values: [String: Value] in [
      ["beta_end": 2.0], ["beta_start": -0.1], ["beta_start": .notANumber], ["beta_end": .number(.infinity)],
      ["trained_betas": .list(Array(repeating: 1.5, count: 1000))],
    ] {
      for schedulerClass in DiffusersConfiguration.Class.allCases {
        // A number may be NaN in Python's JSON; as an option it has no meaning.
        let options = DiffusersConfiguration.Option.all(of: schedulerClass).map(\.name)
        guard options.contains("beta_start"), let configuration = try? DiffusersConfiguration(schedulerClass, values)
        else {
          continue
        }
        for fidelity in Fidelity.allCases {
          #expect(throws: ConfigurationError.self) { try configuration.plan(steps: 10, fidelity: fidelity) }
        }
      }
    }
  }

  @Test func `a number of steps outside the schedule is refused`() throws {
    for schedulerClass in DiffusersConfiguration.Class.allCases {
      let configuration = try DiffusersConfiguration(schedulerClass)
      // Where times are not those of a table there may be more than training had.
      let hasTable = (try? configuration.schedule()) != nil
      for steps in [Int.min, -1, 0, hasTable ? 1001 : 10_001, Int.max] {
        for fidelity in Fidelity.allCases {
          #expect(throws: ConfigurationError.self) { try configuration.plan(steps: steps, fidelity: fidelity) }
          #expect(throws: ConfigurationError.self) { try configuration.timesteps(steps: steps, fidelity: fidelity) }
        }
        #expect(configuration.deviations(steps: steps).isEmpty)
      }
    }
  }

  @Test func `no value of an option traps`() throws {
    let numbers: [Value] = [
      .integer(.max), .integer(.min), -1, 0, 3, 1e300, -1e300, 1e-300, .number(.infinity), .number(-.infinity),
    ]
    for schedulerClass in DiffusersConfiguration.Class.allCases {
      let options = DiffusersConfiguration.Option.all(of: schedulerClass)
      // In the others the key has no effect.
      let hasSpacing = options.contains { $0.name == "timestep_spacing" }
      for option in options {
        for value in numbers + [true, false, nil, "linear", "zero", [], [0.5, 1.0, 0.0]] {
          for spacing in hasSpacing ? ["leading", "trailing", "linspace"] : ["leading"] {
            let values: [String: Value] = [
              "num_train_timesteps": 3, "timestep_spacing": .string(spacing), "use_karras_sigmas": true,
            ]
            guard
              let configuration = try? DiffusersConfiguration(
                schedulerClass, values.merging([option.name: value]) { $1 })
            else {
              continue
            }
            for fidelity in Fidelity.allCases {
              for steps in [1, 3] { _ = try? configuration.plan(steps: steps, fidelity: fidelity) }
            }
            _ = configuration.deviations(steps: 2)
            guard spacing == "leading" else { continue }
            #expect(try DiffusersConfiguration.reading(configuration.json) == configuration)
          }
        }
      }
    }
  }

  @Test func `sigmas at the ends of float32 make an error or a plan, no trap`() throws {
    let ends = [0x1.fffffep127, 3e38, 1e300, 1e-45, 1e-38, 1.0]
    for schedulerClass in [DiffusersConfiguration.Class.dpmSolverSDE, .consistency, .dpmSolverMultistepInverse] {
      for (least, most) in ends.flatMap({ least in ends.map { (least, $0) } }) {
        let values: [String: Value] = [
          "sigma_min": .number(least), "sigma_max": .number(most), "sigma_data": .number(most),
          "use_exponential_sigmas": true,
          "num_train_timesteps": 10,
        ]
        for fidelity in Fidelity.allCases {
          for steps in [1, 2, 5] {
            _ = try? DiffusersConfiguration(schedulerClass, values).plan(steps: steps, fidelity: fidelity)
          }
        }
      }
    }
  }

  @Test func `step arguments are read by their names in Python, and refused where they have no meaning`() throws {
    let read = try JSONDecoder().decode(
      RunArguments.self, from: Data("{\"eta\": 0.5, \"use_clipped_model_output\": true}".utf8))
    #expect(read == RunArguments(eta: 0.5, usesClippedModelOutput: true))
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(RunArguments.self, from: Data("{\"etta\": 1}".utf8))
    }
    let euler = try DiffusersConfiguration(.eulerDiscrete)
    let churns = [
      RunArguments(churn: -1), RunArguments(churn: .infinity), RunArguments(churn: 1, churnMinimum: .nan),
      RunArguments(churn: 1, churnMaximum: .nan), RunArguments(churn: 1, churnNoise: -1),
    ]
    for fidelity in Fidelity.allCases {
      for schedulerClass in [DiffusersConfiguration.Class.heunDiscrete, .flowMatchEulerDiscrete, .ddim] {
        let configuration = try DiffusersConfiguration(schedulerClass)
        #expect(throws: ConfigurationError.self) {
          try configuration.plan(steps: 5, fidelity: fidelity, with: RunArguments(churn: 1))
        }
      }
      // An empty range of sigmas adds no noise, and no sigma reaches an infinite bound.
      for range in [(2.0, 1.0), (Double.infinity, Double.infinity), (-Double.infinity, -1.0)] {
        let arguments = RunArguments(churn: 1, churnMinimum: range.0, churnMaximum: range.1)
        for configuration in [euler, try DiffusersConfiguration(.flowMatchHeunDiscrete)] {
          let plan = try configuration.plan(steps: 5, fidelity: fidelity, with: arguments)
          #expect(plan.steps.allSatisfy { $0.next.noise == 0 })
        }
      }
    }
    for arguments in [read, RunArguments(usesClippedModelOutput: true)] + churns {
      #expect(throws: ConfigurationError.self) { try euler.plan(steps: 5, with: arguments) }
    }
    #expect(throws: ConfigurationError.self) { try euler.plan(steps: 5, with: RunArguments(order: 2)) }
    #expect(throws: ConfigurationError.self) {
      try DiffusersConfiguration(.lms).plan(steps: 5, with: RunArguments(order: 5))
    }
    #expect(
      throws: ConfigurationError.plan(.option("eta", 2, of: "DDIM", allowed: "0 ... 1"), className: "DDIMScheduler")
    ) {
      try DiffusersConfiguration(.ddim).plan(steps: 5, fidelity: .diffusers, with: RunArguments(eta: 2))
    }
  }

  @Test func `conversion keeps what both classes have and says what goes`() throws {
    let ddpm = try DiffusersConfiguration(
      .ddpm,
      [
        "beta_end": 0.012, "variance_type": "fixed_large", "clip_sample": false, "_diffusers_version": "0.7.0",
        "extra": 1,
      ])
    let ddim = ddpm.converted(to: .ddim)
    #expect(ddim.lost == ["variance_type"])
    #expect(
      ddim.configuration
        == (try DiffusersConfiguration(
          .ddim, ["beta_end": 0.012, "clip_sample": false, "_diffusers_version": "0.7.0", "extra": 1])))
    // Heun begins at another beta; that of the DDPM file was not written down.
    #expect(ddpm.converted(to: .heunDiscrete).lost == ["beta_start", "timestep_spacing", "variance_type"])
    #expect(ddpm.converted(to: .ddpm).lost.isEmpty)
  }
}
