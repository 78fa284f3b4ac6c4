import Schedulers
import Testing

@Suite struct GuidanceTests {
  private struct Constant: Denoiser {
    var output: [Double]
    var prediction = Prediction.epsilon
    func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) -> [Double] { output }
  }

  private struct Failing: Denoiser {
    struct Called: Error {}
    var prediction = Prediction.epsilon
    func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) throws(Called) -> [Double] { throw Called() }
  }

  private let query = SamplingGrid.Point(timestep: 5, level: NoiseLevel(signal: 0.6, noise: 0.8))

  @Test(arguments: [(0.0, [1.0, 2.0]), (1.0, [3.0, 0.0]), (2.0, [5.0, -2.0]), (7.5, [16.0, -13.0])])
  func `guidance goes from the unconditional answer through the conditional one`(scale: Double, expected: [Double]) {
    let guided = ClassifierFreeGuidance(
      conditional: Constant(output: [3, 0]), unconditional: Constant(output: [1, 2]), scale: scale)
    #expect(guided([0, 0], query) == expected)
    #expect(guided.prediction == .epsilon)
  }

  @Test func `a guided denoiser runs like any other, and may be guided again`() throws {
    let inner = ClassifierFreeGuidance(
      conditional: Constant(output: [1], prediction: .x0), unconditional: Constant(output: [0], prediction: .x0), scale: 0.5)
    let outer = ClassifierFreeGuidance(
      conditional: inner, unconditional: Constant(output: [0.25], prediction: .x0), scale: 2)
    let schedule = try NoiseSchedule(.linear(), timesteps: 100)
    let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
    let plan = try DDIM().plan(over: grid, predicting: outer.prediction)
    #expect(plan.sample(from: [2.0], model: outer.callAsFunction) == [0.75])
  }

  @Test func `what a denoiser throws arrives`() {
    let guided = ClassifierFreeGuidance(conditional: Failing(), unconditional: Failing(), scale: 3)
    #expect(throws: Failing.Called.self) { try guided([0], query) }
  }

  @Test func `models that predict different things are not mixed`() async {
    await #expect(processExitsWith: .failure) {
      struct Zero: Denoiser {
        var prediction: Prediction
        func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) -> [Double] { input }
      }
      _ = ClassifierFreeGuidance(conditional: Zero(prediction: .v), unconditional: Zero(prediction: .epsilon), scale: 2)
    }
  }
}
