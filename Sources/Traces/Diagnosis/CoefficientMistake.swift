import Schedulers

/// A mistake that the recovered coefficients show: in some form of the step, all are the plan's but
/// a few, which have to their own the same relation in every diverging step.
struct CoefficientMistake {
  let text: String
  /// The largest difference that combinations leave, in units of what is allowed.
  let misfit: Double
  /// Whether the relation says what was done, and does not merely describe the numbers.
  let isCause: Bool

  /// The mistake in the steps that are wrong, if there is one.
  ///
  /// - Parameters:
  ///   - allowed: what a step may be off.
  ///   - isHalf: whether the run was computed in half precision, so that the combination may be as
  ///     much off.
  init?(_ recovery: Recovery, wrong: [Int], allowed: (Int) -> Double, isHalf: Bool) {
    func bound(_ step: Int) -> Double { isHalf ? allowed(step) : 0 }
    guard
      let rows = Self.rows(recovery, wrong, constant: false, bound)
        ?? Self.rows(recovery, wrong, constant: true, bound)
    else { return nil }
    misfit = rows.reduce(0) { max($0, $1.residual / allowed($1.step)) }
    let views = StepForms.Basis.allCases.compactMap { CoefficientView($0, rows) }
    // What says more of the cause goes before what merely describes the numbers.
    let relations: [(CoefficientView) -> String?] = [
      \.single, \.rearranged, \.together, \.deviation, LengthMistake.text, \.weights, \.product, \.several, \.factor,
      \.unplanned,
      \.alone,
    ]
    for (place, relation) in relations.enumerated() {
      if let text = views.lazy.compactMap(relation).first {
        self.text = text
        isCause = place < 6
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
