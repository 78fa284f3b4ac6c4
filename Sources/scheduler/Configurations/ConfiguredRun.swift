import Schedulers
import SchedulersInterop
import SchedulersJSON
import SchedulersTraces

extension ConfiguredRun {
  /// The run in a few words.
  var title: String { "\(source.name), \(counted(steps, "step")), fidelity \(fidelity.rawValue)" }

  /// The run in a few lines: what it is, the keys that have no effect, and where its source departs
  /// from the papers.
  var summary: String {
    let end = plan.steps.last.map { "; ends at sigma \(brief($0.arrival.sigma))" } ?? ""
    var lines = ["\(title): starts from noise of deviation \(brief(plan.initialScale))\(end)"]
    if !source.ignoredKeys.isEmpty { lines.append("without effect: " + source.ignoredKeys.joined(separator: ", ")) }
    let names = deviations.map(\.name)
    if !names.isEmpty {
      lines.append("departs from the papers, see `scheduler list deviations`: " + names.joined(separator: ", "))
    }
    return lines.map { $0.onOneLine + "\n" }.joined()
  }

  private var deviations: [Deviation] {
    fidelity == .diffusers ? source.deviations(steps: asked) : []
  }

  /// Throws unless it is a run that draws something with a model of digits.
  func checkSamples() throws(Failure) {
    if plan.learnsVariance {
      throw Failure(
        "\(source.name) reads a learned variance, which the models of digits do not answer with; choose another "
          + "variance in the configuration, or see the run with `scheduler plan`")
    }
    guard let end = plan.steps.last?.arrival, end.sigma < plan.start.sigma else {
      throw Failure(
        "\(source.name) goes from data to noise and samples nothing; see the run with `scheduler plan`")
    }
  }
}
