import Foundation
import Schedulers
import SchedulersCharts

/// A run in a folder: the loop, and what it leaves there.
struct TrainingRun {
  let configuration: TrainingConfiguration
  let folder: URL
  let checkpoints: Checkpoints
  private let data: DigitSplit

  init(_ configuration: TrainingConfiguration, in folder: URL) throws {
    self.configuration = configuration
    self.folder = folder
    checkpoints = Checkpoints(folder: folder, limit: configuration.checkpointsTotalLimit)
    data = try DigitSplit()
  }

  /// Trains to the end, or to a signal, at which it saves and throws `Interruption.Interrupted`.
  ///
  /// - Throws: `Failure`, among others, after a run to the end whose results nobody could hear.
  func run(_ state: inout TrainingState, _ interruption: Interruption) throws {
    let loop = try TrainingLoop(configuration, data: data)
    // Nobody may be listening any more, which must not cost what is learned.
    signal(SIGPIPE, SIG_IGN)
    var unheard: Failure?
    var progress = Progress(total: configuration.steps - state.progress.step, unit: "steps")
    defer { progress.finish() }
    while state.progress.step < configuration.steps {
      do { try interruption.check() } catch {
        if !checkpoints.steps.contains(state.progress.step) { try save(state) }
        progress.finish()
        Console.error.write("saved step \(state.progress.step); go on with --resume-from-checkpoint latest\n")
        throw error
      }
      do { try loop.step(&state) } catch is OutputError {
        throw Failure(
          "the training diverged: the network's output at step \(state.progress.step + 1) is not finite; begin again "
            + "with a smaller --learning-rate than \(brief(configuration.learningRate))")
      }
      let step = state.progress.step
      let isLast = step == configuration.steps
      if let row = state.progress.log.last { progress.note = ", loss \(brief(row.loss, digits: 4))" }
      progress.advance()
      let isJudged = configuration.validationSteps > 0 && (isLast || step.isMultiple(of: configuration.validationSteps))
      let judgement = isJudged ? try evaluate(&state, interruption) : nil
      if isLast || step.isMultiple(of: configuration.checkpointingSteps) { try save(state) }
      if let judgement {
        do { try Console.output.print(judgement + "\n") } catch { unheard = error }
      }
    }
    try write("model.safetensors", TrainedModel(state.result, configuration).encoded())
    if let unheard { throw unheard }
  }

  private func save(_ state: TrainingState) throws {
    try checkpoints.save(state)
    try write("log.csv", Data(TrainingLog.csv(state.progress.log).utf8))
    try write("loss.svg", Data(TrainingLog.chart(state.progress.log, of: configuration).document.utf8))
    try write("evaluations.csv", Data(TrainingLog.csv(state.progress.evaluations).utf8))
  }

  /// What an evaluation finds, in words. A signal leaves it out: what counts is that the step is
  /// saved.
  private func evaluate(_ state: inout TrainingState, _ interruption: Interruption) throws -> String? {
    let evaluator = TrainingEvaluator(configuration: configuration, data: data, onCall: interruption.check)
    do {
      let step = state.progress.step
      let result = try evaluator.evaluate(state.result)
      state.progress.evaluations.append(TrainingLog.Evaluation(step: step, result))
      let title = "step \(step): \(result.text)"
      try write("samples-\(step).png", PNG.encode(evaluator.sheet(of: result, title: title).picture()))
      return title
    } catch is Interruption.Interrupted {
      return nil
    }
  }

  private func write(_ name: String, _ data: Data) throws {
    try OutputFile(folder.appendingPathComponent(name).path, option: "--output-dir").write(data)
  }
}
