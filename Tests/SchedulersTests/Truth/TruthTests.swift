import Schedulers
import SchedulersFixtures
import Testing

/// Every table against 50-digit arithmetic, in ulps. The bounds are the contract of
/// `NoiseSchedule`.
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
    (.laplace(), [1, 10, 1000]), (.exponential(), [1, 10, 1000]),
  ].flatMap { formula, counts in
    counts.flatMap { count in
      (count < 2 ? [false] : [false, true]).map { Case(formula: formula, timesteps: count, isZero: $0) }
    }
  }

  @Test(arguments: cases) func `betas are within 1 ulp of their definition`(item: Case) throws {
    let worst = try Self.betaError(item)
    #expect(worst.ulps <= 1, "\(worst.description)")
  }

  @Test(arguments: cases) func `every table is within 2 ulps of exact arithmetic on the stored betas`(item: Case) throws
  {
    for (_, worst) in try Self.tableErrors(item) { #expect(worst.ulps <= 2, "\(worst.description)") }
  }

  /// A logarithm is rounded wrongly where its digits beyond the last are nearly a half, and the sum
  /// that is rounded is off by 2⁻¹³ of a unit.
  @Test func `logarithms are correctly rounded in all but one of a thousand entries`() throws {
    let truth = try Self.truth.get()
    let logarithms = NoiseSchedule.tables.filter { $0.name.lowercased().contains("log") }
    #expect(logarithms.count == 4)
    for table in logarithms {
      var (entries, wrong) = (0, 0)
      for item in Self.cases {
        let values = table.values(try NoiseSchedule(betas: truth.doubles("\(item.name).betas")))
        let exact = try truth.doubles("\(item.name).\(table.name)")
        for (k, t) in try truth.integers("\(item.name).timesteps").enumerated() {
          entries += 1
          if values[t] != exact[2 * k] { wrong += 1 }
        }
      }
      #expect(entries > 5_000 && wrong * 1000 <= entries, "\(table.name): \(wrong) of \(entries)")
    }
    for (name, worst) in try Self.worstErrors() where name.lowercased().contains("log") {
      #expect(worst.ulps <= 0.51, "\(worst.description)")
    }
  }

  private static func betaError(_ item: Case) throws -> WorstError {
    let truth = try truth.get()
    let named = try NoiseSchedule(item.formula, timesteps: item.timesteps)
    let schedule = item.isZero ? try named.rescaledToZeroTerminalSNR() : named
    let (high, low) = (try truth.doubles("\(item.name).betas"), try truth.doubles("\(item.name).betas.low"))
    try #require(schedule.betas.count == high.count)
    var worst = WorstError()
    for (t, beta) in schedule.betas.enumerated() {
      worst.compare(beta, with: Exact(high: high[t], low: low[t]), at: "\(item.name), t = \(t)")
    }
    return worst
  }

  private static func tableErrors(_ item: Case) throws -> [(name: String, worst: WorstError)] {
    let truth = try truth.get()
    let schedule = try NoiseSchedule(betas: truth.doubles("\(item.name).betas"))
    let timesteps = try truth.integers("\(item.name).timesteps")
    return try NoiseSchedule.tables.filter { $0.name != "betas" }.map { table in
      let values = table.values(schedule)
      let exact = try truth.doubles("\(item.name).\(table.name)")
      var worst = WorstError()
      for (k, t) in timesteps.enumerated() {
        worst.compare(
          values[t], with: Exact(high: exact[2 * k], low: exact[2 * k + 1]), at: "\(item.name), t = \(t), \(table.name)"
        )
      }
      return (table.name, worst)
    }
  }

  /// The worst error of each table over all cases.
  static func worstErrors() throws -> [String: WorstError] {
    var result: [String: WorstError] = [:]
    for item in cases {
      for (name, worst) in try [("betas", betaError(item))] + tableErrors(item)
      where worst.ulps >= result[name]?.ulps ?? 0 {
        result[name] = worst
      }
    }
    return result
  }
}
