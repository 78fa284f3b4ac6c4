import Foundation
import Schedulers
import SchedulersSafetensors
import Testing

@testable import scheduler

@Suite struct `Traces judged by the tool` {
  let tool: Tool
  private static let configuration =
    #"{"_class_name": "DDIMScheduler", "clip_sample": false, "num_train_timesteps": 100, "a\nb": 1}"#

  /// `right.safetensors`, a run over given outputs, and `wrong.safetensors`, the same with a sample
  /// changed after step 2.
  init() throws {
    tool = try Tool()
    try Data(Self.configuration.utf8).write(to: tool.folder.appendingPathComponent("config.json"))
    try Data("eta = 1".utf8).write(to: tool.folder.appendingPathComponent("broken.json"))
    var noise = GaussianNoise(seed: 1)
    let outputs = (0..<5).flatMap { _ in noise.next(like: SampleBatch<Float>(zeros: [2, 1, 2, 3])).scalars }
    try SafetensorsWriter.write(
      to: tool.folder.appendingPathComponent("outputs.safetensors").path,
      [.init("model_outputs", shape: [5, 2, 1, 2, 3], floats: outputs)])
    let replayed = try tool.run(
      "replay", "config.json", "--outputs", "outputs.safetensors", "--steps", "5", "-o", "right.safetensors")
    #expect(
      replayed.status == 0 && replayed.text == "wrote right.safetensors: DDIMScheduler, 5 steps; without effect: a b\n")
    let right = try SafetensorsFile(contentsOf: tool.folder.appendingPathComponent("right.safetensors").path)
    let tensors = ["timesteps", "samples", "model_outputs", "noises"].map { name in
      let tensor = right.tensors[name]!
      var values = right.doubles(tensor)
      if name == "samples" { values[3 * 12 + 7] += 1 }
      return name == "timesteps"
        ? SafetensorsWriter.Tensor(name, shape: tensor.shape, integers: values.map { Int($0) })
        : SafetensorsWriter.Tensor(name, shape: tensor.shape, floats: values.map { Float($0) })
    }
    try SafetensorsWriter.write(
      to: tool.folder.appendingPathComponent("wrong.safetensors").path, tensors, metadata: right.metadata)
  }

  @Test func `a right one is one line and status 0`() throws {
    let outcome = try tool.run("verify", "right.safetensors")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.text.hasPrefix("right.safetensors: DDIMScheduler, 5 steps: right; at most "))
    #expect(outcome.text.hasSuffix("; without effect: a b\n") && outcome.text.filter(\.isNewline).count == 1)
  }

  @Test func `a wrong one is status 1, and the step, the place and the tolerance are named`() throws {
    let outcome = try tool.run("verify", "wrong.safetensors")
    #expect(outcome.status == 1 && outcome.errors.isEmpty)
    let lines = outcome.text.split(separator: "\n")
    #expect(lines[0].contains("wrong from step 2 on"))
    #expect(lines[1].hasPrefix("step 2, timestep 40: largest difference 1 at [1, 0, 0, 1], allowed 0.0"))
    #expect(lines[1].hasSuffix("(tolerance 0.0002)"))
    #expect(lines[2] == "1 later step diverges too")
    #expect(lines[3] == "no known mistake explains it")
    #expect(try tool.run("verify", "wrong.safetensors", "--tolerance", "10").status == 0)
  }

  @Test(arguments: ["README.md", "Docs/Verify.md"]) func `the documents show what is printed`(document: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent(document), encoding: .utf8)
    for (name, status) in [("example-right", 0), ("example-wrong", 1)] {
      let path = "Fixtures/Data/\(name).safetensors"
      let outcome = try tool.run("verify", root.appendingPathComponent(path).path)
      #expect(outcome.status == status)
      let printed = outcome.text.replacingOccurrences(of: root.path + "/", with: "")
      #expect(text.contains("$ scheduler verify \(path)\n\(printed)"), "\(printed)")
    }
  }

  @Test func `the mathematics are another matter than what the source does`() throws {
    #expect(try tool.run("verify", "right.safetensors", "--fidelity", "corrected").status == 0)
  }

  @Test func `a cause that explains every diverging step is likely, and another is perhaps one`() throws {
    for (file, said) in [
      ("right", "likely mistake: "), ("wrong", "perhaps: "),
    ] {
      let run = try SafetensorsFile(contentsOf: tool.folder.appendingPathComponent("\(file).safetensors").path)
      var tensors: [SafetensorsWriter.Tensor] = []
      for name in ["samples", "model_outputs", "noises"] {
        let values = run.doubles(run.tensors[name]!).map { Float($0) }
        let signed = name == "model_outputs" ? values.map { -$0 } : values
        tensors.append(.init(name, shape: run.tensors[name]!.shape, floats: signed))
      }
      tensors.append(.init("timesteps", shape: [5], integers: [80, 60, 40, 20, 0]))
      try SafetensorsWriter.write(
        to: tool.folder.appendingPathComponent("signed.safetensors").path, tensors, metadata: run.metadata)
      let outcome = try tool.run("verify", "signed.safetensors")
      let last = try #require(outcome.text.split(separator: "\n").last)
      #expect(last.hasPrefix(said))
      // The sample that was changed is wrong after step 2, and wrong before step 3.
      #expect(last.hasSuffix("(output-sign; explains \(file == "right" ? 5 : 3) of 5 diverging steps)"), "\(last)")
    }
  }

  @Test func `JSON has every step, and the chart every number`() throws {
    let outcome = try tool.run("verify", "--json", "--report", "report.svg", "wrong.safetensors")
    #expect(outcome.status == 1)
    let report = try #require(try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any])
    #expect(report["agrees"] as? Bool == false && report["divergences"] as? Int == 2)
    #expect((report["first"] as? [String: Any])?["step"] as? Int == 2)
    let judgement = try #require(report["judgement"] as? [String: Any])
    #expect((judgement["steps"] as? [Any])?.count == 5)
    let chart = String(decoding: try tool.data("report.svg"), as: UTF8.self)
    #expect(
      chart.contains("DDIMScheduler, deviation of each step: wrong from step 2 on")
        && chart.contains("largest difference"))
  }

  @Test func `a NaN is marked in the chart, which says the verdict`() throws {
    let right = try SafetensorsFile(contentsOf: tool.folder.appendingPathComponent("right.safetensors").path)
    var tensors: [SafetensorsWriter.Tensor] = []
    for name in ["samples", "model_outputs", "noises"] {
      var values = right.doubles(right.tensors[name]!).map { Float($0) }
      if name == "model_outputs" { values[2 * 12 + 3] = .nan }
      tensors.append(.init(name, shape: right.tensors[name]!.shape, floats: values))
    }
    tensors.append(.init("timesteps", shape: [5], integers: [80, 60, 40, 20, 0]))
    try SafetensorsWriter.write(
      to: tool.folder.appendingPathComponent("nan.safetensors").path, tensors, metadata: right.metadata)
    #expect(try tool.run("verify", "nan.safetensors", "--report", "nan.svg").status == 1)
    let chart = String(decoding: try tool.data("nan.svg"), as: UTF8.self)
    #expect(
      chart.contains("deviation of each step: wrong from step 2 on")
        && chart.contains("NaN or infinity in model_outputs"))
  }

  @Test func `a trace is replayed with its own steps and step arguments`() throws {
    let given = ["replay", "config.json", "--outputs", "outputs.safetensors", "--steps", "5", "--seed", "3"]
    #expect(try tool.run(given + ["--step-arguments", #"{"eta": 0.5}"#, "-o", "noisy.safetensors"]).status == 0)
    #expect(
      try tool.run("replay", "config.json", "--outputs", "noisy.safetensors", "-o", "again.safetensors").status == 0)
    #expect(try tool.data("again.safetensors") == tool.data("noisy.safetensors"))
    // Those that are given count.
    let calm = [
      "replay", "config.json", "--outputs", "noisy.safetensors", "--step-arguments", "{}", "-o", "calm.safetensors",
    ]
    #expect(try tool.run(calm).status == 0)
    #expect(try tool.data("calm.safetensors") != tool.data("noisy.safetensors"))
  }

  /// Arguments, and what the one line of the error must say.
  private static let failures: [([String], String)] = [
    (["verify", "none.safetensors"], "there is no such file"), (["verify", "."], "not a regular file"),
    (["verify", "config.json"], "not a usable safetensors file"),
    (["verify", "outputs.safetensors"], "\"format\" is missing"),
    (["verify", "right.safetensors", "--tolerance", "-1"], "--tolerance -1"),
    (["verify", "right.safetensors", "--tolerance", "nan"], "--tolerance nan"),
    (
      ["verify", "right.safetensors", "--fidelity", "exact"], "unknown fidelity \"exact\"; known: corrected, diffusers"
    ),
    (["verify", "right.safetensors", "--report", "none/a.svg"], "create it"),
    (
      ["replay", "none.json", "--outputs", "outputs.safetensors", "--steps", "5", "-o", "a.safetensors"],
      "there is no such file"
    ),
    (
      ["replay", "outputs.safetensors", "--outputs", "outputs.safetensors", "--steps", "5", "-o", "a.safetensors"],
      "cannot"
    ),
    (
      ["replay", "broken.json", "--outputs", "outputs.safetensors", "-o", "a.safetensors"],
      "follow broken.json: the file has no JSON value"
    ),
    (
      ["replay", "config.json", "--outputs", "outputs.safetensors", "--step-arguments", "eta", "-o", "a.safetensors"],
      "follow --step-arguments eta: the text has no JSON value"
    ),
    (
      ["replay", "config.json", "--outputs", "outputs.safetensors", "--steps", "4", "-o", "a.safetensors"],
      "it must be [4, N, ...]"
    ),
    (
      ["replay", "config.json", "--outputs", "outputs.safetensors", "--steps", "0", "-o", "a.safetensors"], "--steps 0"
    ),
    (["replay", "config.json", "--outputs", "outputs.safetensors", "-o", "a.safetensors"], "give --steps"),
    (
      ["replay", "config.json", "--outputs", "config.json", "--steps", "5", "-o", "a.safetensors"],
      "not a usable safetensors file"
    ),
  ]

  @Test func `what cannot be judged is one line and status 2`() throws {
    let before = try tool.files()
    for (arguments, excerpt) in Self.failures {
      let outcome = try tool.run(arguments)
      #expect(outcome.status == 2 && outcome.output.isEmpty, "\(arguments)")
      #expect(outcome.errors.contains(excerpt) && outcome.errors.filter(\.isNewline).count == 1, "\(outcome.errors)")
    }
    #expect(try tool.files() == before)
    #expect(try tool.run("verify").status == 64)
  }
}
