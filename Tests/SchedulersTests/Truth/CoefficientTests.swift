import Schedulers
import SchedulersFixtures
import Testing

/// The coefficients of every plan against the same algebra in 50-digit arithmetic on exact levels.
///
/// A plan starts from levels that are rounded to Doubles, so its coefficients inherit that rounding
/// magnified by their condition number, which comes with the reference. `Docs/Accuracy.md` derives
/// the bounds. Every sampler of the catalog is here with its default options, so that a sampler
/// without a reference fails.
@Suite struct CoefficientTests {
  private static let files = Result {
    try [
      "multistep-coefficients", "stages-coefficients", "flow-coefficients", "accelerated-coefficients", "coefficients",
    ].map {
      try Safetensors("\($0).safetensors")
    }
  }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  /// The largest relative error that a coefficient may have.
  ///
  /// A level of a timestep has signal and noise within 1 ulp, so that sigma'/sigma has 4 half-ulps
  /// and 3 roundings, and its difference from 1, the ratio of two differences of lambda and the
  /// algebra after them at most 16 units in all. A level of a chosen sigma has the 24 units of
  /// `SigmaSpacing` on either side besides, and one between two points what `TimestepScale` says.
  private static func tolerance(_ spacing: Spacing, condition: Double, isBetween: Bool) -> Double {
    let isBySigma = [.karras, .exponential, .linear].contains(spacing)
    return max(1e-13, (isBySigma || isBetween ? 64 : 16) * unit * condition)
  }

  /// But for what comes back to levels: `RePaintTests` hold its jumps, between which its steps are
  /// those of `DDIM`.
  @Test(arguments: SamplerCatalog.all.filter { !$0.revisitsLevels }, Spacing.allCases)
  func `every coefficient of a plan has the digits that its levels allow`(entry: SamplerCatalog.Entry, spacing: Spacing)
    throws
  {
    let file = try #require(try Self.files.get().first { $0.names.contains("\(entry.name)/leading/1.rows") })
    // In the file of the stages, a second sample comes before the estimates; then follow the noise
    // and the condition number.
    let isStages = file.names.contains("pndm/leading/1.rows")
    let samples = isStages ? 2 : 1
    for steps in [1, 2, 3, 5, 10, 20, 50, 999, 1000] where file.names.contains("\(entry.name)/\(spacing)/\(steps).rows")
    {
      let name = "\(entry.name)/\(spacing)/\(steps)"
      let plan = try entry.sampler.plan(over: spacing.grid(Self.schedule, steps: steps), predicting: .x0)
      let (rows, calls) = (try file.doubles("\(name).rows"), try file.integers("\(name).calls"))
      let width = try file.shape("\(name).rows")[1]
      let estimates = width - samples - 2
      #expect(calls.last == plan.steps.count - 1)
      var worst = (excess: 1.0, text: "")
      for (k, call) in calls.enumerated() {
        let next = plan.steps[call].next
        #expect(
          next.samples.count <= samples && next.estimates.count <= estimates && next.predicted == 0 && next.made == 0)
        func padded(_ factors: [Double], to count: Int) -> [Double] {
          (0..<count).map { $0 < factors.count ? factors[$0] : 0 }
        }
        let ours = padded(next.samples, to: samples) + padded(next.estimates, to: estimates) + [next.noise]
        let tolerance = Self.tolerance(spacing, condition: rows[width * k + width - 1], isBetween: isStages)
        let row = rows[width * k..<width * (k + 1) - 1]
        for (i, exact) in row.enumerated() {
          let error = ours[i] == exact ? 0 : abs(ours[i] - exact) / abs(exact)
          if !(error / tolerance <= worst.excess) {
            worst = (
              error / tolerance,
              "\(name) call \(call) [\(i)]: \(ours[i]) here, \(exact) there, off by \(error), allowed \(tolerance)"
            )
          }
        }
      }
      Comparisons.count(calls.count * (width - 1))
      #expect(worst.text.isEmpty, "\(worst.text)")
    }
  }

  @Test func `every file has long grids and short ones of both kinds`() throws {
    for file in try Self.files.get() {
      for steps in [1, 2, 5, 1000] {
        for spacing in ["leading", "karras"] {
          #expect(file.names.contains { $0.hasSuffix("/\(spacing)/\(steps).rows") })
        }
      }
    }
  }
}
