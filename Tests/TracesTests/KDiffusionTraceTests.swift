import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import SchedulersSafetensors
import Testing

@testable import SchedulersTraces

/// Runs of k-diffusion's samplers, one row for each call of the model.
@Suite struct `KDiffusion traces` {
  typealias Golden = GoldenTraceTests.Golden
  typealias Method = KDiffusionConfiguration.Method

  private static let all = GoldenTraceTests.read("kdiffusion-traces.safetensors")

  private static func configuration(_ golden: Golden) throws -> KDiffusionConfiguration {
    guard case .kDiffusion(let configuration) = try Trace(SafetensorsFile(golden.file)).source else {
      throw TraceError.configuration("\(golden.name) is not of k-diffusion")
    }
    return configuration
  }

  /// A recorded run with another configuration, or other tensors.
  private func draft(_ name: String, _ edit: (inout KDiffusionConfiguration) -> Void = { _ in }) throws -> Draft {
    let golden = try #require(Self.all.first { $0.name == name }, "\(name)")
    let file = try SafetensorsFile(golden.file)
    var draft = Draft()
    var configuration = try Self.configuration(golden)
    edit(&configuration)
    draft.metadata = file.metadata
    draft.metadata["scheduler_config"] = try TraceSource.kDiffusion(configuration).configurationText
    draft.tensors = file.tensors.sorted { $0.key < $1.key }.map { name, tensor in
      (name, "F32", tensor.shape, bytes(file.doubles(tensor).map { Float($0) }))
    }
    return draft
  }

  private func judged(_ name: String, _ edit: (inout KDiffusionConfiguration) -> Void) throws -> Judgement {
    try draft(name, edit).trace().judged()
  }

  @Test func `every sampler of k-diffusion, every process and both outputs are there`() throws {
    let found = try Self.all.map { try Self.configuration($0) }
    let missing = Set(Method.allCases).subtracting(
      try found.map { try KDiffusionConfiguration.method(named: $0.sampler) })
    #expect(missing == [.dpmpp2mSDEHeun, .ddpm, .ddim, .lcm, .ipndm, .resMultistep, .gradientEstimation])
    for process in KDiffusionConfiguration.Process.allCases {
      for output in KDiffusionConfiguration.Output.allCases {
        #expect(found.count { $0.process == process && $0.output == output } >= 5)
      }
    }
    #expect(found.contains { $0.churn > 0 } && found.contains { $0.sigmas.last! > 0 } && found.count > 60)
  }

  @Test(arguments: all) func `a run is right at every step`(golden: Golden) throws {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged()
    #expect(judgement.agrees && judgement.diagnosis == nil, "\(judgement.worst!) \(judgement.divergences)")
  }

  /// The float32 of k-diffusion is all that is between it and these plans.
  @Test(arguments: all) func `a run is right to float32`(golden: Golden) throws {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged(tolerance: 4e-6)
    #expect(judgement.agrees, "\(judgement.worst!)")
  }

  @Test(arguments: all) func `a run that was stopped is right as far as it goes`(golden: Golden) throws {
    var draft = try draft(golden.name)
    let rows = 3
    for (name, keeps) in [("timesteps", rows), ("samples", rows + 1), ("model_outputs", rows), ("noises", rows)] {
      guard let index = draft.tensors.firstIndex(where: { $0.name == name }) else { continue }
      let (shape, data) = (draft.tensors[index].shape, draft.tensors[index].bytes)
      draft.tensors[index].shape[0] = keeps
      draft.tensors[index].bytes = Array(data.prefix(data.count / shape[0] * keeps))
    }
    let judgement = try draft.trace().judged()
    #expect(judgement.agrees && judgement.remarks.contains { $0.contains("stopped after 3") }, "\(judgement)")
  }

