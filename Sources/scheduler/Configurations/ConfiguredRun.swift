import Schedulers
import SchedulersInterop
import SchedulersTraces

/// A run that a configuration of another library asks for.
struct ConfiguredRun {
  let source: TraceSource
  /// The number of inference steps.
  let steps: Int
  /// The same, if it was said, or times do not say it.
  private let asked: Int?
  let fidelity: Fidelity
  let plan: SamplingPlan

  private static let usualSteps = 25

  /// The run of a source.
  ///
  /// - Parameter steps: if nil, as many as the source or the arguments say, else 25.
  /// - Throws: what the source throws where it has no such run.
  init(_ source: TraceSource, steps: Int?, fidelity: Fidelity) throws {
    (self.source, self.fidelity) = (source, fidelity)
    switch source {
    case .diffusers(let configuration, let arguments):
      asked = steps ?? (arguments.hasGivenTimes ? nil : Self.usualSteps)
      plan = try configuration.plan(steps: asked, fidelity: fidelity, with: arguments)
      self.steps = asked ?? plan.steps.count
    case .guidedDiffusion(let configuration):
      let own = try configuration.plan(fidelity: fidelity)
      asked = steps
      self.steps = steps ?? own.steps.count
      // This refuses another number, for the respacing says it.
      plan = steps == nil ? own : try source.plan(steps: self.steps, fidelity: fidelity)
    case .kDiffusion(let configuration):
      asked = steps
      self.steps = steps ?? configuration.steps
      let own = try configuration.plan(fidelity: fidelity)
      // This refuses another number, for the sigmas say it.
      plan = self.steps == configuration.steps ? own : try source.plan(steps: self.steps, fidelity: fidelity)
    case .plan(let plan): (asked, self.steps, self.plan) = (steps, plan.steps.count, plan)
    }
  }

  /// The plan with what it was made from.
  func document() throws -> PlanDocument {
    PlanDocument(plan, provenance: try source.provenance(steps: steps, fidelity: fidelity))
  }

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
    return lines.map { Scheduler.oneLine($0) + "\n" }.joined()
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
