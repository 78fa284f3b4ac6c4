import DigitsModel
import Foundation
import Schedulers
import SchedulersCharts
import Testing

@testable import scheduler

/// A run that takes no time: a tiny network, few timesteps, few digits.
private let tiny = [
  "--hidden-size", "6", "--hidden-blocks", "1", "--ddpm-num-steps", "12", "--train-batch-size", "4",
  "--lr-warmup-steps", "2",
  "--validation-steps", "0",
]

@Suite struct `The train command` {
  let tool: Tool

  init() throws { tool = try Tool() }

  private func train(_ more: String...) throws -> Tool.Outcome {
    try tool.run(["train", "--output-dir", "run"] + tiny + more)
  }

  private func checkpoints(limit: Int = 2) -> Checkpoints {
    Checkpoints(folder: tool.folder.appendingPathComponent("run"), limit: limit)
  }

  @Test func `leaves a model, its configuration, a log, a chart, checkpoints and contact sheets`() throws {
    let outcome = try tool.run(
      ["train", "--output-dir", "run"] + tiny.dropLast(2) + [
        "--max-train-steps", "25", "--validation-steps", "20", "--num-validation-samples", "100",
        "--num-validation-images",
        "2",
        "--checkpointing-steps", "10",
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.text.contains("wrote run/model.safetensors"))
    let names = try FileManager.default.contentsOfDirectory(atPath: tool.folder.appendingPathComponent("run").path)
      .sorted()
    #expect(
      names == [
        "checkpoint-20", "checkpoint-25", "evaluations.csv", "log.csv", "loss.svg", "model.safetensors",
        "samples-20.png",
        "samples-25.png", "training.json",
      ])
    let log = String(decoding: try tool.data("run/log.csv"), as: UTF8.self).split(separator: "\n")
    #expect(log.map { $0.split(separator: ",")[0] } == ["step", "10", "20"])
    let evaluations = String(decoding: try tool.data("run/evaluations.csv"), as: UTF8.self).split(separator: "\n")
    #expect(evaluations.map { $0.split(separator: ",")[0] } == ["step", "20", "25"])
    #expect(try PNG.decode(tool.data("run/samples-25.png")).width > 600)
    let model = try TrainedModel(contentsOf: tool.folder.appendingPathComponent("run/model.safetensors").path)
    #expect(model.configuration.hiddenSize == 6)
    #expect(try tool.data("run/model.safetensors") == tool.data("run/checkpoint-25/model.safetensors"))
  }

  @Test func `learns`() throws {
    #expect(try train("--max-train-steps", "300", "--learning-rate", "0.01", "--train-batch-size", "16").status == 0)
    let rows = try checkpoints().load(300).progress.log
    let (first, last) = (rows[0].loss, rows[rows.count - 1].loss)
    #expect(last < 0.8 * first)
  }

  @Test(arguments: [
    [], ["--timestep-sampler", "loss-second-moment"], ["--no-use-ema", "--gradient-accumulation-steps", "2"],
  ])
  func `goes on from a checkpoint bit for bit as if it had never stopped`(_ more: [String]) throws {
    let options = TrainingOptions.parseOrExit(tiny + more + ["--max-train-steps", "160", "--noise-offset", "0.1"])
    let configuration = try TrainingConfiguration().with(options)
    let loop = try TrainingLoop(configuration, data: DigitSplit())
    var whole = try TrainingState(configuration)
    for _ in 0..<160 { try loop.step(&whole) }
    var stopped = try TrainingState(configuration)
    let folder = tool.folder.appendingPathComponent("a")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let checkpoints = Checkpoints(folder: folder, limit: 1)
    for _ in 0..<137 { try loop.step(&stopped) }
    try checkpoints.save(stopped)
    var resumed = try checkpoints.latest { Issue.record("\($0)") }
    for _ in 137..<160 { try loop.step(&resumed) }
    #expect(resumed.network == whole.network)
    #expect(resumed.optimizer == whole.optimizer)
    #expect(resumed.average == whole.average)
    #expect(resumed.progress == whole.progress)
    #expect(whole.progress.learned?.isWarmedUp ?? true)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `saves at a signal and ends with the model of a run that nobody stopped`(_ signal: Int32) throws {
    #expect(try train("--max-train-steps", "400").status == 0)
    let expected = try tool.data("run/model.safetensors")
    try FileManager.default.removeItem(at: tool.folder.appendingPathComponent("run"))
    let (process, _, errors) = try tool.start(["train", "--output-dir", "run"] + tiny + ["--max-train-steps", "400"])
    // Signals are taken over before the configuration is written.
    try #require(wait { (try? tool.data("run/training.json")) != nil })
    Thread.sleep(forTimeInterval: 0.2)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    // A fast machine may have been done.
    if process.terminationStatus != 0 {
      #expect(process.terminationStatus == 128 + signal)
      let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      #expect(message.contains("go on with --resume-from-checkpoint latest"))
      #expect(try tool.run("train", "--output-dir", "run", "--resume-from-checkpoint", "latest").status == 0)
    }
    #expect(try tool.data("run/model.safetensors") == expected)
  }

