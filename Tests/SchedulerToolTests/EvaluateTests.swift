import DigitsModel
import Foundation
import SchedulersFixtures
import SchedulersSafetensors
import Testing

@testable import scheduler

@Suite struct `The evaluate command` {
  let tool: Tool

  init() throws { tool = try Tool() }

  /// What is printed, and its numbers from top to bottom.
  private func evaluate(_ arguments: [String]) throws -> (text: String, figures: [Double]) {
    let outcome = try tool.run(["evaluate"] + arguments)
    try #require(outcome.status == 0, "\(outcome.errors)")
    let figures = try outcome.text.split(separator: "\n").dropFirst().map { line in
      // The name ends where two spaces begin.
      let value = line.split(separator: "  ", omittingEmptySubsequences: true)[1]
      return try #require(Double(value.trimmingCharacters(in: .whitespaces)))
    }
    return (outcome.text, figures)
  }

  @Test func `finds the shipped model good beside the distance between the halves`() throws {
    let (_, guided) = try evaluate([
      "--guidance-scale", "3", "--num-validation-samples", "100", "--num-validation-images", "1",
    ])
    let halves = try Safetensors("frechet.safetensors").doubles("half")[0]
    // Both have six digits.
    #expect(abs(guided[2] - guided[1] / halves) <= 1e-5 * guided[2])
    // Blurred digits are at 7.15, and a hundred samples add a ninth of a variance of 19 in all to
    // what 1,797 have.
    #expect(guided[1] < 4)
    // 99.9 % of its samples are recognised with this guidance; of 100, fewer than 95 are with a
    // probability below 1e-6.
    #expect(guided[3] >= 95)
    // Saying nothing costs log2(17) = 4.09; the first digit is no harder than others by more than
    // as much again.
    #expect(guided[0] > 1 && guided[0] < 8)
  }

  @Test func `finds what the training's own evaluation found`() throws {
    let trained = try tool.run(
      "train", "--output-dir", "run", "--hidden-size", "6", "--hidden-blocks", "1", "--ddpm-num-steps", "12",
      "--train-batch-size", "4", "--lr-warmup-steps", "2", "--max-train-steps", "5", "--seed", "3",
      "--num-validation-samples", "100", "--num-validation-images", "2", "--guidance-scale", "1.5")
    try #require(trained.status == 0, "\(trained.errors)")
    let row = String(decoding: try tool.data("run/evaluations.csv"), as: UTF8.self).split(separator: "\n")[1]
    let logged = try row.split(separator: ",").map { try #require(Double($0)) }
    let model = "run/model.safetensors"
    func agree(_ found: [Double]) -> Bool {
      zip([found[0], found[1], found[3] / 100], logged.dropFirst()).allSatisfy { abs($0 - $1) <= 1e-5 * abs($1) }
    }
    #expect(try agree(evaluate(["--model", model]).figures))
    #expect(try !agree(evaluate(["--model", model, "--seed", "4"]).figures))
    let more = [
      "--model", model, "--guidance-scale", "1", "--num-validation-samples", "101", "--num-validation-images", "3",
    ]
    let held = try evaluate(more)
    #expect(
      held.text.contains("3 held-out digits\n") && held.text.contains("101 samples to held-out digits, guidance 1\n"))
    #expect(!agree(held.figures))
    // The same noise three times as strong makes other samples of the same network.
    let noisier = try evaluate(more + ["--s-churn", "20", "--s-noise", "3"])
    #expect(noisier.figures[0] == held.figures[0] && noisier.figures[1] != held.figures[1])
    let shown = try evaluate(more + ["--half", "training"])
    #expect(
      shown.text.contains("3 training digits\n") && shown.text.contains("101 samples to training digits, guidance 1\n"))
    #expect(shown.figures[0] != held.figures[0] && shown.figures[1] != held.figures[1])
  }

  @Test func `answers what cannot be used with one line and status 2`() throws {
    var tensors = [SafetensorsWriter.Tensor("input.weight", shape: [6, 64], floats: Array(repeating: 0, count: 384))]
    let metadata = ["training_configuration": #"{"hidden_size": 7}"#]
    try Data(SafetensorsWriter.bytes(tensors, metadata: metadata)).write(
      to: tool.folder.appendingPathComponent("wrong"))
    tensors[0] = SafetensorsWriter.Tensor(
      "input.weight", shape: [222, 64], floats: Array(repeating: .nan, count: 222 * 64))
    try Data(SafetensorsWriter.bytes(tensors, metadata: ["training_configuration": "{}"])).write(
      to: tool.folder.appendingPathComponent("nan"))
    try Data("no model".utf8).write(to: tool.folder.appendingPathComponent("text"))
    try TrainedModel.overflowing().write(to: tool.folder.appendingPathComponent("large"))
    var small = TrainingConfiguration()
    (small.hiddenSize, small.hiddenBlocks) = (6, 1)
    try TrainedModel(Network(small.architecture, seed: 0), small).encoded().write(
      to: tool.folder.appendingPathComponent("small"))
    let cases: [([String], String)] = [
      (["--model", "none"], "cannot read --model none: there is no such file"), (["--model", ""], "no such file"),
      (["--model", "text"], "cannot read --model text: it is no usable safetensors file"),
      (["--model", "wrong"], "has no tensor input.weight of shape [7, 64]"),
      (["--model", "nan"], "has numbers in input.weight that are not finite"),
      (["--model", "large"], "the network's samples of class 0 are not finite"),
    ]
    let options: [([String], String)] = [
      (["--num-validation-samples", "-1"], "num_validation_samples -1 must be in 100 ... 100000"),
      (["--guidance-scale", "nan"], "guidance_scale nan must be in 0 ... 100"),
      (["--guidance-scale", "-1"], "guidance_scale -1 must be in 0 ... 100"),
      (["--s-churn", "-1"], "s_churn -1 must be in 0 ... 1000"),
      (["--s-noise", "inf"], "s_noise inf must be in 0 ... 10"),
      (["--num-validation-images", "0"], "num_validation_images 0 must be in 1 ... 898; set --num-validation-images"),
      (["--num-validation-samples", "99"], "num_validation_samples 99 must be in 100 ... 100000"),
      (["--seed", "-1"], "--seed -1 must be in"),
      (["--half", "left"], "unknown half \"left\"; known: training, held-out"),
    ]
    for (arguments, message) in cases + options.map({ (["--model", "small"] + $0, $1) }) {
      let outcome = try tool.run(["evaluate"] + arguments)
      #expect(outcome.status == 2, "\(arguments)")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("scheduler: ") && outcome.errors.filter { $0 == "\n" }.count == 1)
    }
  }
}
