import Schedulers

/// A mistake that the recovered coefficients show: in some form of the step, all are the plan's but
/// a few, which have to their own the same relation in every diverging step.
struct CoefficientMistake {
  let text: String

  /// The mistake in the steps that are wrong, if there is one.
  ///
  /// - Parameter allowed: what a step may be off, if the run was computed in half precision.
  init?(_ recovery: Recovery, wrong: [Int], allowed: (Int) -> Double) {
    guard
      let rows = Self.rows(recovery, wrong, constant: false, allowed)
        ?? Self.rows(recovery, wrong, constant: true, allowed)
    else { return nil }
    let views = StepForms.Basis.allCases.compactMap { CoefficientView($0, rows) }
    // What says more of the cause goes before what merely describes the numbers.
    let relations: [(CoefficientView) -> String?] = [
      \.single, \.rearranged, \.together, \.deviation, LengthMistake.text, \.weights, \.product, \.several, \.factor,
      \.unplanned,
      \.alone,
    ]
    for relation in relations {
      if let text = views.lazy.compactMap(relation).first {
        self.text = text
        return
      }
    }
    return nil
  }

  /// The steps' coefficients, if combinations make all of them.
  private static func rows(
    _ recovery: Recovery, _ wrong: [Int], constant: Bool, _ allowed: (Int) -> Double
  ) -> [StepForms]? {
    var rows: [StepForms] = []
    for step in wrong {
      guard let solution = recovery.solve(step: step, constant: constant),
        solution.residual <= max(5e-5 * max(solution.size, 1), allowed(step))
      else { return nil }
      rows.append(StepForms(recovery.plan, step, solution))
    }
    return rows.isEmpty ? nil : rows
  }
}
