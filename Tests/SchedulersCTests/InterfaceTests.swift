import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersJSON
import Testing

@testable import SchedulersC

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What each function answers, and that it is what the library says in Swift.
struct InterfaceTests {
  @Test("a request makes the plan that Swift makes")
  func plans() throws {
    let file = """
      {"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
       "beta_end": 0.012}
      """
    let configuration = try JSONText.decode(DiffusersConfiguration.self, from: Array(file.utf8))
    for fidelity in Fidelity.allCases {
      let handle = try Handle.plan(
        "{\"configuration\": \(file), \"steps\": 7, \"fidelity\": \"\(fidelity.rawValue)\", "
          + "\"arguments\": {\"s_churn\": 2, \"s_noise\": 1.01}}")
      var arguments = RunArguments(churn: 2, churnNoise: 1.01)
      #expect(try plan(handle) == configuration.plan(steps: 7, fidelity: fidelity, with: arguments))
      arguments.churn = 0
      #expect(try plan(handle) != configuration.plan(steps: 7, fidelity: fidelity, with: arguments))
    }
    let zero = """
      {"_class_name": "DDIMScheduler", "beta_schedule": "squaredcos_cap_v2", "rescale_betas_zero_snr": true,
       "prediction_type": "v_prediction", "timestep_spacing": "trailing"}
      """
    let rescaled = try JSONText.decode(DiffusersConfiguration.self, from: Array(zero.utf8))
    for (processor, isOnAMD) in [("amd", true), ("other", false)] {
      let handle = try Handle.plan(
        "{\"configuration\": \(zero), \"steps\": 7, \"fidelity\": \"diffusers\", \"processor\": \"\(processor)\"}")
      let torch = TorchArithmetic(isOnAMD: isOnAMD)
      #expect(try plan(handle) == rescaled.plan(steps: 7, fidelity: .diffusers, with: RunArguments(), in: torch))
      let elsewhere = try rescaled.plan(steps: 7, fidelity: .diffusers, with: RunArguments(), in: torch.elsewhere)
      #expect(try plan(handle) != elsewhere)
    }
    let usual = try Handle.plan("{\"configuration\": \(file), \"steps\": 7}")
    #expect(try plan(usual) == configuration.plan(steps: 7, fidelity: .corrected))
    let preset = ModelPreset.named("qwen-image")!
    let large = try Handle.plan("{\"preset\": \"qwen-image\", \"tokens\": 3072, \"steps\": 9}")
    #expect(try plan(large) == preset.plan(steps: 9, tokens: 3072))

    let schedule = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    let ddim = try Handle.plan(
      """
      {"sampler": "ddim", "schedule": "scaled-linear", "spacing": "leading", "offset": 1, "steps": 20, "eta": 0.5,
       "prediction": "v", "clipping": "static", "strength": 0.5}
      """)
    let grid = try SamplingGrid(schedule, steps: 20, spacing: .leading(offset: 1)).starting(strength: 0.5)
    #expect(try plan(ddim) == DDIM(eta: 0.5).plan(over: grid, predicting: .v, clipping: .range(-1...1)))
    let flow = try Handle.plan("{\"sampler\": \"euler\", \"spacing\": \"flow\", \"shift\": 3, \"steps\": 8}")
    let times = try SamplingGrid(flow: FlowSpacing(shift: .fixed(3)), steps: 8)
    #expect(try plan(flow) == Euler().plan(over: times, predicting: .flow))
    let betas = try Handle.plan("{\"sampler\": \"ddpm\", \"schedule\": {\"betas\": [0.1, 0.2, 0.4]}, \"steps\": 3}")
    let short = try NoiseSchedule(betas: [0.1, 0.2, 0.4])
    #expect(try plan(betas) == DDPM().plan(over: SamplingGrid(short, steps: 3), predicting: .epsilon))
  }

  @Test("a plan is told as JSON, and comes back from it")
  func planText() throws {
    let handle = try Handle.plan("{\"sampler\": \"unipc\", \"steps\": 12}")
    let json = try given { schedulersPlanJSON(handle.pointer, $0, $1) }
    #expect(try plan(Handle.plan(json)) == plan(handle))
    var info = schedulers_plan_info()
    #expect(call { schedulersPlanDescribe(handle.pointer, &info, $0) }.status == 0)
    let expected = try plan(handle)
    #expect(info.steps == 12 && info.initial_scale == expected.initialScale && info.signal == expected.start.signal)
    #expect(info.noise == expected.start.noise && info.is_stochastic == 0 && info.learns_variance == 0)
    var queries = [schedulers_query](repeating: schedulers_query(), count: 12)
    #expect(call { schedulersPlanQueries(handle.pointer, 12, &queries, $0) }.status == 0)
    for (i, (query, step)) in zip(queries, expected.steps).enumerated() {
      #expect(query.step == i && query.steps == 12 && query.is_done == 0 && query.needs_noise == 0)
      #expect(query.timestep == step.query.timestep && query.signal == step.query.level.signal)
      #expect(query.noise == step.query.level.noise && query.next_signal == step.arrival.signal)
      #expect(query.next_noise == step.arrival.noise && query.input_scale == step.query.inputScale)
      #expect(i == 11 ? query.next_timestep.isNaN : query.next_timestep == queries[i + 1].timestep)
    }
  }

