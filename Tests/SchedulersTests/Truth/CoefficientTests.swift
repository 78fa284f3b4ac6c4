import Schedulers
import SchedulersFixtures
import Testing

/// The coefficients of every plan against the same algebra in 50-digit arithmetic on exact levels.
///
/// `RowTests` hold more processes, and fewer rows of each. Every sampler of the catalog is here
/// with its default options, so that a sampler without a reference fails.
@Suite struct CoefficientTests {
  private static let files = Result {
    try [
      "multistep-coefficients", "stages-coefficients", "flow-coefficients", "accelerated-coefficients", "coefficients",
    ].map {
      try Safetensors("\($0).safetensors")
    }
  }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  /// The largest relative error that a coefficient may have: four ulps, each at most 2⁻⁵², and the
  /// rounding of the reference.
  private static let tolerance = 4.5 * 0x1p-52

  /// But for what comes back to levels: `RePaintTests` hold its jumps, between which its steps are
  /// those of `DDIM`.
  @Test(arguments: SamplerCatalog.all.filter { !$0.revisitsLevels }, Spacing.allCases)
  func `every coefficient of a plan is that of the exact process`(entry: SamplerCatalog.Entry, spacing: Spacing)
    throws
  {
    let file = try #require(try Self.files.get().first { $0.names.contains("\(entry.name)/leading/1.rows") })
    // In the file of the stages, a second sample comes before the estimates; then follow the noise
    // and a condition number.
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
        let row = rows[width * k..<width * (k + 1) - 1]
        for (i, exact) in row.enumerated() {
          let error = ours[i] == exact ? 0 : abs(ours[i] - exact) / abs(exact)
          if !(error / Self.tolerance <= worst.excess) {
            worst = (
              error / Self.tolerance,
              "\(name) call \(call) [\(i)]: \(ours[i]) here, \(exact) there, off by \(error), allowed \(Self.tolerance)"
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
