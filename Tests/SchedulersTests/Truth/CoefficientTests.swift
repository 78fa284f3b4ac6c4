import Fixtures
import Schedulers
import Testing

/// The coefficients of every plan against the same algebra in 50-digit arithmetic on exact levels.
///
/// A plan starts from levels that are rounded to Doubles, so its coefficients inherit that rounding magnified by their condition
/// number, which comes with the reference. `Docs/Accuracy.md` derives the bounds.
@Suite struct CoefficientTests {
  private static let truth = Result { try Safetensors("coefficients.safetensors") }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  /// The largest relative error that a coefficient may have.
  ///
  /// A level of a timestep has signal and noise within 1 ulp, so that sigma'/sigma has 4 half-ulps and 3 roundings, and its difference
  /// from 1, the ratio of two differences of lambda and the algebra after them at most 16 units in all. A level of a chosen sigma has
  /// the 24 units of `SigmaSpacing` on either side besides.
  private static func tolerance(_ spacing: Spacing, condition: Double) -> Double {
    let isBySigma = [.karras, .exponential, .linear].contains(spacing)
    return max(1e-13, (isBySigma ? 64 : 16) * unit * condition)
  }

  @Test(arguments: SamplerCatalog.all, Spacing.allCases)
  func `every coefficient of a plan has the digits that its levels allow`(entry: SamplerCatalog.Entry, spacing: Spacing) throws
  {
    let truth = try Self.truth.get()
    for steps in [1, 2, 3, 5, 10, 20, 50, 999, 1000] {
      let name = "\(entry.name)/\(spacing)/\(steps)"
      let plan = try entry.sampler.plan(over: spacing.grid(Self.schedule, steps: steps), predicting: .x0)
      let (rows, calls) = (try truth.doubles("\(name).rows"), try truth.integers("\(name).calls"))
      #expect(calls.last == plan.steps.count - 1)
      var worst = (excess: 1.0, text: "")
      for (k, call) in calls.enumerated() {
        let next = plan.steps[call].next
        #expect(next.samples.count <= 1 && next.estimates.count <= 2 && next.predicted == 0)
        let estimates = next.estimates + [0, 0]
        let ours = [next.samples.first ?? 0, estimates[0], estimates[1], next.noise]
        let tolerance = Self.tolerance(spacing, condition: rows[5 * k + 4])
        for i in 0..<4 {
          let exact = rows[5 * k + i]
          let error = ours[i] == exact ? 0 : abs(ours[i] - exact) / abs(exact)
          if !(error / tolerance <= worst.excess) {
            worst = (
              error / tolerance,
              "\(name) call \(call), coefficient \(i): \(ours[i]) here, \(exact) there, relative error \(error), tolerance \(tolerance)"
            )
          }
        }
      }
      Comparisons.count(calls.count * 4)
      #expect(worst.text.isEmpty, "\(worst.text)")
    }
  }
}