  @Test("a step says when the configuration's library draws, though it adds nothing")
  func draws() throws {
    let configuration = try DiffusersConfiguration("EulerAncestralDiscreteScheduler")
    let handle = try Handle.plan(
      "{\"configuration\": {\"_class_name\": \"EulerAncestralDiscreteScheduler\"}, \"steps\": 5, "
        + "\"fidelity\": \"diffusers\"}")
    var queries = [schedulers_query](repeating: schedulers_query(), count: 5)
    #expect(call { schedulersPlanQueries(handle.pointer, 5, &queries, $0) }.status == 0)
    #expect(try queries.map { $0.draws_noise == 1 } == configuration.draws(steps: 5))
    #expect(queries.contains { $0.draws_noise != $0.needs_noise })
  }

  @Test("the network is given the sample in its own scale, in place too")
  func input() throws {
    let handle = try Handle.plan(
      "{\"configuration\": {\"_class_name\": \"EulerDiscreteScheduler\"}, \"steps\": 5, \"fidelity\": \"diffusers\"}")
    let run = try Handle.run(handle, type: 0, samples: 1, size: 3)
    var (x, input): ([Float], [Float]) = ([3, -2, .infinity], [0, 0, 0])
    let expected = SamplingRun(try plan(handle), from: x).input
    #expect(call { schedulersRunInput(run.pointer, x, &input, $0) }.status == 0)
    #expect(input == expected)
    let status = x.withUnsafeMutableBytes { x in
      call { schedulersRunInput(run.pointer, x.baseAddress, x.baseAddress, $0) }.status
    }
    #expect(status == 0 && x == expected)
  }

  @Test("every source draws what it draws in Swift, and goes on from where it was saved", arguments: 0..<10)
  func noises(_ index: Int) throws {
    let sources: [(String, any NoiseSource)] = [
      (
        "{\"source\": \"philox\", \"seed\": 18446744073709551615, \"firstSample\": 3}",
        GaussianNoise(seed: .max, firstSample: 3)
      ),
      ("{\"source\": \"philox\", \"seeds\": [7, 8]}", GaussianNoise(seeds: [7, 8])),
      ("{\"source\": \"brownian\", \"seed\": 4}", BrownianNoise(seed: 4)),
      ("{\"source\": \"torch-cpu\", \"seed\": 4}", TorchNoise(seed: 4)),
      (
        "{\"source\": \"torch-cpu\", \"seeds\": [4, 5], \"precision\": \"float64\"}",
        TorchNoise(seeds: [4, 5], precision: .float64)
      ),
      ("{\"source\": \"torch-cuda\", \"seed\": 4, \"device\": \"t4\"}", TorchCUDANoise(seed: 4, device: .t4)),
      ("{\"source\": \"torch-sde\", \"seed\": 4, \"sigmas\": [0.5, 14]}", TorchSDENoise(seed: 4, sigmas: 0.5...14)),
      (
        "{\"source\": \"numpy\", \"seed\": 4, \"precision\": \"float32\"}", NumPyGenerator(seed: 4, precision: .float32)
      ),
      ("{\"source\": \"numpy-legacy\", \"seed\": 4}", NumPyRandomState(seed: 4)),
      ("{\"source\": \"mlx\", \"seed\": 4}", MLXNoise(seed: 4)),
    ]
    let (request, swift) = sources[index]
    var source = swift
    func next<Scalar: SampleScalar>(_: Scalar.Type) -> [Scalar] {
      let batch: SampleBatch<Scalar> = source.next(like: SampleBatch(zeros: [2, 33]), from: 9, to: 7)
      return batch.scalars
    }
    var handle = try Handle.noise(request)
    var (floats, doubles) = ([Float](repeating: 0, count: 66), [Double](repeating: 0, count: 66))
    for turn in 0..<3 {
      #expect(call { schedulersNoiseNext(handle.pointer, 0, 2, 33, 9, 7, &floats, $0) }.status == 0)
      #expect(floats == next(Float.self), "\(request)")
      #expect(call { schedulersNoiseNext(handle.pointer, 1, 2, 33, 9, 7, &doubles, $0) }.status == 0)
      #expect(doubles == next(Double.self), "\(request)")
      if turn == 0 { handle = try .noise(given { schedulersNoiseJSON(handle.pointer, $0, $1) }) }
      if turn == 1 { handle = try handle.copiedNoise() }
    }
  }

