import Foundation
import Testing

@testable import Schedulers

@Suite struct SamplerCatalogTests {
  @Test func `every sampler is found by its name`() {
    #expect(Set(SamplerCatalog.all.map(\.name)).count == SamplerCatalog.all.count)
    for entry in SamplerCatalog.all { #expect(SamplerCatalog[entry.name]?.title == entry.title) }
    #expect(SamplerCatalog["no such sampler"] == nil)
  }

  @Test func `every sampler names its source`() {
    for entry in SamplerCatalog.all { #expect(entry.source.hasPrefix("https://")) }
  }

  @Test func `the catalog has a sampler of every file`() throws {
    let folder = URL(fileURLWithPath: #filePath).appending(path: "../../../../Sources/Schedulers/Samplers").standardized
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
    let types = Set(SamplerCatalog.all.map { "\("\(type(of: $0.sampler))".prefix { $0 != "<" }).swift" })
    #expect(Set(files) == types)
  }

  @Test func `as many steps are made as calls allow, and no more calls are made`() {
    for entry in SamplerCatalog.all {
      let evaluations = (1...40).map(entry.evaluations)
      for calls in 1...40 {
        let most = evaluations.lastIndex { $0 <= calls }! + 1
        #expect(entry.steps(evaluations: calls) == most, "\(entry.name): \(calls) calls")
      }
    }
  }

  @Test func `evaluations are counted as plans make them, and said in a few letters`() throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    for entry in SamplerCatalog.all {
      let grid = try SamplingGrid(schedule, steps: 12, spacing: TimestepSpacing.trailing)
      let plan = try entry.sampler.plan(over: grid, predicting: .x0)
      #expect(plan.steps.count == entry.evaluations(steps: 12), "\(entry.name)")
      #expect(plan.isStochastic == entry.isStochastic, "\(entry.name)")
      let kept = plan.retention
      #expect(kept.map(\.samples).max() == entry.keptSamples, "\(entry.name)")
      #expect(kept.map(\.estimates).max() == entry.keptEstimates, "\(entry.name)")
      // The letters as a sum: 2N − 1.
      let parts = entry.calls.replacing("about ", with: "").split(separator: "N", omittingEmptySubsequences: false)
      let factor = try parts[0].isEmpty ? 1 : #require(Int(parts[0]))
      let rest = try parts[1].isEmpty ? 0 : #require(Int(parts[1].filter { $0 != " " }.replacing("−", with: "-")))
      #expect(entry.calls.hasPrefix("about") == entry.revisitsLevels)
      if !entry.revisitsLevels { #expect(entry.evaluations(steps: 50) == 50 * factor + rest, "\(entry.name)") }
    }
  }

  /// A step of Euler's with something odd about it.
  struct Odd: Sampler {
    enum Kind: String, Codable { case plain, timestep, path, twice, twiceApart, noisy, reaching, backward }
    var kind: Kind

    func start(of grid: SamplingGrid) -> NoiseLevel { grid.points[kind == .backward ? grid.steps : 0].level }

    func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
      var moves = grid.intervals.enumerated().map { i, interval in
        let (from, to) = interval
        var next = Euler.step(from: from.level, to: to.level, denoised: .estimate())
        if kind == .timestep { next = next + from.timestep * to.level.signal * .estimate() }
        if kind == .path { next = next + from.level.signal * .estimate() }
        if kind == .reaching, i > 0 {
          next = Euler.step(
            from: grid.points[i - 1].level, to: to.level, denoised: .estimate(ago: 1), sample: .sample(ago: 1))
        }
        if kind == .noisy { next = next + to.level.noise * .noise }
        return SamplingPlan.Move(at: from, to: to.level, estimate: .x0, next: next)
      }
      if kind == .twice || kind == .twiceApart {
        let index = kind == .twice ? 3 : 5
        let stay = SamplingPlan.Move(at: moves[3].query, to: moves[index - 1].arrival, estimate: .x0, next: .sample)
        moves.insert(stay, at: index)
      }
      return moves
    }
  }

  @Test(arguments: [Odd.Kind.plain, .timestep, .path, .twice, .twiceApart, .noisy, .reaching, .backward])
  func `an entry sees what is odd about a sampler, and nothing else`(kind: Odd.Kind) {
    let entry = SamplerCatalog.Entry(name: "odd", title: "Odd", sampler: Odd(kind: kind), order: 1, source: "", use: "")
    #expect(entry.readsTimesteps == (kind == .timestep))
    // The first step of one that starts elsewhere takes its sample for one of another level.
    #expect(entry.followsPath == [.path, .backward].contains(kind))
    #expect(entry.revisitsLevels == (kind == .twiceApart))
    #expect(entry.isStochastic == (kind == .noisy))
    #expect(entry.isInversion == (kind == .backward))
    let kept = kind == .reaching ? 1 : 0
    #expect(!entry.needsSignal && entry.keptSamples == kept && entry.keptEstimates == kept)
    #expect(entry.calls == ([.twice, .twiceApart].contains(kind) ? "N + 1" : "N"))
  }
}
