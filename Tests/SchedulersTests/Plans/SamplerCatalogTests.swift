import Schedulers
import Testing

@Suite struct SamplerCatalogTests {
  @Test func `every sampler is found by its name`() {
    #expect(Set(SamplerCatalog.all.map(\.name)).count == SamplerCatalog.all.count)
    for entry in SamplerCatalog.all { #expect(SamplerCatalog[entry.name]?.title == entry.title) }
    #expect(SamplerCatalog["no such sampler"] == nil)
  }

  @Test func `every sampler names its source`() {
    for entry in SamplerCatalog.all { #expect(entry.source.hasPrefix("https://")) }
  }

  @Test func `as many steps are made as calls allow, and no more calls are made`() {
    for entry in SamplerCatalog.all {
      for calls in 1...60 {
        let steps = entry.steps(evaluations: calls)
        let most = (1...60).last { entry.evaluations(steps: $0) <= calls }
        #expect(steps == most, "\(entry.name): \(steps) steps for \(calls) calls")
      }
    }
  }

  @Test func `evaluations are counted as plans make them`() throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    for entry in SamplerCatalog.all {
      for steps in 1...12 {
        let grid = try SamplingGrid(schedule, steps: steps, spacing: TimestepSpacing.trailing)
        let plan = try entry.sampler.plan(over: grid, predicting: .x0)
        #expect(plan.steps.count == entry.evaluations(steps: steps), "\(entry.name), \(steps) steps")
        #expect(entry.isStochastic == plan.isStochastic || steps == 1, "\(entry.name), \(steps) steps")
      }
    }
  }

  @Test func `the families of the field are there`() {
    let names = Set(SamplerCatalog.all.map(\.name))
    #expect(names.isSuperset(of: ["ddpm", "ddim", "ddim-inversion", "euler", "euler-ancestral", "heun", "dpm++2m"]))
  }
}
