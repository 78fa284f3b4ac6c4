import Foundation
import Schedulers
import SchedulersInterop
import SchedulersSafetensors
import Testing

@testable import scheduler

@Suite struct `Plans that leave home` {
  let tool: Tool
  /// DPM-Solver++ 2M, 4 steps, and a run of it.
  private let plan: String
  private let run: String

  init() throws {
    tool = try Tool()
    plan = try tool.run("plan", "--sampler", "dpm++2m", "--steps", "4", "--format", "json").text
    try Data(plan.utf8).write(to: tool.folder.appendingPathComponent("plan.json"))
    run = try tool.run("run", "--plan", "plan.json", "--shape", "2,1,2,3").text
  }

  private func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: tool.folder.appendingPathComponent(name))
  }

  @Test func `say what they were made from, which is no part of them`() throws {
    let document = try JSONDecoder().decode(PlanDocument.self, from: Data(plan.utf8))
    #expect(
      document.provenance == [
        "sampler": "dpm++2m", "prediction": "epsilon", "spacing": "trailing", "steps": 4, "schedule": "linear",
        "command": "scheduler plan --sampler dpm++2m --steps 4 --format json",
      ])
    let bare = try JSONDecoder().decode(PlanDocument.self, from: JSONEncoder().encode(document.plan))
    #expect(bare.plan == document.plan && bare.provenance == nil && bare != document)

    let configuration = #"{"_class_name": "DDIMScheduler", "beta_end": 0.01, "clip_sample": false}"#
    try write(configuration, to: "config.json")
    let outcome = try tool.run(
      "plan", "config.json", "--steps", "3", "--arguments", #"{"eta": 0.5}"#, "--fidelity", "corrected", "--format",
      "json")
    let read = try JSONDecoder().decode(PlanDocument.self, from: outcome.output)
    #expect(
      read.provenance == [
        "configuration": .object(["_class_name": "DDIMScheduler", "beta_end": 0.01, "clip_sample": false]),
        "steps": 3, "fidelity": "corrected", "arguments": .object(["eta": 0.5]),
      ])
  }

  @Test func `keep an infinity of a configuration as a word`() throws {
    try write(
      #"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}"#, to: "config.json")
    let outcome = try tool.run("plan", "config.json", "--steps", "3", "--format", "json")
    #expect(outcome.status == 0 && outcome.text.contains(#""lambda_min_clipped":"-Infinity""#))
  }

  @Test func `are written as an initialiser in C with the same numbers`() throws {
    let text = try tool.run("plan", "--sampler", "dpm++2m", "--steps", "4", "--clip", "dynamic", "--format", "c").text
    let plan = try JSONDecoder().decode(SamplingPlan.self, from: Data(self.plan.utf8))
    #expect(text.hasPrefix("#include \"scheduler_plan.h\"\n"))
    for step in plan.steps {
      #expect(text.contains(".denoised = {\(step.denoising.sample), \(step.denoising.output)}"))
      #expect(
        text.contains(".estimates = (const double[]){\(step.next.estimates.map { "\($0)" }.joined(separator: ", "))}"))
    }
    #expect(text.contains(".clipping = SCHEDULER_DYNAMIC, .limits = {0.995, 1.0}, .learns_variance = 0,"))
    #expect(text.contains(".kept = 2, .step_count = 4, .steps = plan_steps};"))
  }

  @Test func `are run by an exact model, and the run is judged right`() throws {
    struct Recorded: Decodable {
      let samples, outputs, noises: [[[[[Double]]]]]
      let timesteps: [Double]
      let plan: SamplingPlan

      enum CodingKeys: String, CodingKey {
        case samples, noises, timesteps, plan
        case outputs = "model_outputs"
      }
    }
    let recorded = try JSONDecoder().decode(Recorded.self, from: Data(run.utf8))
    #expect(recorded.samples.count == 5 && recorded.noises.count == 4 && recorded.timesteps == [999, 749, 499, 249])
    // The same by the plain runtime.
    func flat(_ tensor: [[[[Double]]]]) -> [Double] { tensor.flatMap { $0.flatMap { $0.flatMap { $0 } } } }
    var plain = PlainRun(recorded.plan, from: flat(recorded.samples[0]))
    for i in 0..<4 {
      plain.advance(output: flat(recorded.outputs[i]), noise: flat(recorded.noises[i]))
      for (a, b) in zip(plain.samples[0], flat(recorded.samples[i + 1])) { #expect(abs(a - b) <= 1e-12) }
    }
    try write(run, to: "run.json")
    let outcome = try tool.run("verify", "run.json")
    #expect(outcome.status == 0 && outcome.text == "run.json: a plan, 4 steps: right; at most 0 off, at step 0\n")
  }

  @Test(arguments: ["gaussian", "mixture"]) func `are run in every kind of step, in both types`(_ model: String) throws
  {
    let configurations = [
      #"{"_class_name": "DDPMScheduler", "variance_type": "learned_range"}"#,
      #"{"_class_name": "DDPMScheduler", "variance_type": "learned", "thresholding": true}"#,
      #"{"_class_name": "DDIMInverseScheduler"}"#, #"{"_class_name": "HeunDiscreteScheduler"}"#,
    ]
    for configuration in configurations {
      try write(configuration, to: "config.json")
      try tool.run("plan", "config.json", "--steps", "3", "--format", "json").output
        .write(to: tool.folder.appendingPathComponent("other.json"))
      for precision in ["float64", "float32"] {
        let outcome = try tool.run(
          "run", "--plan", "other.json", "--model", model, "--precision", precision, "--seed", "7", "-o", "run.json")
        #expect(outcome.status == 0 && outcome.text.hasPrefix("wrote run.json: "), "\(configuration) \(outcome.errors)")
        let judged = try tool.run("verify", "run.json")
        #expect(judged.status == 0, "\(configuration) \(judged.text) \(judged.errors)")
      }
    }
  }

  @Test func `are run into files of NumPy, whose numbers are those of the JSON`() throws {
    let outcome = try tool.run("run", "--plan", "plan.json", "--shape", "2,1,2,3", "--format", "npy", "-o", "folder")
    #expect(outcome.status == 0 && outcome.text == "wrote folder: 4 steps\n")
    let folder = tool.folder.appendingPathComponent("folder")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        == ["model_outputs.npy", "noises.npy", "plan.json", "samples.npy", "timesteps.npy"])
    let data = try Data(contentsOf: folder.appendingPathComponent("samples.npy"))
    let start = 10 + Int(data[8]) + Int(data[9]) << 8
    #expect(start.isMultiple(of: 64) && data.count == start + 5 * 12 * 8 && data[start - 1] == 0x0A)
    #expect(
      String(decoding: data[10..<start], as: UTF8.self)
        .hasPrefix("{'descr': '<f8', 'fortran_order': False, 'shape': (5, 2, 1, 2, 3,), }"))
    let first = data[start..<start + 8].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) }
    #expect(run.contains("\"samples\":[[[[[\(Double(bitPattern: first)),"))
    #expect(try Data(contentsOf: folder.appendingPathComponent("plan.json")) == Data(plan.utf8))
  }

  @Test func `are judged by, step for step, whoever ran them`() throws {
    // A recording with a wrong sample after step 1, by a port.
    let recorded = try #require(
      JSONSerialization.jsonObject(with: Data(run.utf8)) as? [String: Any])
    var samples = try #require(recorded["samples"] as? [[[[[Double]]]]])
    samples[2][1][0][1][2] += 0.5
    var wrong = recorded
    wrong["samples"] = samples
    try JSONSerialization.data(withJSONObject: wrong).write(to: tool.folder.appendingPathComponent("wrong.json"))
    let outcome = try tool.run("verify", "wrong.json")
    #expect(outcome.status == 1 && outcome.text.hasPrefix("wrong.json: a plan, 4 steps: wrong from step 1 on"))
    #expect(outcome.text.contains("step 1, timestep 749: largest difference 0.5 at [1, 0, 1, 2]"), "\(outcome.text)")
  }

  @Test func `are not needed where a trace in JSON has a configuration`() throws {
    let configuration = #"{"_class_name": "DDIMScheduler", "clip_sample": false}"#
    try write(configuration, to: "config.json")
    try tool.run("plan", "config.json", "--steps", "3", "--format", "json").output
      .write(to: tool.folder.appendingPathComponent("ddim.json"))
    let text = try tool.run("run", "--plan", "ddim.json").text
    var trace = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    trace["plan"] = nil
    trace["num_inference_steps"] = 3
    trace["scheduler_config"] = try JSONSerialization.jsonObject(with: Data(configuration.utf8))
    trace["step_arguments"] = "{\"eta\": 0}"
    try JSONSerialization.data(withJSONObject: trace).write(to: tool.folder.appendingPathComponent("trace.json"))
    let outcome = try tool.run("verify", "trace.json")
    #expect(outcome.status == 0 && outcome.text.hasPrefix("trace.json: DDIMScheduler, 3 steps: right"), "\(outcome)")
  }

  @Test func `that cannot be run, and runs that cannot be judged, are answered by one line that says why`() throws {
    func replaced(_ text: String, _ old: String, _ new: String) throws -> String {
      let range = try #require(text.range(of: old), "\(old)")
      return text.replacingCharacters(in: range, with: new)
    }
    let plans = [
      (try replaced(plan, "scheduler-plan/1", "scheduler-plan/2"), "the plan is in the format \"scheduler-plan/2\""),
      (try replaced(plan, "\"format\":\"scheduler-plan/1\"", "\"version\":1"), "the plan names no format"),
      (try replaced(plan, "\"estimates\":[", "\"estimates\":[1,1,1,1,1,"), "from before the start"),
      (try replaced(plan, "\"estimates\":[", "\"estimates\":[null,"), "steps.Index 0.next.estimates.Index 0"),
      (try replaced(plan, "\"estimates\":[", "\"estimates\":[1e999,"), "does not fit its place"),
      (try replaced(plan, "\"estimates\":[", "\"estimates\":[NaN,"), "at line 1, column"),
      (try replaced(plan, "\"inputScale\":1,", ""), "has no \"inputScale\""),
      (
        try replaced(plan, "\"kind\":\"none\"", "\"kind\":\"soft\""),
        "\"soft\" is unknown; known are none, range, dynamic"
      ),
      ("{}", "names no format"), ("[]", "must be a JSON object"), ("{", "the file has"), ("", "it is empty"),
      (#"{"_class_name": "DDIMScheduler"}"#, "names no format"),
    ]
    for (text, says) in plans {
      try write(text, to: "bad.json")
      expectRefusal(try tool.run("run", "--plan", "bad.json"), "cannot follow --plan bad.json: the file ", says)
    }
    let traces = [
      (try replaced(run, "scheduler-plan/1", "scheduler-plan/0"), "the plan is in the format"),
      (try replaced(run, "scheduler-trace/1", "scheduler-trace/2"), "the metadata \"format\" is \"scheduler-trace/2\""),
      (try replaced(run, "\"samples\":[[[[[", "\"samples\":[[[[[1,"), "its lists are not of one length"),
      (try replaced(run, "\"samples\":[[[[[", "\"samples\":[[[[[null,"), "has an unusable \"samples"),
      (try replaced(run, "\"noises\":", "\"noise\":"), ""),
      (try replaced(run, "\"samples\":[[", "\"sample\":[["), "the tensor \"samples\" is missing"),
      (try replaced(run, "\"timesteps\":[999,", "\"timesteps\":["), "[5, 2, 1, 2, 3]"),
      (try replaced(run, "\"plan\":", "\"plans\":"), "\"scheduler_config\" is missing"),
      ("{\"format\": \"scheduler-trace/1\"", "at line 1, column"),
      ("{}", "it is JSON text; name the file with the tensors"),
      ("{\"a\": {}, \"a\": {}}", "\"a\""),
    ]
    for (text, says) in traces where !says.isEmpty {
      try write(text, to: "bad.json")
      expectRefusal(try tool.run("verify", "bad.json"), "cannot judge bad.json: ", says)
    }
    // Where no step draws, noise may be missing.
    try write(try replaced(run, "\"noises\":", "\"noise\":"), to: "quiet.json")
    #expect(try tool.run("verify", "quiet.json").status == 0)
  }

  private func expectRefusal(_ outcome: Tool.Outcome, _ start: String, _ says: String) {
    #expect(outcome.status == 2 && outcome.output.isEmpty)
    #expect(outcome.errors.hasPrefix("scheduler: \(start)") && outcome.errors.contains(says), "\(outcome.errors)")
    #expect(outcome.errors.filter(\.isNewline).count == 1 && outcome.errors.last == "\n", "\(outcome.errors)")
  }

  @Test func `are run with options that make sense, and others are answered`() throws {
    try write("a file", to: "file")
    let cases: [([String], String)] = [
      (["--model", "magic"], "unknown model \"magic\"; known: gaussian, mixture"),
      (["--precision", "float16"], "unknown precision \"float16\"; known: float64, float32"),
      (["--format", "xml"], "unknown format \"xml\"; known: json, npy"), (["--format", "npy"], "add --output"),
      (["--seed", "-1"], "--seed -1 must be in"), (["--shape", "4"], "--shape 4 must be a batch"),
      (["--shape", "65,1"], "a batch of 1 ... 64"), (["--shape", "2,x"], "--shape 2,x must be"),
      (["--shape", "64,64,2"], "up to 4096 numbers"), (["--shape", "2,99999999999999999999"], "--shape 2,9999"),
      (["--output", "none/a.json"], "create it"), (["--format", "npy", "--output", "file"], "it is no folder"),
      (["--format", "npy", "--output", "none/a"], "the folder cannot be made"),
      (["--format", "npy", "--output", ""], "needs the name of a folder"),
      (["--output", ""], "needs the name of a file"),
      (["--plan", "none.json"], "cannot read --plan none.json: there is no such file"),
    ]
    let before = try tool.files()
    for (options, says) in cases {
      expectRefusal(try tool.run(["run", "--plan", "plan.json"] + options), "", says)
    }
    #expect(try tool.files() == before)
    // A run from the last point of a grid.
    let empty = try JSONEncoder().encode(DDIM().plan(over: SamplingGrid(points: [.clean]), predicting: .x0))
    try empty.write(to: tool.folder.appendingPathComponent("empty.json"))
    expectRefusal(try tool.run("run", "--plan", "empty.json"), "cannot run --plan empty.json: ", "it has no step")
  }
}
