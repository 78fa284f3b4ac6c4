import DigitsModel
import Foundation
import Schedulers
import SchedulersInterop
import Testing

@testable import scheduler

@Suite struct `A configuration of another library` {
  let tool: Tool

  init() throws { tool = try Tool() }

  private static let discrete = #""beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012"#
  /// Configurations, each with what a pipeline may give besides.
  private static let cases: [(text: String, arguments: String)] = [
    (#"{"_class_name": "DDIMScheduler", \#(discrete), "clip_sample": false}"#, #"{"eta": 0.5}"#),
    (#"{"_class_name": "EulerDiscreteScheduler", \#(discrete), "prediction_type": "v_prediction"}"#, "{}"),
    (#"{"_class_name": "DPMSolverMultistepScheduler", \#(discrete), "prediction_type": "sample"}"#, "{}"),
    (#"{"_class_name": "HeunDiscreteScheduler", \#(discrete)}"#, "{}"),
    (#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true}"#, #"{"mu": 1.15}"#),
    (#"{"_class_name": "EDMEulerScheduler"}"#, "{}"),
    (#"{"_class_name": "CMStochasticIterativeScheduler"}"#, "{}"),
  ]

  private func write(_ text: String, _ name: String = "config.json") throws {
    try Data(text.utf8).write(to: tool.folder.appendingPathComponent(name))
  }

  private func configuration(_ text: String) throws -> DiffusersConfiguration {
    try JSONDecoder().decode(DiffusersConfiguration.self, from: Data(text.utf8))
  }

  @Test func `is planned as it says, in JSON to the last digit`() throws {
    for (text, given) in Self.cases {
      try write(text)
      let arguments = try JSONDecoder().decode(RunArguments.self, from: Data(given.utf8))
      for fidelity in Fidelity.allCases {
        let outcome = try tool.run(
          "plan", "--config", "config.json", "--steps", "6", "--arguments", given, "--fidelity", fidelity.rawValue,
          "--format", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let plan = try JSON.decoder.decode(SamplingPlan.self, from: outcome.output)
        #expect(plan == (try configuration(text).plan(steps: 6, fidelity: fidelity, with: arguments)), "\(text)")
      }
    }
  }

  @Test func `is shown with its sigmas, what has no effect and where its source departs`() throws {
    try write(#"{"_class_name": "EulerDiscreteScheduler", \#(Self.discrete), "use_beta_sigmas": true, "a\nb": 1}"#)
    let outcome = try tool.run("plan", "config.json", "--steps", "3")
    #expect(try outcome.output == tool.run("plan", "--config", "config.json", "--steps", "3").output)
    let lines = outcome.text.split(separator: "\n")
    #expect(lines.count == 3 + 1 + 3, "\(outcome.text) \(outcome.errors)")
    #expect(
      lines[0].hasPrefix("EulerDiscreteScheduler, 3 steps, fidelity diffusers: starts from noise of deviation 14.6")
        && lines[0].hasSuffix("; ends at sigma 0"))
    #expect(lines[1] == "without effect: a b")
    #expect(lines[2].hasPrefix("departs from the papers") && lines[2].contains("betaOverSigmas"))
    #expect(lines[3].split(separator: " ").prefix(6) == ["step", "timestep", "sigma", "signal", "noise", "input"])
    let corrected = try tool.run("plan", "config.json", "--steps", "10", "--fidelity", "corrected").text
    let rows = corrected.split(separator: "\n").dropFirst(3).map { $0.split(separator: " ") }
    #expect(rows.map { $0[1] } == ["999", "952", "854", "724", "576", "423", "275", "145", "47", "0"])
  }

  /// diffusers' UniPC goes on from what it made, whatever a pipeline put in its place.
  @Test func `is shown with the sample as it was made`() throws {
    try write(#"{"_class_name": "UniPCMultistepScheduler", \#(Self.discrete)}"#)
    let lines = try tool.run("plan", "config.json", "--steps", "4").text.split(separator: "\n").suffix(3)
    // The last, to clean data, is x0 alone.
    #expect(lines.count == 3 && lines.dropLast().allSatisfy { $0.contains(" x⁺ ") }, "\(lines)")
  }

  @Test func `is printed as the document shows it`() throws {
    let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL
    let document = try String(contentsOf: root.appendingPathComponent("Docs/Tool.md"), encoding: .utf8)
    let parts = document.split(separator: "\n```json\n", maxSplits: 1)
    let blocks = try #require(parts.last).split(separator: "\n```\n").map { $0.trimmingPrefix("\n```\n") }
    try write(String(blocks[0]), "scheduler_config.json")
    let printed = try tool.run("plan", "scheduler_config.json", "--steps", "4").text
    #expect(document.contains("\n```\n\(printed)```\n"), "\(printed)")
    try write(
      "{\n  \"_class_name\": \"DDIMScheduler\",\n  \"beta_start\": 0.00085,\n  \"beta_end\": 0.012,\n}",
      "scheduler_config.json")
    let refused = try tool.run("plan", "scheduler_config.json").errors
    #expect(document.contains("\n```\n\(refused)```\n"), "\(refused)")
  }

  @Test func `of rectified flow is shown with the time as its sigma`() throws {
    try write(#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true}"#)
    let text = try tool.run(
      "plan", "config.json", "--arguments", #"{"mu": 0, "sigmas": [1, 0.75, 0.5]}"#
    ).text
    let rows = text.split(separator: "\n").drop { !$0.hasPrefix("step") }.dropFirst().map { $0.split(separator: " ") }
    #expect(rows.map { $0[2] } == ["1", "0.75", "0.5"])
  }

  @Test func `of a released model comes with what its pipeline gives`() throws {
    let preset = try #require(ModelPreset.named("mochi-1"))
    let usual = try tool.run("plan", "--preset", "mochi-1", "--format", "json").output
    #expect(try JSON.decoder.decode(SamplingPlan.self, from: usual) == preset.plan(fidelity: .diffusers))
    let short = try tool.run("plan", "--preset", "mochi-1", "--steps", "8", "--format", "json").output
    #expect(try JSON.decoder.decode(SamplingPlan.self, from: short) == preset.plan(steps: 8, fidelity: .diffusers))
    let krea = try #require(ModelPreset.named("krea-2"))
    let given = try tool.run(
      "plan", "--preset", "krea-2", "--steps", "8", "--arguments", #"{"image_seq_len": 1024}"#, "--format", "json"
    ).output
    let theirs = try krea.configuration.plan(steps: 8, fidelity: .diffusers, with: RunArguments(tokens: 1024))
    #expect(try JSON.decoder.decode(SamplingPlan.self, from: given) == theirs)
    // Its own number of steps, unless the times are given.
    for (given, count) in [(#"{"image_seq_len": 1024}"#, krea.steps), (#"{"sigmas": [1, 0.5], "mu": 1}"#, 2)] {
      let output = try tool.run("plan", "--preset", "krea-2", "--arguments", given, "--format", "json").output
      #expect(try JSON.decoder.decode(SamplingPlan.self, from: output).steps.count == count)
    }
    let lines = try tool.run("list", "presets").text.split(separator: "\n")
    #expect(lines.count == 1 + ModelPreset.all.count && lines[1].hasPrefix("chroma"))
  }

  @Test func `of guided-diffusion has the steps of its respacing`() throws {
    try write(#"{"_class_name": "GaussianDiffusion", "sampler": "ddim_sample", "timestep_respacing": "ddim10"}"#)
    let outcome = try tool.run("plan", "config.json", "--format", "json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try JSON.decoder.decode(SamplingPlan.self, from: outcome.output).steps.count == 10)
    #expect(try tool.run("plan", "config.json", "--steps", "9").errors.contains("its respacing makes 10"))
  }

  /// The options that mean something beside a configuration. Every other one must be refused.
  private static let beside: [String: Set<String>] = [
    "plan": ["--format"],
    "sample": [
      "--model", "--class", "--guidance", "--noise", "--seed", "--precision", "--arithmetic", "--device", "--count",
      "--batch-size", "--output",
    ],
  ]

  @Test(arguments: ["plan", "sample"]) func `says everything that other options would say`(_ command: String) throws {
    try write(Self.cases[0].text)
    let own: Set = [
      "--config", "--preset", "--arguments", "--step-arguments", "--fidelity", "--steps", "--help", "--version",
    ]
    var refused = 0
    for line in try tool.run(command, "--help").text.split(separator: "\n") {
      guard let match = line.firstMatch(of: /^  (?:-o, )?(--[a-z-]+)(?:, --[a-z-]+)?( <[a-z-]+>)?/) else { continue }
      let option = String(match.1)
      if own.contains(option) || Self.beside[command, default: []].contains(option) { continue }
      let outcome = try tool.run([command, "--config", "config.json", option] + (match.2 == nil ? [] : ["1"]))
      #expect(outcome.status == 2 && outcome.errors.contains("\(option) means nothing beside"), "\(outcome.errors)")
      refused += 1
    }
    #expect(refused >= 15)
    #expect(try tool.files() == ["config.json"])
  }

  private static let failures: [([String], String)] = [
    (["plan", "none.json"], "cannot read the configuration none.json: there is no such file"),
    (["plan", "config.json", "--config", "config.json"], "are both configurations; drop one"),
    (["plan", "config.json", "--preset", "mochi-1"], "config.json and --preset mochi-1 are both configurations"),
    (["plan", "--preset", "mochi"], "unknown preset \"mochi\"; known: chroma, cogview4, "),
    (["plan", "--preset", "ltx-2-distilled", "--steps", "9"], "they make 8 steps; it must be the number of steps, 9"),
    (["plan", "--preset", "krea-2", "--arguments", "{}"], "cannot follow krea-2: use_dynamic_shifting true"),
    (["plan", "config.json", "--steps", "0"], "--steps 0 must be in"),
    (["plan", "config.json", "--steps", "1001"], "the number of steps must be in 1 ... 1000"),
    (["plan", "config.json", "--fidelity", "exact"], "unknown fidelity \"exact\"; known: corrected, diffusers"),
    (["plan", "config.json", "--arguments", "{\"mu\" 1}"], "cannot follow --arguments {\"mu\" 1}: the text has no :"),
    (["plan", "config.json", "--arguments", "{\"nu\": 1}"], "the step argument nu is not supported"),
    (["plan", "--fidelity", "corrected"], "--fidelity corrected means nothing for a run without a configuration"),
    (["sample", "--arguments", "{}"], "--arguments {} means nothing for a run without a configuration"),
    (["sample", "--config", "inverse.json"], "DDIMInverseScheduler goes from data to noise and samples nothing"),
    (["sample", "--config", "learned.json"], "DDPMScheduler reads a learned variance"),
  ]

  @Test func `that cannot be followed is one line, status 2 and no file`() throws {
    try write(Self.cases[0].text)
    try write(#"{"_class_name": "DDIMInverseScheduler"}"#, "inverse.json")
    try write(#"{"_class_name": "DDPMScheduler", "variance_type": "learned_range"}"#, "learned.json")
    let before = try tool.files()
    for (arguments, excerpt) in Self.failures {
      let outcome = try tool.run(arguments)
      #expect(outcome.status == 2 && outcome.output.isEmpty, "\(arguments)")
      #expect(outcome.errors.contains(excerpt) && outcome.errors.filter(\.isNewline).count == 1, "\(outcome.errors)")
    }
    #expect(try tool.files() == before)
  }

  @Test(arguments: [[], ["--model", "trained"], ["--class", "7", "--guidance", "2"]])
  func `draws digits, whatever its network would predict`(_ options: [String]) throws {
    for (text, given) in Self.cases {
      try write(text)
      let outcome = try tool.run(
        ["sample", "--config", "config.json", "--arguments", given, "--steps", "3", "--count", "2"] + options)
      #expect(outcome.status == 0, "\(text): \(outcome.errors)")
    }
  }

  /// What is converted to F and read back is x̂0, but for roundings that the division by the factor
  /// of F magnifies; that is at most 1/σ_min here, 500.
  @Test func `asks the exact model for what its plan reads as the exact x0`() throws {
    let exact = try ConditionOptions.parse([]).denoiser(nil, predicting: .x0)
    let model = try ConditionOptions.parse([]).converted()
    var noise = GaussianNoise(seed: 5)
    let z = noise.next(like: SampleBatch<Double>(zeros: [2, 1, 8, 8]))
    let data = SampleBatch<Double>(shape: z.shape, scalars: try Digits().images.prefix(2).flatMap { $0 })
    for (text, given) in Self.cases {
      let arguments = try JSONDecoder().decode(RunArguments.self, from: Data(given.utf8))
      for step in try configuration(text).plan(steps: 6, with: arguments).steps {
        let sample = step.query.level.mix(data, with: z)
        let input = SampleBatch.combination([(step.query.inputScale, sample)])
        let output = try model(input, step)
        let read = SampleBatch.combination([(step.denoising.sample, sample), (step.denoising.output, output)])
        let wanted = try exact(input, SamplingPlan.Query(step.query))
        for (a, b) in zip(read.scalars, wanted.scalars) { #expect(abs(a - b) <= 1e-9, "\(text) at \(step.query)") }
      }
    }
  }

  /// At a timestep of its own process a network is asked there and nothing is converted, but for
  /// roundings: of Float in the network, 2⁻²⁴, which its layers may magnify a hundredfold.
  @Test func `asks the trained model at the timestep of its own process that has the same sigma`() throws {
    let trained = try TrainedModel.shipped()
    let schedule = try trained.configuration.schedule()
    let prediction = trained.configuration.predictionType
    let model = try ConditionOptions.parse(["--model", "trained"]).converted()
    let denoiser = trained.denoiser(label: nil, guidance: 1)
    var noise = GaussianNoise(seed: 6)
    let sample = noise.next(like: SampleBatch<Double>(zeros: [1, 1, 8, 8]))
    let own = try SamplingGrid(schedule, timesteps: [900, 500, 100])
    // The same levels on another path, with samples scaled by 1/signal and another timestep.
    for (a, b) in zip(own.points, try own.exploding().points.dropLast()) {
      let query = SamplingGrid.Point(timestep: 0.25, level: b.level)
      let plan = try Euler().plan(over: SamplingGrid(points: [query, .clean]), predicting: .v)
      let scaled = SampleBatch.combination([(1 / a.level.signal, sample)])
      let step = plan.steps[0]
      let output = try model(scaled, step)
      let x0 = SampleBatch.combination([(step.denoising.sample, scaled), (step.denoising.output, output)])
      let readout = try #require(prediction.denoising(at: a.level))
      let wanted = SampleBatch.combination([
        (readout.sample, sample), (readout.output, try denoiser(sample, SamplingPlan.Query(a))),
      ])
      for (x, y) in zip(x0.scalars, wanted.scalars) { #expect(abs(x - y) <= 1e-5 * max(1, abs(y))) }
    }
  }
}
