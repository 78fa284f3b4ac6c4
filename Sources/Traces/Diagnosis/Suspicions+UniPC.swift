import Schedulers
import SchedulersInterop

// Predictor and corrector of UniPC with other weights.

extension Suspicions {
  /// UniPC's other B(h), where only the step to clean data has no numbers of it.
  func otherExponential() -> [Hypothesis] {
    guard case .diffusers(let configuration, _) = trace.source, configuration["solver_type"] == "bh2",
      configuration["final_sigmas_type"] == "zero"
    else { return [] }
    var found = suspicion(
      .slopeRule, "solver_type is \"bh1\", not \"bh2\"",
      changed(["solver_type": "bh1", "final_sigmas_type": "sigma_min"]).flatMap { other in
        plan.edited { i, step in
          other.steps.indices.contains(i) && other.steps[i].arrival == step.arrival ? other.steps[i] : nil
        }
      })
    for i in found.indices { found[i].isInfiniteAtEnd = true }
    return found
  }

  /// UniPC whose corrector gives the new output another weight.
  ///
  /// The corrected sample is the predicted one and a combination of differences from the estimate
  /// before. Without a corrector the plan says what of a step is that combination.
  func corrector() -> [Hypothesis] {
    guard case .diffusers(let configuration, _) = trace.source, configuration["disable_corrector"] != nil else {
      return []
    }
    let never = DiffusersConfiguration.Value.list((0..<plan.steps.count).map { .integer($0) })
    /// The plan edited beside the predictor's alone.
    func edited(
      _ text: String, _ edit: @escaping (Int, SamplingPlan.Step, _ predicting: [SamplingPlan.Step]) -> LinearForm?
    ) -> [Hypothesis] {
      suspicion(
        .coefficient, text,
        changed(["disable_corrector": never]).flatMap { predicting in
          guard predicting.steps.count == plan.steps.count else { return nil }
          return plan.edited { i, step in edit(i, step, predicting.steps).map { step.with(next: $0) } }
        })
    }
    let difference = LinearForm.estimate(ago: 1) - LinearForm.estimate()
    let earlier = LinearForm.estimate(ago: 2) - LinearForm.estimate(ago: 1)
    func weighed(_ factor: Double, _ text: String) -> [Hypothesis] {
      edited(text) { i, step, predicting in
        guard step.next.estimates.count > 1 else { return nil }
        let weight = step.next.estimates[0] - (predicting[i].next.estimates.first ?? 0)
        return step.next - weight * (factor - 1) * difference
      }
    }
    /// The predictor's difference of estimates is in the sample that the corrector starts from too.
    func predicted(_ factor: Double, _ text: String) -> [Hypothesis] {
      edited(text) { i, step, predicting in
        func weight(_ i: Int) -> Double {
          let estimates = i >= 0 ? predicting[i].next.estimates : []
          return estimates.count == 2 ? estimates[1] * (factor - 1) : 0
        }
        var next = weight(i) == 0 ? step.next : step.next + weight(i) * difference
        if step.next != predicting[i].next, weight(i - 1) != 0 {
          let share = predicting[i].next.made + (predicting[i].next.samples.first ?? 0)
          next = next - share * weight(i - 1) * earlier
        }
        return next
      }
    }
    return predicted(2, "the predictor gives the difference of estimates twice its weight")
      + predicted(0, "the predictor leaves out the difference of estimates")
      + weighed(0, "the corrector leaves out the new output")
      + weighed(2, "the corrector gives the new output twice its weight")
  }

  /// The plan where the configuration has other values.
  private func changed(_ values: [String: DiffusersConfiguration.Value]) -> SamplingPlan? {
    guard case .diffusers(let configuration, let arguments) = trace.source,
      let other = configuration.with(values)
    else { return nil }
    return try? trace.plan(of: .diffusers(other, arguments), fidelity: fidelity, in: trace.torch)
  }
}
