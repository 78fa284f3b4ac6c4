import Schedulers
import SchedulersFixtures
import Testing

@Suite struct GuidanceTests {
  fileprivate struct Constant: Denoiser {
    var output: [Double]
    var prediction = Prediction.epsilon
    func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) -> [Double] { output }
  }

  private struct Failing: Denoiser {
    struct Called: Error {}
    var prediction = Prediction.epsilon
    func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) throws(Called) -> [Double] { throw Called() }
  }

  private let query = SamplingPlan.Query(timestep: 5, level: NoiseLevel(signal: 0.6, noise: 0.8))

  @Test(arguments: [(0.0, [1.0, 2.0]), (1.0, [3.0, 0.0]), (2.0, [5.0, -2.0]), (7.5, [16.0, -13.0])])
  func `guidance goes from the unconditional answer through the conditional one`(scale: Double, expected: [Double]) {
    let guided = ClassifierFreeGuidance(
      conditional: Constant(output: [3, 0]), unconditional: Constant(output: [1, 2]), scale: scale)
    #expect(guided([0, 0], query) == expected)
    #expect(guided.prediction == .epsilon)
  }

  @Test func `a guided denoiser runs like any other, and may be guided again`() throws {
    let inner = ClassifierFreeGuidance(
      conditional: Constant(output: [1], prediction: .x0), unconditional: Constant(output: [0], prediction: .x0),
      scale: 0.5)
    let outer = ClassifierFreeGuidance(
      conditional: inner, unconditional: Constant(output: [0.25], prediction: .x0), scale: 2)
    let schedule = try NoiseSchedule(.linear(), timesteps: 100)
    let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
    let plan = try DDIM().plan(over: grid, predicting: outer.prediction)
    #expect(plan.sample(from: [2.0], model: outer.callAsFunction) == [0.75])
  }

  @Test func `tensors without scalars are guided too`() {
    struct Answer: Denoiser {
      let output: Real
      var prediction: Prediction { .x0 }
      func callAsFunction(_ input: Real, _ query: SamplingPlan.Query) -> Real { output }
    }
    let guided = ClassifierFreeGuidance(
      conditional: Answer(output: Real(3)), unconditional: Answer(output: Real(1)), scale: 2)
    #expect(guided(Real(0), query) == Real(5))
  }

  @Test func `what a denoiser throws arrives`() {
    let guided = ClassifierFreeGuidance(conditional: Failing(), unconditional: Failing(), scale: 3)
    #expect(throws: Failing.Called.self) { try guided([0], query) }
  }

  /// F = 3·(4, 2) − 2·(3, 3) = (6, 0) has the deviation 3, the conditional answer (4, 2) has 1.
  @Test(arguments: [(0.0, [6.0, 0.0]), (1.0, [2.0, 0.0]), (0.5, [4.0, 0.0])])
  func `rescaling brings the deviation of each sample back`(rescale: Double, expected: [Double]) {
    let guided = ClassifierFreeGuidance(
      conditional: Constant(output: [4, 2]), unconditional: Constant(output: [3, 3]), scale: 3, rescale: rescale)
    #expect(guided([0, 0], query) == expected)
    let flat = ClassifierFreeGuidance(
      conditional: Constant(output: [2, 2]), unconditional: Constant(output: [1, 1]), scale: 3, rescale: rescale)
    #expect(flat([0, 0], query) == [4, 4])
  }

  /// A deviation is a sum of six squares of differences from a mean, each a few roundings; a number
  /// of at most 50 is multiplied by their ratio.
  @Test func `rescaled guidance is diffusers'`() throws {
    struct Golden: Decodable {
      struct Case: Decodable { let scale, rescale: Double, answer: [Double] }
      let shape: [Int], conditional, unconditional: [Double], cases: [Case]
    }
    struct Answer: Denoiser {
      let output: SampleBatch<Double>
      var prediction: Prediction { .epsilon }
      func callAsFunction(_ input: SampleBatch<Double>, _ query: SamplingPlan.Query) -> SampleBatch<Double> { output }
    }
    let golden = try Fixtures.json("rescaled-guidance.json", as: Golden.self)
    let conditional = SampleBatch(shape: golden.shape, scalars: golden.conditional)
    for item in golden.cases {
      let guided = ClassifierFreeGuidance(
        conditional: Answer(output: conditional),
        unconditional: Answer(output: SampleBatch(shape: golden.shape, scalars: golden.unconditional)),
        scale: item.scale,
        rescale: item.rescale)
      for (a, b) in zip(guided(conditional, query).scalars, item.answer) { #expect(abs(a - b) <= 50 * 32 * unit) }
      Comparisons.count(item.answer.count)
    }
    #expect(golden.cases.count == 6)
  }

  @Test func `models that predict different things are not mixed`() async {
    await #expect(processExitsWith: .failure) {
      struct Zero: Denoiser {
        var prediction: Prediction
        func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) -> [Double] { input }
      }
      _ = ClassifierFreeGuidance(conditional: Zero(prediction: .v), unconditional: Zero(prediction: .epsilon), scale: 2)
    }
    await #expect(processExitsWith: .failure) {
      let zero = Constant(output: [0])
      _ = ClassifierFreeGuidance(conditional: zero, unconditional: zero, scale: 2, rescale: 1.5)
    }
    await #expect(processExitsWith: .failure) {
      let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDIM().plan(over: grid, predicting: .x0), from: [1.0])
      run.advance(output: [0], guidance: .mean([1]))
    }
  }
}