  @Test("noise has addresses")
  func addresses() throws {
    var values = [Float](repeating: 0, count: 12)
    #expect(call { schedulersNormals(9, 3, 5, 0, 2, 6, &values, $0) }.status == 0)
    let source = GaussianNoise(seed: 9)
    for i in 0..<12 { #expect(values[i] == source.normal(element: i % 6, sample: UInt64(5 + i / 6), draw: 3)) }
    #expect(call { schedulersNormals(9, 1 << 32, 5, 0, 2, 6, &values, $0) }.status == 1)
  }

  @Test(
    "a run that draws makes what one makes that is given the same noise",
    arguments: ["philox", "torch-cpu", "brownian"])
  func drawing(_ source: String) throws {
    let handle = try Handle.plan("{\"sampler\": \"dpm++2m-sde\", \"steps\": 6}")
    let request = "{\"source\": \"\(source)\", \"seed\": 3}"
    let (given, made) = (try Handle.noise(request), try Handle.noise(request))
    let (a, b) = (
      try Handle.run(handle, type: 0, samples: 2, size: 40), try Handle.run(handle, type: 0, samples: 2, size: 40)
    )
    var (x, y) = ([Float](repeating: 1, count: 80), [Float](repeating: 1, count: 80))
    let output = (0..<80).map { Float($0 % 7) / 7 }
    var query = schedulers_query()
    while true {
      #expect(call { schedulersRunQuery(a.pointer, &query, $0) }.status == 0)
      if query.is_done == 1 { break }
      var noise = [Float](repeating: .nan, count: 80)
      if query.needs_noise == 1 {
        #expect(
          call {
            schedulersNoiseNext(
              given.pointer, 0, 2, 40, query.noise / query.signal, query.next_noise / query.next_signal, &noise, $0)
          }.status == 0)
      }
      #expect(call { schedulersRunAdvance(a.pointer, &x, output, noise, nil, $0) }.status == 0)
      #expect(call { schedulersRunAdvanceDrawing(b.pointer, &y, output, made.pointer, nil, $0) }.status == 0)
      #expect(x == y)
    }
    #expect(query.step == 6 && query.steps == 6)
  }

  @Test("mixtures, targets and weights are those of levels")
  func training() throws {
    let (signal, noise): ([Double], [Double]) = ([0.6, 1], [0.8, 0])
    let (x0, epsilon): ([Double], [Double]) = ([1, 2, 3, 4], [-1, 0.5, 2, 7])
    var x = [Double](repeating: 0, count: 4)
    #expect(call { schedulersMix(1, 2, 2, signal, noise, x0, epsilon, &x, $0) }.status == 0)
    #expect(x == [0.6 - 0.8, 1.2 + 0.4, 3, 4])
    for prediction in Prediction.allCases where prediction != .previous {
      #expect(call { schedulersTarget(prediction.rawValue, 1, 2, 2, signal, noise, x0, epsilon, &x, $0) }.status == 0)
      for i in 0..<4 {
        let target = try #require(prediction.target(at: NoiseLevel(signal: signal[i / 2], noise: noise[i / 2])))
        #expect(x[i] == target.x0 * x0[i] + target.epsilon * epsilon[i])
      }
    }
    var weights: [Double] = [0, 0]
    let request = "{\"weighting\": \"minSNR\", \"gamma\": 2, \"prediction\": \"v\"}"
    #expect(call { schedulersWeights(request, 2, signal, noise, &weights, $0) }.status == 0)
    // min(s, γ)/(s + 1) at s = 9/16 and ∞.
    #expect(abs(weights[0] - 9.0 / 25) < 1e-15 && weights[1] == 0)
    for name in WeightingRequest.names {
      #expect(call { schedulersWeights("{\"weighting\": \"\(name)\"}", 2, signal, noise, &weights, $0) }.status == 0)
    }
    let edm = "{\"weighting\": \"edm\", \"sigmaData\": 0.25, \"prediction\": \"edm\"}"
    #expect(call { schedulersWeights(edm, 2, [1, 1], [2, 0.125], &weights, $0) }.status == 0)
    // λ(σ) = 1/c_out², so that the network's own error has the weight 1.
    #expect(weights.allSatisfy { abs($0 - 1) < 1e-14 })
    #expect(call { schedulersWeights(request, 1, [-1], [1], &weights, $0) }.status == 1)
  }

