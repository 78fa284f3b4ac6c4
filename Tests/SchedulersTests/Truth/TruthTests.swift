import Fixtures
import Schedulers
import Testing

/// Every table against 50-digit arithmetic, in ulps. The bounds are the contract of `NoiseSchedule`.
@Suite struct TruthTests {
  private static let truth = Result { try Safetensors("truth.safetensors") }

  struct Case: Sendable, CustomTestStringConvertible {
    let formula: BetaSchedule
    let timesteps: Int
    let isZero: Bool
    var name: String { "\(formula.name)/\(timesteps)" + (isZero ? "/zero" : "") }
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    (BetaSchedule.linear(), [1, 2, 10, 300]), (.linear(scaledFrom: 1000), [20, 300, 1000, 4000, 10000]),
    (.cosine(), [1, 10, 300, 1000, 4000]), (.scaledLinear(), [1, 10, 1000, 4000]), (.sigmoid(), [1, 10, 1000, 4000]),
  ].flatMap { formula, counts in
    counts.flatMap { count in
      (count < 2 ? [false] : [false, true]).map { Case(formula: formula, timesteps: count, isZero: $0) }
    }
  }

  @Test(arguments: cases) func `betas are within 1 ulp of their definition`(item: Case) throws {
    let truth = try Self.truth.get()
    let named = try NoiseSchedule(item.formula, timesteps: item.timesteps)
    let schedule = item.isZero ? try named.rescaledToZeroTerminalSNR() : named
    let (high, low) = (try truth.doubles("\(item.name).betas"), try truth.doubles("\(item.name).betas.low"))
    #expect(schedule.betas.count == high.count)
    var worst = WorstError()
    for (t, beta) in schedule.betas.enumerated() {
      worst.compare(beta, with: Exact(high: high[t], low: low[t]), at: "betas[\(t)]")
    }
    #expect(worst.ulps <= 1, "\(worst.description)")
  }

  @Test(arguments: cases) func `every table is within 2 ulps of exact arithmetic on the stored betas`(item: Case) throws {
    let truth = try Self.truth.get()
    let schedule = try NoiseSchedule(betas: truth.doubles("\(item.name).betas"))
    let timesteps = try truth.integers("\(item.name).timesteps")
    for table in NoiseSchedule.tables where table.name != "betas" {
      let values = table.values(schedule)
      let exact = try truth.doubles("\(item.name).\(table.name)")
      var worst = WorstError()
      for (k, t) in timesteps.enumerated() {
        worst.compare(values[t], with: Exact(high: exact[2 * k], low: exact[2 * k + 1]), at: "\(table.name)[\(t)]")
      }
      #expect(worst.ulps <= 2, "\(worst.description)")
    }
  }
}
