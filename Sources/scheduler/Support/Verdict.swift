import Foundation
import Schedulers
import SchedulersCharts
import SchedulersInterop
import SchedulersTraces

/// A judgement as people and programs read it.
struct Verdict {
  let file: String
  let trace: Trace
  let judgement: Judgement

  /// One line where the trace is right, a few where it is not.
  var text: String {
    let run = "\(file): \(judgement.source), \(counted(judgement.steps.count, "step"))"
    let ignored = trace.source.ignoredKeys
    let remarks =
      judgement.remarks + (ignored.isEmpty ? [] : ["without effect: \(ignored.prefix(20).joined(separator: ", "))"])
    let remark = remarks.map { "; \($0)" }.joined()
    guard let first = judgement.first else {
      let worst = judgement.worst.map { "; at most \(brief($0.difference, digits: 2)) off, at step \($0.step)" } ?? ""
      return Scheduler.oneLine("\(run): right\(worst)\(remark)") + "\n"
    }
    let later = judgement.divergences - 1
    let lines =
      [
        "\(run): wrong from step \(first.step) on\(remark)", Self.line(first, tolerance: judgement.tolerance),
        later == 0
          ? "no later step diverges" : "\(counted(later, "later step")) \(later == 1 ? "diverges" : "diverge") too",
      ] + (made.map { [$0] } ?? []) + [diagnosis]
    return lines.map { Scheduler.oneLine($0) + "\n" }.joined()
  }

  private static func line(_ step: Judgement.Step, tolerance: Double) -> String {
    var reasons: [String] = []
    if step.hasOtherTimestep {
      reasons.append("timestep \(brief(step.recordedTimestep, digits: 8)) is recorded")
    }
    if let tensor = step.notFinite { reasons.append("\(tensor) has a NaN or an infinity") }
    let place = "largest difference \(brief(step.difference, digits: 3)) at \(step.element)"
    reasons.append("\(place), allowed \(brief(step.allowed, digits: 3)) (tolerance \(brief(tolerance)))")
    return "step \(step.step), timestep \(brief(step.timestep, digits: 8)): \(reasons.joined(separator: "; "))"
  }

  /// What the first wrong step was made of.
  private var made: String? {
    judgement.coefficients.map { coefficients in
      "step \(judgement.first?.step ?? 0) was made with "
        + coefficients.map { "\(brief($0.recorded, digits: 5)) of \($0.name) (plan: \(brief($0.planned, digits: 5)))" }
        .joined(separator: ", ")
    }
  }

  private var diagnosis: String {
    guard let diagnosis = judgement.diagnosis else {
      let isOther = judgement.steps.contains(where: \.hasOtherTimestep)
      return (isOther ? "the times are not the configuration's own; were they given? " : "")
        + "no known mistake explains it"
    }
    let extent = "explains \(diagnosis.explained) of \(counted(diagnosis.divergences, "diverging step"))"
    let kind = diagnosis.explained == diagnosis.divergences ? "likely mistake" : "perhaps"
    return "\(kind): \(diagnosis.text) (\(diagnosis.mistake); \(extent))"
  }

  /// The judgement of every step.
  func json() throws -> String {
    struct Report: Encodable {
      let file: String
      let agrees: Bool
      let divergences: Int
      let first: Judgement.Step?
      let worst: Judgement.Step?
      let ignoredKeys: [String]
      let deviations: [String]
      let judgement: Judgement
    }
    return try JSON.text(
      Report(
        file: file, agrees: judgement.agrees, divergences: judgement.divergences, first: judgement.first,
        worst: judgement.worst, ignoredKeys: trace.source.ignoredKeys, deviations: deviations.map(\.name),
        judgement: judgement)
    )
  }

  private var deviations: [Deviation] {
    trace.source.deviations(steps: trace.inferenceSteps)
  }

  /// The deviation at each step, below what is allowed or above it.
  var chart: Chart {
    func line(_ name: String, _ value: (Judgement.Step) -> Double) -> Chart.Series {
      let points = judgement.steps.map { (x: Double($0.step), y: value($0)) }
      return Chart.Series(name: name, points: points.filter { $0.y.isFinite && $0.y > 0 })
    }
    let lines = [line("largest difference", \.difference), line("allowed", \.allowed)]
    let marks = judgement.steps.compactMap { step in Self.mark(step).map { (x: Double(step.step), text: $0) } }
    let verdict = judgement.first.map { "wrong from step \($0.step) on" } ?? "right"
    return Chart(
      title: Scheduler.oneLine("\(judgement.source), deviation of each step: \(verdict)"),
      x: Axis("step", scale: .linear, spanning: judgement.steps.map { Double($0.step) }),
      y: Axis("|library - recorded|", scale: .logarithmic, spanning: lines.flatMap { $0.points.map(\.y) }),
      series: lines,
      hasDots: judgement.steps.count <= 200, marks: marks)
  }

  /// What is wrong with a step beside its difference.
  private static func mark(_ step: Judgement.Step) -> String? {
    if let tensor = step.notFinite { return "NaN or infinity in \(tensor)" }
    return step.hasOtherTimestep ? "another timestep" : step.difference.isFinite ? nil : "not a number"
  }
}
