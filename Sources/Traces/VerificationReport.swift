import Schedulers
import SchedulersInterop
import SchedulersJSON

/// A judgement as people and programs read it.
public struct VerificationReport: Sendable {
  /// What the trace is called, such as the path of its file.
  public let file: String
  /// The trace.
  public let trace: Trace
  /// What was found of it.
  public let judgement: Judgement

  /// A report of what was found of a trace.
  public init(of trace: Trace, named file: String, judgement: Judgement) {
    self.file = file
    self.trace = trace
    self.judgement = judgement
  }

  /// One line where the trace is right, a few where it is not.
  public var text: String {
    let run = "\(file): \(judgement.source), \(counted(judgement.steps.count, "step"))"
    let ignored = trace.source.ignoredKeys
    let remarks =
      judgement.remarks + (ignored.isEmpty ? [] : ["without effect: \(ignored.prefix(20).joined(separator: ", "))"])
    let remark = remarks.map { "; \($0)" }.joined()
    guard let first = judgement.first else {
      let worst = judgement.worst.map { "; at most \(brief($0.difference, digits: 2)) off, at step \($0.step)" } ?? ""
      return "\(run): right\(worst)\(remark)".onOneLine + "\n"
    }
    let later = judgement.divergences - 1
    let lines =
      [
        "\(run): wrong from step \(first.step) on\(remark)", Self.line(first, tolerance: judgement.tolerance),
        later == 0
          ? "no later step diverges" : "\(counted(later, "later step")) \(later == 1 ? "diverges" : "diverge") too",
      ] + (made.map { [$0] } ?? []) + [diagnosis]
    return lines.map { $0.onOneLine + "\n" }.joined()
  }

  private static func line(_ step: Judgement.Step, tolerance: Double) -> String {
    var reasons: [String] = []
    if step.hasOtherTimestep {
      reasons.append("timestep \(brief(step.recordedTimestep, digits: 8)) is recorded")
    }
    if let tensor = step.notFinite { reasons.append("\(tensor) has a NaN or an infinity") }
    let place = "largest difference \(brief(step.difference, digits: 3)) at \(step.element)"
    reasons.append("\(place), allowed \(brief(step.allowed, digits: 3)) (tolerance \(brief(tolerance, digits: 6)))")
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

  /// The judgement of every step as a JSON object, with numbers that JSON does not have as the
  /// strings "nan" and "inf".
  public var json: String { json(text: nil) }

  /// The same with the lines of `text` under that name.
  package var jsonWithText: String { json(text: text) }

  private func json(text: String?) -> String {
    struct Report: Encodable {
      let file: String
      let agrees: Bool
      let divergences: Int
      let first: Judgement.Step?
      let worst: Judgement.Step?
      let ignoredKeys: [String]
      let deviations: [String]
      let judgement: Judgement
      let text: String?
    }
    let deviations = trace.source.deviations(steps: trace.inferenceSteps)
    let report = Report(
      file: file, agrees: judgement.agrees, divergences: judgement.divergences, first: judgement.first,
      worst: judgement.worst, ignoredKeys: trace.source.ignoredKeys, deviations: deviations.map(\.name),
      judgement: judgement, text: text)
    // Every number has a form then.
    return try! JSONText.encode(report, nonFiniteAsWords: true) + "\n"
  }
}

private func counted(_ number: Int, _ thing: String) -> String { number == 1 ? "1 \(thing)" : "\(number) \(thing)s" }
