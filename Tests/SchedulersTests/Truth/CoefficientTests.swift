import Fixtures
import Schedulers
import Testing

/// The coefficients of every plan against the same algebra in 50-digit arithmetic on exact levels.
///
/// A plan starts from levels that are rounded to Doubles, so its coefficients inherit that rounding magnified by their condition
/// number, which comes with the reference. `Docs/Accuracy.md` derives the bounds.
@Suite struct CoefficientTests {
  private static let truth = Result { try Safetensors("coefficients.safetensors") }
  private static let multistep = Result { try Safetensors("multistep-coefficients.safetensors") }
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
    let isMultistep = try Self.multistep.get().names.contains("\(entry.name)/leading/1.rows")
    let truth = try (isMultistep ? Self.multistep : Self.truth).get()
    if isMultistep, ![.leading, .karras].contains(spacing) { return }
    // The factors of the sample, of the estimates, newest first, of the noise, and the condition number.
    let width = isMultistep ? 7 : 5
    for steps in isMultistep ? [1, 2, 3, 5, 20, 1000] : [1, 2, 3, 5, 10, 20, 50, 999, 1000] {
      let name = "\(entry.name)/\(spacing)/\(steps)"
      let plan = try entry.sampler.plan(over: spacing.grid(Self.schedule, steps: steps), predicting: .x0)
      let (rows, calls) = (try truth.doubles("\(name).rows"), try truth.integers("\(name).calls"))
      #expect(calls.last == plan.steps.count - 1)
      var worst = (excess: 1.0, text: "")
      for (k, call) in calls.enumerated() {
        let next = plan.steps[call].next
        #expect(next.samples.count <= 1 && next.estimates.count <= width - 3 && next.predicted == 0)
        let estimates = next.estimates + [0, 0, 0, 0]
        let ours = [next.samples.first ?? 0] + estimates.prefix(width - 3) + [next.noise]
        let tolerance = Self.tolerance(spacing, condition: rows[width * k + width - 1])
        let row = rows[width * k..<width * (k + 1) - 1]
        for (i, exact) in row.enumerated() {
          let error = ours[i] == exact ? 0 : abs(ours[i] - exact) / abs(exact)
          if !(error / tolerance <= worst.excess) {
            worst = (
              error / tolerance,
              "\(name) call \(call), coefficient \(i): \(ours[i]) here, \(exact) there, relative error \(error), tolerance \(tolerance)"
            )
          }
        }
      }
      Comparisons.count(calls.count * (width - 1))
      #expect(worst.text.isEmpty, "\(worst.text)")
    }
  }
}
