import Foundation
import Schedulers
import SchedulersFixtures
import Testing

/// Every factor of every row of plans against the same method on the exact process, to 60 digits,
/// in ulps: every sampler of the catalog on every process of `Fixtures/recipes/rows.py`.
///
/// `Fixtures/Data` has some of the cases. `make rows` makes the whole of them, and gives their
/// folder by the variable SCHEDULERS_ROWS.
@Suite struct RowTests {
  /// How far a factor may be from the exact number. One that is 0 must be 0.
  private static let limit = 4.0

  enum Process: String, CaseIterable {
    case linear, scaledLinear = "scaled-linear", cosine, sigmoid, zeroSNR = "zero-snr", flow, edm
  }

  /// Some rows of a plan: what is known of a sampler on a grid of a process.
  struct Case: Sendable {
    let sampler: String
    let process: Process
    let spacing: String
    let steps: Int
    /// `nil` where the sampler has no plan.
    let rows: [Row]?

    var name: String { "\(sampler) on \(process.rawValue)/\(spacing)/\(steps)" }
  }

  /// The exact factors of a step.
  struct Row: Sendable {
    let call: Int
    let samples: [Exact]
    let estimates: [Exact]
    let noise: Exact
  }

  @Test(arguments: SamplerCatalog.all)
  func `every row of a plan is within 4 ulps of the exact process`(entry: SamplerCatalog.Entry) throws {
    let worst = try Self.worstErrors(of: entry)
    for process in Process.allCases {
      let found = try #require(worst[process], "\(entry.name) has no case on \(process.rawValue)")
      #expect(found.ulps <= Self.limit, "\(found.description)")
    }
  }

  @Test(arguments: try RowTests.cases.get().filter { $0.rows == nil }.map(\.name))
  func `a level that a sampler cannot divide by has no plan`(name: String) throws {
    let item = try #require(try Self.cases.get().first { $0.name == name })
    let grid = try Self.grid(item)
    #expect(throws: PlanError.self) {
      try SamplerCatalog[item.sampler]?.sampler.plan(over: grid, predicting: .x0)
    }
  }

  @Test func `the reference has the catalog's samplers, spacings of all kinds and N from 1 to 1000`() throws {
    let cases = try Self.cases.get()
    #expect(Set(cases.map(\.sampler)) == Set(SamplerCatalog.all.map(\.name)))
    for process in Process.allCases {
      let made = cases.filter { $0.process == process && $0.rows != nil }
      #expect(Set(made.map(\.steps)) == [1, 2, 3, 5, 10, 20, 50, 200, 1000], "\(process)")
      #expect(Set(made.map(\.spacing)) == Set(Self.spacings(of: process)), "\(process)")
    }
  }

  /// The table of the issue that asked for it: worst errors of 6 to 2,061 ulps before.
  @Test(arguments: ["ddim", "dpm++2m"], [20, 50, 1000])
  func `the newest estimates have the right factors`(sampler: String, steps: Int) throws {
    let cases = try Self.cases.get().filter {
      $0.sampler == sampler && $0.process == .scaledLinear && $0.spacing == "trailing" && $0.steps == steps
    }
    let rows = cases.flatMap { $0.rows ?? [] }
    #expect(Set(rows.map(\.call)).count >= min(steps, 32))
    let plan = try Self.plan(cases[0])
    for ago in 0..<(sampler == "ddim" ? 1 : 2) {
      var worst = WorstError()
      for row in rows where ago < row.estimates.count {
        worst.compare(
          plan.steps[row.call].next.estimates[ago], with: row.estimates[ago], at: "call \(row.call), \(ago) before")
      }
      #expect(worst.ulps <= Self.limit, "\(worst.description)")
    }
  }

  /// The worst error of a sampler on each process.
  static func worstErrors(of entry: SamplerCatalog.Entry) throws -> [Process: WorstError] {
    var result: [Process: WorstError] = [:]
    for item in try cases.get() where item.sampler == entry.name {
      guard let rows = item.rows else { continue }
      let plan = try plan(item)
      for row in rows {
        let next = plan.steps[row.call].next
        func compare(_ ours: [Double], _ exact: [Exact], _ symbol: String) {
          for k in 0..<max(ours.count, exact.count) {
            result[item.process, default: WorstError()].compare(
              k < ours.count ? ours[k] : 0, with: k < exact.count ? exact[k] : Exact(high: 0, low: 0),
              at: "\(item.name), call \(row.call), \(symbol)\(k == 0 ? "" : "[-\(k)]")")
          }
        }
        compare(next.samples, row.samples, "x")
        compare(next.estimates, row.estimates, "E")
        compare([next.noise], [row.noise], "z")
        compare([next.made, next.predicted, next.output], [], "what there is not")
      }
    }
    return result
  }

  private static func plan(_ item: Case) throws -> SamplingPlan {
    let entry = try #require(SamplerCatalog[item.sampler], "there is no sampler \(item.sampler)")
    return try entry.sampler.plan(over: grid(item), predicting: .x0)
  }
}