  @Test("a schedule has its tables")
  func tables() throws {
    let handle = try Handle.schedule("{\"schedule\": \"cosine\", \"timesteps\": 50}")
    let schedule = try NoiseSchedule(.cosine(), timesteps: 50)
    var (count, values) = (Int64(0), [Double](repeating: 0, count: 50))
    #expect(call { schedulersScheduleTimesteps(handle.pointer, &count, $0) }.status == 0)
    #expect(count == 50)
    for table in NoiseSchedule.tables {
      #expect(call { schedulersScheduleTable(handle.pointer, table.name, 50, &values, $0) }.status == 0)
      #expect(values == table.values(schedule))
    }
    #expect(call { schedulersScheduleTable(handle.pointer, "betas", 49, &values, $0) }.status == 1)
    #expect(call { schedulersScheduleTable(handle.pointer, "alphas_cumprod", 50, &values, $0) }.status == 3)
    let file = "{\"_class_name\": \"DDPMScheduler\", \"beta_schedule\": \"squaredcos_cap_v2\"}"
    let configured = try Handle.schedule("{\"configuration\": \(file), \"fidelity\": \"diffusers\"}")
    var long = [Double](repeating: 0, count: 1000)
    #expect(call { schedulersScheduleTable(configured.pointer, "alphaBars", 1000, &long, $0) }.status == 0)
    let configuration = try DiffusersConfiguration("DDPMScheduler", ["beta_schedule": "squaredcos_cap_v2"])
    #expect(try long == configuration.schedule(fidelity: .diffusers).alphaBars)
  }

  @Test("a recorded run is judged, right or wrong")
  func verify() throws {
    let plan = try Handle.plan("{\"sampler\": \"euler\", \"steps\": 2}")
    let json = try given { schedulersPlanJSON(plan.pointer, $0, $1) }
    var run = SamplingRun(try SchedulersCTests.plan(plan), from: [1.0, -2])
    var samples = [run.sample]
    while run.query != nil {
      run.advance(output: [0.5, 0.25])
      samples.append(run.sample)
    }
    for isWrong in [false, true] {
      if isWrong { samples[1][0] += 0.125 }
      let trace = """
        {"format": "scheduler-trace/1", "plan": \(json), "timesteps": \(run.plan.steps.map(\.query.timestep)),
         "samples": \(samples.map { [$0] }), "model_outputs": [[[0.5, 0.25]], [[0.5, 0.25]]]}
        """
      let path = "/tmp/schedulers-c-\(UInt64.random(in: 0...UInt64.max)).json"
      try #require(write(trace, to: path))
      defer { unlink(path) }
      let answer = try given { schedulersVerify(path, nil, $0, $1) }
      #expect(answer.contains("\"agrees\":\(!isWrong)"), "\(answer)")
      #expect(answer.contains(isWrong ? "wrong from step 0 on" : ": right"))
      // Half a sample off is allowed on request.
      let loose = try given { schedulersVerify(path, "{\"tolerance\": 0.5}", $0, $1) }
      #expect(loose.contains("\"agrees\":true"))
      var text: UnsafeMutablePointer<CChar>?
      #expect(call { schedulersVerify(path, "{\"tolerances\": 1}", &text, $0) }.status == 3)
    }
    var text: UnsafeMutablePointer<CChar>?
    let missing = call { schedulersVerify("/no/such/trace", nil, &text, $0) }
    #expect(missing.status == 6 && missing.text.contains("/no/such/trace") && text == nil)
  }

  private func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(path, "w") else { return false }
    defer { fclose(file) }
    return fputs(text, file) >= 0
  }

  @Test("the catalog lists what requests can name")
  func catalog() throws {
    let json = try given { schedulersCatalog($0, $1) }
    guard case .object(let lists) = try JSONText.decode(DiffusersConfiguration.Value.self, from: Array(json.utf8)),
      case .object(let classes)? = lists["classes"], case .list(let samplers)? = lists["samplers"]
    else {
      Issue.record("no catalog")
      return
    }
    #expect(classes.count == DiffusersConfiguration.Class.allCases.count)
    #expect(samplers.count == SamplerCatalog.all.count)
    #expect(String(cString: schedulersVersion()!) == SchedulersLibrary.version)
    #expect(schedulersABIVersion() == 1)
  }
}
