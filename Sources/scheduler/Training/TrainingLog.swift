import Foundation
import SchedulersCharts

/// What a run leaves for people to look at.
enum TrainingLog {
  /// Some steps.
  struct Row: Hashable, Codable {
    /// How many steps had been made at the end of them.
    let step: Int
    /// The mean of their losses.
    let loss: Double
    let learningRate: Double
    /// Of the last step, before clipping.
    let gradientNorm: Double
  }

  /// How good the network was at a step.
  struct Evaluation: Hashable, Codable {
    let step: Int
    let bitsPerDimension: Double
    let frechetDistance: Double
    let recognised: Double

    init(step: Int, _ result: TrainingEvaluator.Result) {
      self.step = step
      (bitsPerDimension, frechetDistance, recognised) = (
        result.bitsPerDimension, result.frechetDistance, result.recognised
      )
    }
  }

  static func csv(_ rows: [Row]) -> String {
    "step,loss,learning_rate,gradient_norm\n"
      + rows.map { "\($0.step),\($0.loss),\($0.learningRate),\($0.gradientNorm)\n" }.joined()
  }

  static func csv(_ evaluations: [Evaluation]) -> String {
    "step,bits_per_dimension,frechet_distance,recognised\n"
      + evaluations.map { "\($0.step),\($0.bitsPerDimension),\($0.frechetDistance),\($0.recognised)\n" }.joined()
  }

  private static func subtitle(_ configuration: TrainingConfiguration) -> String {
    "\(configuration.hiddenBlocks) blocks of width \(configuration.hiddenSize), batches of "
      + "\(configuration.trainBatchSize), learning rate \(brief(configuration.learningRate)), "
      + "\(configuration.predictionType) on the \(configuration.ddpmBetaSchedule) schedule, seed \(configuration.seed)"
  }

  /// The loss, and its mean over the last tenth of the rows so far, in which a trend can be seen.
  static func chart(_ rows: [Row], of configuration: TrainingConfiguration) -> Chart {
    let points = rows.map { (x: Double($0.step), y: $0.loss) }
    let smooth = points.indices.map { i in
      let recent = points[(i - i / 10)...i]
      return (x: points[i].x, y: recent.reduce(0) { $0 + $1.y } / Double(recent.count))
    }
    return Chart(
      title: "Training loss", subtitle: subtitle(configuration),
      x: Axis("step", scale: .linear, spanning: points.map(\.x)),
      y: Axis("loss", scale: .logarithmic, spanning: points.map(\.y)),
      series: [Chart.Series(name: "loss", points: points), Chart.Series(name: "recent mean", points: smooth)])
  }
}

extension TrainingState.Progress {
  /// Counts a step.
  mutating func take(loss: Double, norm: Double, rate: Double, every steps: Int) {
    step += 1
    pending.append(loss)
    guard step.isMultiple(of: steps) else { return }
    log.append(
      TrainingLog.Row(
        step: step, loss: pending.reduce(0, +) / Double(pending.count), learningRate: rate, gradientNorm: norm))
    pending = []
  }
}