  @Test(arguments: [
    "euler_ancestral", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde", "dpmpp_2m_sde", "dpmpp_3m_sde",
  ])
  func `another eta is wrong, and named`(sampler: String) throws {
    let judgement = try judged("\(sampler), eps, model") { $0.eta = 0.5 }
    #expect(!judgement.agrees)
    #expect(judgement.diagnosis?.text == "eta is 1, not 0.5", "\(judgement.diagnosis as Any)")
  }

  @Test func `another sampler is wrong, and named`() throws {
    for (sampler, other) in [
      ("dpmpp_2m", "euler"), ("lms", "ipndm"), ("heun", "dpm_2"), ("dpmpp_2m_sde", "dpmpp_3m_sde"),
      ("euler", "dpmpp_2m"),
      ("euler_ancestral", "dpmpp_2m_sde"), ("dpmpp_2s_ancestral", "dpmpp_sde"),
    ] {
      let judgement = try judged("\(sampler), v, denoised") { $0.sampler = other }
      #expect(!judgement.agrees, "\(sampler)")
      #expect(
        judgement.diagnosis?.text == "the steps are those of \(sampler)", "\(sampler) \(judgement.diagnosis as Any)")
    }
  }

  @Test func `other sigmas, processes, outputs, orders and factors are wrong`() throws {
    let edits: [(inout KDiffusionConfiguration) -> Void] = [
      { $0.sigmas[3] *= 0.99 }, { $0.sigmas[5] *= 1.1 }, { $0.process = .v }, { $0.output = .denoised },
    ]
    for sampler in Method.allCases {
      guard let name = Self.all.first(where: { $0.name == "\(sampler.rawValue), eps, model" })?.name else { continue }
      for (i, edit) in edits.enumerated() { #expect(try !judged(name, edit).agrees, "\(name) \(i)") }
    }
    #expect(try !judged("lms, flow, model") { $0.order = 3 }.agrees)
    #expect(try !judged("dpmpp_sde, v, denoised") { $0.noiseFactor = 1.01 }.agrees)
    #expect(try !judged("heun, v, denoised") { $0.churn = 1 }.agrees)
    #expect(try !judged("dpmpp_2m_sde, v, denoised") { $0.solverType = "heun" }.agrees)
    #expect(try !judged("dpmpp_sde, v, denoised") { $0.middle = 0.45 }.agrees)
  }

  @Test func `swapped sigmas and swapped rows are wrong`() throws {
    let error = #expect(throws: TraceError.self) { try judged("euler, eps, model") { $0.sigmas.swapAt(2, 3) } }
    #expect("\(error!)".contains("sigmas[3]") && "\(error!)".contains("it must be below sigmas[2]"))
    var draft = try draft("euler, eps, model")
    let (a, b) = (draft.get("timesteps", 2), draft.get("timesteps", 3))
    draft.set("timesteps", 2, to: b)
    draft.set("timesteps", 3, to: a)
    let judgement = try draft.trace().judged()
    #expect(judgement.first?.step == 2 && judgement.divergences == 2)
  }

  @Test func `k-diffusion halves the curvature of dpmpp_3m_sde, and the mathematics does not`() throws {
    let trace = try draft("dpmpp_3m_sde, eps, denoised").trace()
    #expect(try !trace.judged(fidelity: .corrected).agrees)
    #expect(trace.source.deviations(steps: trace.inferenceSteps) == [.halvedCurvature])
    #expect(try draft("dpmpp_2m_sde, eps, denoised").trace().judged(fidelity: .corrected).agrees)
    #expect(throws: TraceError.self) { try draft("dpmpp_sde, eps, denoised").trace().judged(fidelity: .corrected) }
  }

  @Test func `a configuration is written as it is read`() throws {
    for golden in Self.all {
      let configuration = try Self.configuration(golden)
      let text = try TraceSource.kDiffusion(configuration).configurationText
      #expect(try TraceSource(configuration: text) == .kDiffusion(configuration))
      #expect(configuration.ignoredKeys.isEmpty, "\(golden.name): \(configuration.ignoredKeys)")
    }
    let text =
      #"{"_class_name": "KDiffusion", "sampler": "euler", "sigmas": [2, 1], "eta": 1, "s_tmax": Infinity, "x": 1}"#
    #expect(try TraceSource(configuration: text).ignoredKeys == ["eta", "x"])
  }

  /// The names of the four programs, and the samplers that they mean.
  private static let names: [(Method, [String])] = [
    (.euler, ["sample_euler", "euler", "Euler", "k_euler", "EULER_SAMPLE_METHOD", "EULER", "Euler Karras"]),
    (.eulerAncestral, ["sample_euler_ancestral", "euler_ancestral", "Euler a", "k_euler_a", "euler_a", "EULER_A"]),
    (.eulerAncestral, ["EULER_A_SAMPLE_METHOD", "Euler a SGM Uniform", "Euler a Automatic"]),
    (.heun, ["sample_heun", "Heun", "HEUN_SAMPLE_METHOD", "heun"]),
    (.dpm2, ["sample_dpm_2", "dpm_2", "DPM2", "DPM2 Karras", "DPM2_SAMPLE_METHOD", "dpm2"]),
    (.dpm2Ancestral, ["sample_dpm_2_ancestral", "DPM2 a", "DPM2 a Karras", "k_dpm_2_a"]),
    (.lms, ["sample_lms", "lms", "LMS", "LMS Karras", "LMS_SAMPLE_METHOD"]),
    (
      .dpmpp2sAncestral,
      ["dpmpp_2s_ancestral", "DPM++ 2S a", "DPM++ 2S a Karras", "dpm++2s_a", "DPMPP2S_A_SAMPLE_METHOD"]
    ),
    (.dpmppSDE, ["dpmpp_sde", "dpmpp_sde_gpu", "DPM++ SDE", "DPM++ SDE Karras", "k_dpmpp_sde"]),
    (.dpmpp2m, ["sample_dpmpp_2m", "dpmpp_2m", "DPM++ 2M", "DPM++ 2M Karras", "dpm++2m", "DPMPP2M_SAMPLE_METHOD"]),
    (
      .dpmpp2mSDE,
      ["dpmpp_2m_sde", "dpmpp_2m_sde_gpu", "DPM++ 2M SDE", "DPM++ 2M SDE Karras", "DPMPP2M_SDE_SAMPLE_METHOD"]
    ),
    (
      .dpmpp2mSDEHeun,
      ["dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu", "DPM++ 2M SDE Heun", "DPM++ 2M SDE Heun Exponential"]
    ),
    (.dpmpp3mSDE, ["dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "DPM++ 3M SDE", "DPM++ 3M SDE Exponential"]),
    (.ddim, ["ddim", "DDIM", "ddim_trailing", "DDIM_TRAILING_SAMPLE_METHOD"]), (.ddpm, ["ddpm"]),
    (.lcm, ["lcm", "LCM", "LCM_SAMPLE_METHOD"]), (.ipndm, ["ipndm", "IPNDM", "IPNDM_SAMPLE_METHOD"]),
    (.resMultistep, ["res_multistep", "RES_MULTISTEP_SAMPLE_METHOD"]),
    (.gradientEstimation, ["gradient_estimation", "EULER_GE_SAMPLE_METHOD"]),
  ]

  @Test func `the names of all programs are known`() throws {
    for (method, names) in Self.names {
      for name in names {
        #expect(try KDiffusionConfiguration.method(named: name) == method, "\(name)")
        _ = try KDiffusionConfiguration.sampler(named: name)
      }
    }
    #expect(Set(Self.names.map(\.0)) == Set(Method.allCases))
  }

  @Test(arguments: [
    "", "Karras", "dpm_fast", "sample_dpm_adaptive", "DPM adaptive", "heunpp2", "ipndm_v", "deis", "uni_pc",
    "UniPC", "PLMS", "Restart", "euler_cfg_pp", "dpmpp_2m_cfg_pp", "res_multistep_ancestral", "er_sde", "seeds_2",
    "sa_solver", "TCD_SAMPLE_METHOD", "dpm++2mv2", "DPMPP2Mv2_SAMPLE_METHOD", "RES_2S", "euler\nx", "euler_gpu",
    "ｅuler",
  ])
  func `an unknown sampler is refused with the known ones`(name: String) throws {
    let error = #expect(throws: ConfigurationError.self) { try KDiffusionConfiguration.sampler(named: name) }
    let text = "\(error!)"
    #expect(text.hasPrefix("sampler \"") && text.contains("use one of euler, euler_ancestral, heun"), "\(text)")
    #expect(!text.contains("\n"))
  }

  private func reason(_ configuration: String, arguments: String? = nil) throws -> String {
    var draft = try draft("euler, eps, model")
    draft.metadata["scheduler_config"] = configuration
    draft.metadata["step_arguments"] = arguments
    do { return "judged, agrees: \(try draft.trace().judged().agrees)" } catch { return "\(error)" }
  }

  @Test func `what cannot be judged is said in one line, with value, place and remedy`() throws {
    func run(_ sigmas: String, _ more: String = "") -> String {
      #"{"_class_name": "KDiffusion", "sampler": "euler", "sigmas": \#(sigmas)\#(more)}"#
    }
    let cases: [(String, [String])] = [
      (
        #"{"_class_name": "KDiffusion", "sampler": "eular", "sigmas": [1, 0]}"#, ["\"eular\"", "sampler", "use one of"]
      ),
      (#"{"_class_name": "KDiffusion", "sigmas": [1, 0]}"#, ["sampler"]),
      (#"{"_class_name": "KDiffusion", "sampler": 3, "sigmas": [1, 0]}"#, ["sampler"]),
      (#"{"_class_name": "KDiffusion", "sampler": "euler"}"#, ["sigmas []", "two or more"]),
      (run("[]"), ["sigmas []", "two or more"]), (run("[14.6]"), ["sigmas [14.6]", "two or more"]),
      (run("null"), ["sigmas []"]), (run("3"), ["sigmas"]), (run("[3, null]"), ["sigmas"]),
      (run("[3, 5, 0]"), ["sigmas[1] 5", "below sigmas[0], 3", "largest first"]),
      (run("[3, 3, 0]"), ["sigmas[1] 3", "below sigmas[0], 3"]), (run("[0, 0]"), ["sigmas[1] 0"]),
      (run("[3, NaN, 0]"), ["sigmas[1] nan", "finite"]), (run("[Infinity, 0]"), ["sigmas[0] inf", "finite"]),
      (run("[3, -1]"), ["sigmas[1] -1", "0 or more"]),
      (run("[3, 0]", #", "process": "edm""#), ["process \"edm\"", "use one of eps, v, flow"]),
      (run("[3, 0]", #", "process": 3"#), ["process"]),
      (run("[3, 0]", #", "process": "flow""#), ["sigmas[0] 3", "0 ... 1", "eps or v"]),
      (run("[3, 0]", #", "output": "x0""#), ["output \"x0\"", "use one of denoised, model"]),
      (run("[3, 0]", #", "eta": 1.5"#), ["eta 1.5", "0 ... 1"]), (run("[3, 0]", #", "eta": NaN"#), ["eta nan"]),
      (run("[3, 0]", #", "s_noise": -1"#), ["s_noise -1", "0 or more"]),
      (run("[3, 0]", #", "s_churn": NaN"#), ["s_churn nan", "0 or more"]),
      (run("[3, 0]", #", "s_tmin": NaN"#), ["s_tmin nan"]), (run("[3, 0]", #", "r": 0"#), ["r 0", "above 0"]),
      (run("[3, 0]", #", "order": 7"#), ["order 7", "use 1, 2, 3 or 4"]),
      (run("[3, 0]", #", "order": 2.5"#), ["order"]),
      (run("[3, 0]", #", "solver_type": "euler""#), ["solver_type \"euler\"", "midpoint or heun"]),
      (run("[3, 0]"), ["8 steps", "2 sigmas make 1"]),
    ]
    for (configuration, parts) in cases {
      let text = try reason(configuration)
      for part in parts { #expect(text.contains(part), "\(configuration): \(text)") }
      #expect(!text.contains("\n") && !text.contains("judged, agrees"), "\(configuration): \(text)")
    }
    let sampler = run("[3, 0]", #", "process": "flow""#).replacingOccurrences(of: "[3, 0]", with: "[1, 0.5, 0]")
    for (name, part) in [("ddpm", "process flow"), ("dpmpp_3m_sde", "sigmas[0] 1"), ("dpmpp_sde", "sigmas[0] 1")] {
      #expect(try reason(sampler.replacingOccurrences(of: "\"euler\"", with: "\"\(name)\"")).contains(part))
    }
    #expect(try reason(run("[3, 0]"), arguments: #"{"eta": 1}"#).contains("the configuration holds them all"))
  }

  /// Nothing that a file may hold stops the program.
  @Test func `odd numbers make a plan or an error`() {
    let least = Double.leastNonzeroMagnitude
    let sigmas: [[Double]] = [
      [1.7e308, 1e308, 1e-308, 0], [1e200, 1e-200, 1e-300], [least, 0], [1, least, 0], [1, 0.5, 0x1p-1063, 0],
      [1, 1 - 0x1p-53, 0.5], [0.9, 1e-17, 1e-18, 0], [0x1p-1030, 0x1p-1046, least], [1, 0], [0.3, 0.2],
    ]
    for name in Method.allCases.map(\.rawValue) {
      for sigmas in sigmas {
        for process in KDiffusionConfiguration.Process.allCases {
          for output in KDiffusionConfiguration.Output.allCases {
            for (eta, churn, middle) in [(nil, 0.0, 0.5), (0.0, 1e300, 0.999), (0.5, 1, 1e-300)] {
              var configuration = KDiffusionConfiguration(
                sampler: name, sigmas: sigmas, process: process, output: output)
              (configuration.eta, configuration.churn, configuration.middle) = (eta, churn, middle)
              for fidelity in Fidelity.allCases {
                for drawsWholeSteps in [true, false] {
                  _ = try? configuration.plan(
                    fidelity: fidelity, in: TorchArithmetic(drawsWholeSteps: drawsWholeSteps))
                }
              }
            }
          }
        }
      }
    }
  }

  /// The laws that ComfyUI's steps on rectified flow obey: data stay data, and noise stays as large
  /// as its level says.
  @Test(arguments: Method.allCases) func `a run on rectified flow stays on its line`(method: Method) throws {
    guard method != .ddpm else { return }
    var configuration = KDiffusionConfiguration(
      sampler: method.rawValue, sigmas: [0.95, 0.9, 0.7, 0.45, 0.2, 0], process: .flow, output: .model)
    for eta in [nil, 0, 0.5] {
      configuration.eta = eta
      for fidelity in Fidelity.allCases {
        let plan = try configuration.plan(fidelity: fidelity)
        // A sample of data 1 and no noise, and a network that knows so: x0 = 1 from x = 1 − σ.
        var run = SamplingRun(plan, from: SampleBatch<Double>(shape: [1, 1, 1], scalars: [plan.start.signal]))
        for step in plan.steps {
          #expect(abs(run.sample.scalars[0] - step.query.level.signal) < 1e-12)
          let output = SampleBatch<Double>(shape: [1, 1, 1], scalars: [-1])
          run.advance(output: output, noise: SampleBatch(zeros: [1, 1, 1]))
        }
        #expect(abs(run.sample.scalars[0] - 1) < 1e-12, "\(method) \(fidelity)")
      }
    }
  }
}