// MARK: Grids

extension RowTests {
  private static let schedules: [Process: NoiseSchedule] = {
    func schedule(_ betas: BetaSchedule) -> NoiseSchedule { try! NoiseSchedule(betas, timesteps: 1000) }
    return [
      .linear: schedule(.linear()), .scaledLinear: schedule(.scaledLinear()), .cosine: schedule(.cosine()),
      .sigmoid: schedule(.sigmoid()), .zeroSNR: try! schedule(.scaledLinear()).rescaledToZeroTerminalSNR(),
    ]
  }()

  private static let byTimestep: [String: TimestepSpacing] = [
    "leading": .leading(), "trailing": .trailing, "linspace": .linspace, "beta": .beta(),
  ]
  private static let bySigma: [String: SigmaSpacing] = ["karras": .karras(), "exponential": .exponential]
  /// Of rectified flow; `late` begins at the second of its points.
  private static let byTime: [String: FlowSpacing] = [
    "shift-1": FlowSpacing(), "shift-3": FlowSpacing(shift: .fixed(3)), "sd3": .stableDiffusion3,
    "karras": FlowSpacing(shift: .fixed(3), respacing: .karras()), "late": FlowSpacing(shift: .fixed(3)),
  ]

  private static func spacings(of process: Process) -> [String] {
    switch process {
    case .flow: Array(byTime.keys)
    case .edm: Array(bySigma.keys)
    case .zeroSNR: Array(byTimestep.keys)
    case .linear, .scaledLinear, .cosine, .sigmoid: Array(byTimestep.keys) + Array(bySigma.keys)
    }
  }

  private static func grid(_ item: Case) throws -> SamplingGrid {
    let (steps, sigmas) = (item.steps, bySigma[item.spacing])
    switch item.process {
    case .flow where item.spacing == "late":
      return try SamplingGrid(flow: #require(byTime[item.spacing]), steps: steps + 1).last(steps)
    case .flow: return try SamplingGrid(flow: #require(byTime[item.spacing]), steps: steps)
    case .edm: return try SamplingGrid(edm: EDMPreconditioning(), steps: steps, spacing: #require(sigmas))
    default:
      let schedule = try #require(schedules[item.process])
      if let sigmas { return try SamplingGrid(schedule, steps: steps, spacing: sigmas) }
      return try SamplingGrid(schedule, steps: steps, spacing: #require(byTimestep[item.spacing]))
    }
  }
}

// MARK: The file

extension RowTests {
  static let cases = Result {
    guard let folder = ProcessInfo.processInfo.environment["SCHEDULERS_ROWS"] else {
      return try cases(in: Safetensors("rows.safetensors"))
    }
    return try Process.allCases.flatMap {
      try cases(in: Safetensors(contentsOf: "\(folder)/\($0.rawValue).safetensors"))
    }
  }

  /// The cases of a file, whose form stands in the recipe.
  private static func cases(in file: Safetensors) throws -> [Case] {
    let lists = try file.lists()
    try #require(lists.count == 3)
    let (samplers, processes, spacings) = (lists[0], lists[1], lists[2])
    let (cases, rows) = try (file.integers("cases"), file.integers("rows"))
    let (high, low) = try (file.doubles("high"), file.floats("low"))
    var (row, number) = (0, 0)
    func numbers(_ count: Int) -> [Exact] {
      defer { number += count }
      return (number..<number + count).map { Exact(high: high[$0], low: Double(low[$0])) }
    }
    let result = try stride(from: 0, to: cases.count, by: 5).map { at in
      let count = cases[at + 4]
      defer { row += max(count, 0) }
      let made = (row..<row + max(count, 0)).map { k in
        Row(
          call: rows[3 * k], samples: numbers(rows[3 * k + 1]), estimates: numbers(rows[3 * k + 2]),
          noise: numbers(1)[0])
      }
      return Case(
        sampler: samplers[cases[at]], process: try #require(Process(rawValue: processes[cases[at + 1]])),
        spacing: spacings[cases[at + 2]], steps: cases[at + 3], rows: count < 0 ? nil : made)
    }
    try #require(3 * row == rows.count && number == high.count)
    return result
  }
}