  @Test func `leaves the last checkpoint loadable whenever it is killed`() throws {
    var last = 0
    for round in 0..<6 {
      let more = round > 0 ? ["--resume-from-checkpoint", "latest"] : []
      let (process, _, errors) = try tool.start(
        ["train", "--output-dir", "run"] + tiny + ["--max-train-steps", "1000000", "--checkpointing-steps", "1"] + more)
      // Once it saves, it does little else; the moment is another each time.
      try #require(wait { checkpoints().steps.last ?? 0 > last })
      Thread.sleep(forTimeInterval: 0.0071 * Double(round))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
      let state = try checkpoints().latest { Issue.record("\($0)") }
      #expect(state.progress.step > last)
      last = state.progress.step
    }
    #expect(checkpoints().steps.count <= 3)
    // What killed runs have left is cleared away by the next.
    checkpoints().clean()
    let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints().folder.path)
    #expect(!names.contains { $0.hasPrefix(".") })
  }

  /// Waits for something, but not for ever.
  private func wait(_ condition: () -> Bool) -> Bool {
    for _ in 0..<3000 {
      if condition() { return true }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return false
  }

  @Test(arguments: ["training.safetensors", "state.json", "checksums.json"])
  func `goes back to the checkpoint before a damaged one, and says so`(_ name: String) throws {
    #expect(try train("--max-train-steps", "30", "--checkpointing-steps", "10").status == 0)
    let expected = try tool.data("run/model.safetensors")
    let file = tool.folder.appendingPathComponent("run/checkpoint-30/\(name)")
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: file)
    let outcome = try tool.run("train", "--output-dir", "run", "--resume-from-checkpoint", "latest")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("checkpoint-30 is damaged"))
    #expect(outcome.errors.contains("going back to checkpoint-20"))
    #expect(try tool.data("run/model.safetensors") == expected)
    #expect(try checkpoints().load(30).progress.step == 30)
    for step in [20, 30] { try Data().write(to: checkpoints().url(step).appendingPathComponent(name)) }
    let lost = try tool.run("train", "--output-dir", "run", "--resume-from-checkpoint", "latest")
    #expect(lost.status == 2)
    #expect(lost.errors.contains("no checkpoint that can be used"))
  }

  @Test func `says what it could not save on a full disk, and keeps what it had`() throws {
    let arguments = ["--max-train-steps", "6", "--checkpointing-steps", "3"]
    #expect(try tool.run(["train", "--output-dir", "run"] + tiny + arguments).status == 0)
    let model = try tool.data("run/model.safetensors")
    try FileManager.default.removeItem(at: tool.folder.appendingPathComponent("run/checkpoint-6"))
    let resume = ["train", "--output-dir", "run", "--resume-from-checkpoint", "latest"] + tiny + arguments
    // The state of the optimizer is the largest file.
    let full = try tool.run(resume, largestFile: 8)
    #expect(full.status == 2)
    #expect(full.errors.contains("cannot write") && full.errors.contains("training.safetensors: "), "\(full.errors)")
    #expect(checkpoints().steps == [3])
    #expect(try tool.data("run/model.safetensors") == model)
    let resumed = try tool.run(resume)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(checkpoints().steps == [3, 6])
    #expect(try tool.data("run/model.safetensors") == model)
  }

  @Test func `saves what it has learned though nobody listens any more`() throws {
    let (process, output, _) = try tool.start(
      ["train", "--output-dir", "run"] + tiny.dropLast(2) + [
        "--max-train-steps", "5", "--num-validation-samples", "100", "--num-validation-images", "1",
      ])
    try output.fileHandleForReading.close()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 2)
    #expect(try checkpoints().latest { Issue.record("\($0)") }.progress.evaluations.map(\.step) == [5])
    #expect(try tool.data("run/model.safetensors") == tool.data("run/checkpoint-5/model.safetensors"))
  }

  @Test func `trains to the end though who listened has gone after the first line`() throws {
    let (process, output, _) = try tool.start(
      ["train", "--output-dir", "run"] + tiny.dropLast(2) + [
        "--max-train-steps", "9", "--validation-steps", "2", "--num-validation-samples", "100",
        "--num-validation-images", "1",
      ])
    _ = output.fileHandleForReading.availableData
    try output.fileHandleForReading.close()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 2)
    #expect(try checkpoints().load(9).progress.evaluations.map(\.step) == [2, 4, 6, 8, 9])
    #expect(try tool.data("run/model.safetensors") == tool.data("run/checkpoint-9/model.safetensors"))
  }

  @Test func `warms up over no more than a sixth of a short run, unless it is told to`() throws {
    let short = tiny.filter { !["--lr-warmup-steps", "2"].contains($0) }
    #expect(try tool.run(["train", "--output-dir", "run"] + short + ["--max-train-steps", "13"]).status == 0)
    let kept = try TrainingConfiguration.decode(tool.data("run/training.json"), from: "")
    #expect(kept.lrWarmupSteps == 2)
    // A run that goes on has the number of the run.
    let more = try tool.run(["train", "--output-dir", "run", "--resume-from-checkpoint", "latest"])
    #expect(more.status == 0, "\(more.errors)")
    var configuration = TrainingConfiguration()
    #expect(configuration.warmup == 500)
    configuration.maxTrainSteps = 8000
    #expect(configuration.warmup == 500)
    configuration.maxTrainSteps = 1
    #expect(configuration.warmup == 0)
    configuration.numTrainEpochs = 300
    #expect(configuration.warmup == 100)
  }

  @Test func `leaves nothing of a run that failed before it saved, and all that was there before`() throws {
    #expect(try train("--learning-rate", "1e30", "--max-train-steps", "9").status == 2)
    #expect(try tool.files() == [])
    let folder = tool.folder.appendingPathComponent("run")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: folder.appendingPathComponent("notes"))
    #expect(try train("--learning-rate", "1e30", "--max-train-steps", "9").status == 2)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["notes"])
    // One that has saved can be gone on with, and keeps its configuration.
    let saved = try train("--learning-rate", "1e30", "--max-train-steps", "9", "--checkpointing-steps", "1")
    #expect(saved.status == 2)
    #expect(!checkpoints().steps.isEmpty)
    #expect(try !tool.data("run/training.json").isEmpty)
  }

  @Test func `says that it diverged, and what to change`() throws {
    let outcome = try train("--learning-rate", "1e30", "--max-train-steps", "9")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("the training diverged: the network's output at step"))
    #expect(outcome.errors.contains("begin again with a smaller --learning-rate than 1e+30"))
    #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test func `keeps as many checkpoints as it was told, and never none`() throws {
    #expect(
      try train("--max-train-steps", "9", "--checkpointing-steps", "2", "--checkpoints-total-limit", "3").status == 0)
    #expect(checkpoints().steps == [6, 8, 9])
    #expect(
      try tool.run(
        ["train", "--output-dir", "one"] + tiny + [
          "--max-train-steps", "3", "--checkpointing-steps", "1", "--checkpoints-total-limit", "1",
        ]
      ).status == 0)
    #expect(try tool.files() == ["one", "run"])
    #expect(try tool.data("one/checkpoint-3/state.json").count > 100)
  }

  @Test func `does not overwrite a run, nor go on with another configuration`() throws {
    #expect(try train("--max-train-steps", "4").status == 0)
    let again = try train("--max-train-steps", "4")
    #expect(again.status == 2)
    #expect(again.errors.contains("run holds a run, at step 4"))
    let other = try train("--max-train-steps", "4", "--resume-from-checkpoint", "latest", "--learning-rate", "0.5")
    #expect(other.status == 2)
    #expect(other.errors.contains("another learning_rate"))
    let none = try train("--max-train-steps", "4", "--resume-from-checkpoint", "checkpoint-3")
    #expect(none.errors.contains("unknown checkpoint \"checkpoint-3\"; known: latest, checkpoint-4"))
    let named = try train("--max-train-steps", "4", "--resume-from-checkpoint", "checkpoint-4")
    #expect(named.status == 0, "\(named.errors)")
  }

  @Test func `averages the gradients that it accumulates`() throws {
    var configuration = try TrainingConfiguration().with(TrainingOptions.parseOrExit(tiny + ["--logging-steps", "1"]))
    configuration.lrWarmupSteps = 0
    func norm(parts: Int) throws -> Double {
      configuration.gradientAccumulationSteps = parts
      var state = try TrainingState(configuration)
      try TrainingLoop(configuration, data: DigitSplit()).step(&state)
      return state.progress.log[0].gradientNorm
    }
    // The gradient of the mean is no longer than that of its parts; their sum would be 16 times as
    // long.
    #expect(try norm(parts: 16) < 2 * norm(parts: 1))
  }

  @Test func `reads a configuration and lets options override it`() throws {
    let text =
      #"{"hidden_size": 6, "hidden_blocks": 0, "ddpm_num_steps": 12, "max_train_steps": 3, "validation_steps": 0, "#
      + #""lr_warmup_steps": 0}"#
    try Data(text.utf8).write(to: tool.folder.appendingPathComponent("c.json"))
    let outcome = try tool.run(
      "train", "--config", "c.json", "--output-dir", "run", "--max-train-steps", "2", "--use-ema", "--snr-gamma", "5")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let kept = try TrainingConfiguration.decode(tool.data("run/training.json"), from: "")
    #expect(
      kept.hiddenBlocks == 0 && kept.maxTrainSteps == 2 && kept.snrGamma == 5
        && kept.trainBatchSize == TrainingConfiguration().trainBatchSize)
  }

  private static let keys = TrainingConfiguration.CodingKeys.allCases.map(\.rawValue)

  private static func option(_ key: String) -> String { "--" + key.replacing("_", with: "-") }

  /// Keys and values as JSON has them; numbers as text.
  private static func values(_ configuration: TrainingConfiguration) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: JSON.encoder.encode(configuration)) as? [String: Any]
    return try #require(object).mapValues { "\($0)" }
  }

  @Test func `sets each key by the option of its name, and no other`() throws {
    let words = [
      "lr_scheduler": "constant", "ddpm_beta_schedule": "linear", "prediction_type": "x0", "variance_type": "learned",
      "loss_type": "kl", "timestep_sampler": "uniform", "seed": "18446744073709551615",
    ]
    let usual = TrainingConfiguration()
    let before = try Self.values(usual)
    for key in Self.keys where key != "use_ema" {
      // 7 is the default of none.
      let value = words[key] ?? "7"
      let configuration: TrainingConfiguration =
        ["guidance_scale", "num_validation_images", "num_validation_samples", "s_churn", "s_noise"].contains(key)
        ? try usual.with(EvaluationOptions.parse([Self.option(key), value]))
        : try usual.with(TrainingOptions.parse([Self.option(key), value]))
      #expect(try Self.values(configuration) == before.merging([key: value]) { $1 })
    }
    #expect(try usual.with(TrainingOptions.parse(["--no-use-ema"])).useEMA == false)
    #expect(try usual.with(TrainingOptions.parse([])) == usual)
  }

  @Test func `says in its help the defaults that it has`() throws {
    let help = try tool.run("train", "--help").text.split(whereSeparator: \.isWhitespace)
    let defaults = try Self.values(TrainingConfiguration())
    for key in Self.keys where key != "use_ema" {
      let start = try #require(help.firstIndex { $0 == Self.option(key) || $0 == Self.option(key) + "," }, "\(key)")
      let rest = help[start...].drop { $0.hasPrefix("--") }.prefix { !$0.hasPrefix("--") }
      let said = rest.firstIndex(of: "(default:").map { rest[$0 + 1].dropLast() }
      let expected = defaults[key]
      #expect(
        said.map { Double($0).map { "\($0)" } ?? String($0) } == expected.map { Double($0).map { "\($0)" } ?? $0 },
        "\(key)")
    }
  }

  private static let unusable: [([String], String)] = [
    (["--train-batch-size", "900"], "train_batch_size 900 must be in 1 ... 899"),
    (["--snr-gamma", "0"], "snr_gamma 0 must be above 0"),
    (["--snr-gamma", "5", "--loss-type", "kl"], "snr_gamma weights a squared error"),
    (["--learning-rate", "-1"], "learning_rate -1 must be above 0 and finite; set --learning-rate"),
    (["--learning-rate", "nan"], "learning_rate nan must be above 0"),
    (["--class-dropout", "1.5"], "class_dropout 1.5 must be in 0 ... 1"),
    (["--max-train-steps", "0"], "max_train_steps 0 must be"),
    (["--max-train-steps", "-1"], "max_train_steps -1 must be"),
    (["--timesteps", "-1"], "ddpm_num_steps -1 must be"),
    (
      ["--max-train-steps", "9", "--lr-warmup-steps", "10"],
      "lr_warmup_steps 10 must be in 0 ... 9, the steps of the run; set --lr-warmup-steps"
    ),
    (["--seed", "-1"], "--seed -1 must be in 0 ... 18446744073709551615"),
    (["--seed", "18446744073709551616"], "--seed 18446744073709551616 must be in 0 ... 18446744073709551615"),
    (["--hidden-size", "5000"], "hidden_size 5000 must be in 1 ... 4096"),
    (["--schedule", "wavy"], "unknown ddpm_beta_schedule \"wavy\""),
    (["--prediction", "previous"], "prediction_type previous"),
    (["--checkpoints-total-limit", "0"], "checkpoints_total_limit 0 must be"),
    (["--config", "none.json"], "no such file"),
    (["--config", "unknown.json"], "unknown key \"learning_rat\"; known: hidden_size"),
    (["--config", "type.json"], "hidden_size has an unusable value"),
    (["--config", "value.json"], "prediction_type has an unusable value"),
    (["--config", "broken.json"], "cannot follow --config broken.json: the file has"),
    (["--config", "list.json"], "it is no JSON object"),
    (["--config", "null.json"], "hidden_size has an unusable value"),
    (["--config", "nan.json"], "learning_rate nan must be above 0"),
    (["--config", "negative.json"], "negative.json: seed has an unusable value: -1 is no whole number that fits"),
    (["--config", "fraction.json"], "hidden_size has an unusable value: 1.5 is no whole number that fits"),
    (["--output-dir", "file"], "cannot make the folder --output-dir file"),
    (["--resume-from-checkpoint", "latest"], "no checkpoint that can be used"),
  ]

  @Test(arguments: unusable)
  func `answers what cannot be used with one line and status 2`(_ options: [String], _ message: String) throws {
    let files = [
      "unknown.json": #"{"learning_rat": 1}"#, "type.json": #"{"hidden_size": "wide"}"#, "broken.json": "{",
      "list.json": "[1]",
      "value.json": #"{"prediction_type": "noise"}"#, "file": "", "null.json": #"{"hidden_size": null}"#,
      "nan.json": #"{"learning_rate": "nan"}"#, "negative.json": #"{"hidden_size": 7, "seed": -1, "use_ema": false}"#,
      "fraction.json": #"{"hidden_size": 1.5}"#,
    ]
    for (name, text) in files { try Data(text.utf8).write(to: tool.folder.appendingPathComponent(name)) }
    let outcome = try tool.run(["train"] + options)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("scheduler: ") && outcome.errors.filter { $0 == "\n" }.count == 1)
  }
}
