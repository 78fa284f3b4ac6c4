import Schedulers

/// A plan as the initialiser in C that Sources/C/scheduler_plan.h takes.
struct PlanSource {
  private let plan: SamplingPlan

  init(_ plan: SamplingPlan) { self.plan = plan }

  /// A C file; numbers are the shortest that read back to the same bits.
  var description: String {
    let (clipping, first, second) =
      switch plan.clipping {
      case .none: ("SCHEDULER_NONE", 0.0, 0.0)
      case .range(let range): ("SCHEDULER_RANGE", range.lowerBound, range.upperBound)
      case .dynamic(let ratio, let maximum): ("SCHEDULER_DYNAMIC", ratio, maximum)
      }
    let kept = plan.steps.reduce(1) { max($0, $1.next.samples.count, $1.next.estimates.count) }
    return """
      #include "scheduler_plan.h"

      static const scheduler_step plan_steps[] = {
      \(plan.steps.map { "  \(Self.line($0)),\n" }.joined())};

      static const scheduler_plan plan = {
        .format = "\(SamplingPlan.format)", .initial_scale = \(plan.initialScale),
        .clipping = \(clipping), .limits = {\(first), \(second)}, .learns_variance = \(plan.learnsVariance ? 1 : 0),
        .kept = \(kept), .step_count = \(plan.steps.count), .steps = plan_steps};

      """
  }

  private static func line(_ step: SamplingPlan.Step) -> String {
    let next = step.next
    // 0 is the default of everything that is not said.
    var fields = [
      ".timestep = \(step.query.timestep)", ".input_scale = \(step.query.inputScale)",
      ".denoised = {\(step.denoising.sample), \(step.denoising.output)}",
      ".estimate = {\(step.keeping.sample), \(step.keeping.output)}",
    ]
    for (name, factors) in [("sample", next.samples), ("estimate", next.estimates)] where !factors.isEmpty {
      let list = factors.map { "\($0)" }.joined(separator: ", ")
      fields += [".\(name)_count = \(factors.count)", ".\(name)s = (const double[]){\(list)}"]
    }
    let numbers = [("made", next.made), ("unclipped", next.predicted), ("output", next.output), ("noise", next.noise)]
    for (name, factor) in numbers where factor != 0 { fields.append(".\(name) = \(factor)") }
    switch step.variance {
    case nil, .fixed: break
    case .learned(let logarithm):
      fields += [
        ".variance = SCHEDULER_LEARNED", ".offset = \(logarithm.offset)", ".slope = \(logarithm.slope)",
      ]
    case .output: fields.append(".variance = SCHEDULER_OUTPUT")
    }
    return "{\(fields.joined(separator: ", "))}"
  }
}
