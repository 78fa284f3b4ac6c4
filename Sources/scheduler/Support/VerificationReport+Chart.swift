import SchedulersCharts
import SchedulersInterop
import SchedulersJSON
import SchedulersTraces

extension VerificationReport {
  /// The deviation at each step, below what is allowed or above it.
  ///
  /// - Parameter fidelity: what it was judged by.
  func chart(_ fidelity: Fidelity) -> Chart {
    func line(_ name: String, _ value: (Judgement.Step) -> Double) -> Chart.Series {
      let points = judgement.steps.map { (x: Double($0.step), y: value($0)) }
      return Chart.Series(name: name, points: points.filter { $0.y.isFinite && $0.y > 0 })
    }
    let lines = [line("largest difference", \.difference), line("allowed", \.allowed)]
    let marks = judgement.steps.compactMap { step in Self.mark(step).map { (x: Double(step.step), text: $0) } }
    let by = fidelity == .diffusers ? "what its source does" : "the mathematics"
    let verdict = judgement.first.map { "wrong from step \($0.step) on" } ?? "right"
    return Chart(
      title: "\(judgement.source), deviation of each step: \(verdict)".onOneLine,
      subtitle: "\(file), \(counted(judgement.steps.count, "step")), tolerance \(brief(judgement.tolerance)), by \(by)"
        .onOneLine,
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
