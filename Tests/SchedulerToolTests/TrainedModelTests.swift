import DigitsModel
import Foundation
import Schedulers
import SchedulersSafetensors
import Testing

@testable import scheduler

@Suite struct `A trained model` {
  let tool: Tool

  init() throws { tool = try Tool() }

  @Test func `comes with the tool, draws the digit that it is told`() throws {
    let model = try TrainedModel.shipped()
    #expect(try DigitsResources.trainedModel().count < 2_000_000)
    let data = try DigitSplit()
    let recogniser = NearestNeighbours(data.heldOut.images, labels: data.heldOut.labels)
    let grid = try SamplingGrid(model.configuration.schedule(), steps: 15, spacing: .trailing)
    let plan = try DPMSolverPlusPlus().plan(over: grid, predicting: model.configuration.predictionType)
    var recognised = 0
    for label in 0..<10 {
      var noise = GaussianNoise(seed: 77, firstSample: UInt64(label) * 100)
      let start = noise.next(like: SampleBatch<Double>(zeros: [5, 1, 8, 8]))
      let denoiser = model.denoiser(label: label, guidance: 1.5)
      let made: SampleBatch<Double> = try plan.sample(from: start) { x, query throws(any Error) in
        try denoiser(x, query)
      }
      let images = (0..<5).map { made[$0].scalars }
      recognised += images.count { recogniser.label(of: $0) == label }
    }
    // 99 % of its samples are; of 50 with that chance, fewer than 45 are with a probability below
    // 1e-5.
    #expect(recognised >= 45)
  }

  @Test func `is sampled from with every sampler`() throws {
    let names = SamplerCatalog.all.filter { !$0.isInversion }.map(\.name).joined(separator: ",")
    let outcome = try tool.run("sample", "--model", "trained", "--sampler", names, "--count", "2", "--steps", "3")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func `gives the same file whatever the batch size, and another for another class`() throws {
    func sheet(_ more: String...) throws -> Data {
      let outcome = try tool.run(
        ["sample", "--model", "trained", "--sampler", "ddim", "--count", "11", "--steps", "3", "--output", "a.png"]
          + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try tool.data("a.png")
    }
    #expect(try sheet("--batch-size", "3") == sheet("--batch-size", "64"))
    let three = try sheet("--class", "3", "--guidance", "2")
    #expect(try three != sheet("--class", "3", "--guidance", "1"))
    #expect(try three != sheet("--class", "4", "--guidance", "2"))
  }

  @Test func `may learn its variance`() throws {
    let trained = try tool.run(
      "train", "--output-dir", "run", "--hidden-size", "6", "--hidden-blocks", "1", "--ddpm-num-steps", "12",
      "--train-batch-size",
      "4", "--lr-warmup-steps", "2", "--max-train-steps", "3", "--variance-type", "learnedRange", "--loss-type",
      "rescaledMSE",
      "--validation-steps", "3", "--num-validation-samples", "100", "--num-validation-images", "2")
    #expect(trained.status == 0, "\(trained.errors)")
    let sampled = try tool.run(
      "sample", "--model", "run/model.safetensors", "--steps", "4", "--count", "2", "--sampler", "ddpm,ddim,heun",
      "--class",
      "1")
    #expect(sampled.status == 0, "\(sampled.errors)")
  }

  @Test func `that cannot be used is answered with one line`() throws {
    let shipped = try DigitsResources.trainedModel()
    let files: [(String, Data)] = [
      ("short", shipped.prefix(1000)), ("half", shipped.prefix(shipped.count / 2)), ("text", Data("no model".utf8)),
      ("other", Data(SafetensorsWriter.bytes([SafetensorsWriter.Tensor("a", shape: [1], floats: [1])]))),
      ("empty", Data(SafetensorsWriter.bytes([], metadata: ["training_configuration": "{}"]))),
      ("large", try TrainedModel.overflowing()),
      (
        "huge", Data(SafetensorsWriter.bytes([], metadata: ["training_configuration": #"{"hidden_size": 1000000000}"#]))
      ),
    ]
    for (name, data) in files { try data.write(to: tool.folder.appendingPathComponent(name)) }
    let cases: [([String], String)] = [
      (["short"], "no usable safetensors file"), (["half"], "no usable safetensors file"),
      (["text"], "no usable safetensors file"),
      (["other"], "no training_configuration"), (["empty"], "no tensor input.weight"),
      (["huge"], "hidden_size 1000000000"),
      (["large", "--sampler", "heun", "--steps", "3"], "Heun: the network's output is"),
      (["none"], "no such file"), (["."], "not a regular file"),
      (["trained", "--schedule", "sigmoid"], "--schedule sigmoid cannot be chosen"),
      (["trained", "--timesteps", "50"], "--timesteps and --zero-terminal-snr cannot be chosen"),
      (["trained", "--prediction", "x0"], "--prediction x0 cannot be chosen"),
      (["trained", "--guidance", "2"], "needs a class"), (["trained", "--steps", "1001"], "--steps 1001"),
    ]
    for (arguments, message) in cases {
      let outcome = try tool.run(["sample", "--model"] + arguments)
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
      #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }
  }
}

extension TrainedModel {
  /// The file of a model whose numbers are finite and whose answers are not.
  static func overflowing() throws -> Data {
    var configuration = TrainingConfiguration()
    (configuration.hiddenSize, configuration.hiddenBlocks) = (3, 1)
    let count = Network<Float>(configuration.architecture, seed: 0).parameters.count
    let network = Network(configuration.architecture, parameters: [Float](repeating: 3e38, count: count))
    return try TrainedModel(network, configuration).encoded()
  }
}
