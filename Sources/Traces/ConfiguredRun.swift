import Schedulers
import SchedulersInterop

/// A run that a configuration of another library asks for.
package struct ConfiguredRun: Sendable {
  package let source: TraceSource
  /// The number of inference steps.
  package let steps: Int
  /// The same, if it was said, or times do not say it.
  package let asked: Int?
  package let fidelity: Fidelity
  package let plan: SamplingPlan

  private static let usualSteps = 25

  /// The run of a source.
  ///
  /// - Parameters:
  ///   - steps: if nil, as many as the source or the arguments say, else 25.
  ///   - fidelity: `.diffusers` for what the source does, whichever it is.
  ///   - torch: the arithmetic in which diffusers runs, if it is known.
  /// - Throws: what the source throws where it has no such run.
  package init(_ source: TraceSource, steps: Int?, fidelity: Fidelity, in torch: TorchArithmetic? = nil) throws {
    (self.source, self.fidelity) = (source, fidelity)
    switch source {
    case .diffusers(let configuration, let arguments):
      asked = steps ?? (arguments.hasGivenTimes ? nil : Self.usualSteps)
      plan = try configuration.plan(steps: asked, fidelity: fidelity, with: arguments, in: torch)
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
  package func document() throws -> PlanDocument {
    PlanDocument(plan, provenance: try source.provenance(steps: steps, fidelity: fidelity))
  }
}

extension ModelPreset {
  /// What a run of the model follows, and how many steps it makes, if that is said.
  ///
  /// - Parameters:
  ///   - steps: the number of steps; the pipeline's own if nil.
  ///   - tokens: of the picture; of one of the usual size if nil.
  ///   - given: its configuration with other arguments than the pipeline's.
  package func run(
    steps: Int?, tokens: Int? = nil, following given: TraceSource? = nil
  ) -> (source: TraceSource, steps: Int?) {
    // Given times say their number themselves.
    if case .diffusers(_, let arguments) = given, arguments.hasGivenTimes { return (given!, steps) }
    return (given ?? .diffusers(configuration, arguments(steps: steps, tokens: tokens)), steps ?? self.steps)
  }
}
