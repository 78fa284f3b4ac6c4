import Schedulers
import SchedulersFixtures
import Testing

@Suite struct WholeTimestepsTests {
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  @Test(arguments: [10, 25]) func `Karras' sigmas have the timesteps that diffusers rounds for DPM-Solver`(steps: Int)
    throws
  {
    let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .karras())
    let plan = try DPMSolverPlusPlus().plan(over: grid, predicting: WholeTimesteps(Prediction.epsilon))
    let expected = try Safetensors("solver-timesteps.safetensors").integers("karras/\(steps)")
    #expect(plan.steps.map(\.query.timestep) == expected.map(Double.init))
    Comparisons.count(steps)
  }

  @Test(arguments: SamplerCatalog.denoising)
  func `a network is told whole timesteps by every sampler, and nothing else of a plan changes`(
    entry: SamplerCatalog.Entry
  ) throws {
    let grid = try SamplingGrid(Self.schedule, steps: 7, spacing: .karras())
    let plan = try entry.sampler.plan(over: grid, predicting: .v)
    let whole = try entry.sampler.plan(over: grid, predicting: WholeTimesteps(Prediction.v))
    #expect(plan.steps.contains { $0.query.timestep != $0.query.timestep.rounded() })
    for (a, b) in zip(plan.steps, whole.steps) {
      #expect(b.query.timestep == a.query.timestep.rounded(.toNearestOrEven))
      #expect((0...999).contains(b.query.timestep))
      #expect(b.query.level == a.query.level && b.query.inputScale == a.query.inputScale)
      #expect(b.denoising == a.denoising && b.next == a.next && b.arrival == a.arrival)
    }
    #expect(plan.steps.count == whole.steps.count)
  }

  @Test func `it speaks for the network that it is about`() throws {
    let whole = WholeTimesteps(Prediction.previous)
    #expect(whole.name == Prediction.previous.name && whole.needsNext)
    // Of two that are as near, the even one.
    let level = NoiseLevel(signal: 0.6, noise: 0.8)
    #expect(whole.query(at: SamplingGrid.Point(timestep: 2.5, level: level)).timestep == 2)
    #expect(whole.query(at: SamplingGrid.Point(timestep: 3.5, level: level, inputScale: 0.5)).inputScale == 0.5)
    #expect(throws: PlanError.self) { try WholeTimesteps(EDMPreconditioning(sigmaData: -1)).validate() }
    let grid = try SamplingGrid(Self.schedule, steps: 5, spacing: TimestepSpacing.trailing)
    #expect(
      try DDIM().plan(over: grid.last(5), predicting: WholeTimesteps(Prediction.v))
        == DDIM().plan(over: grid, predicting: .v))
  }
}
