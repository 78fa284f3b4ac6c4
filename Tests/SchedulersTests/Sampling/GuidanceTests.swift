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

  @Test func `each model is asked only where it counts`() throws {
    struct Fallible: Denoiser {
      var output: [Double]?
      var prediction: Prediction { .epsilon }
      func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) throws(Failing.Called) -> [Double] {
        guard let output else { throw Failing.Called() }
        return output
      }
    }
    let (with, without, none) = (Fallible(output: [3, 0]), Fallible(output: [1, 2]), Fallible())
    #expect(try ClassifierFreeGuidance(conditional: with, unconditional: none, scale: 1)([0, 0], query) == [3, 0])
    #expect(try ClassifierFreeGuidance(conditional: none, unconditional: without, scale: 0)([0, 0], query) == [1, 2])
    // The deviation of (1, 2) is a third of that of (3, 0).
    let rescaled = ClassifierFreeGuidance(conditional: with, unconditional: without, scale: 0, rescale: 1)
    #expect(try rescaled([0, 0], query) == [3, 6])
  }

  @Test(arguments: [(0.0, [1.0, 2.0]), (1.0, [3.0, 0.0]), (7.5, [16.0, -13.0])])
  func `networks that suspend are guided too, and asked only where they count`(
    scale: Double, expected: [Double]
  ) async throws {
    struct Suspending: AsyncDenoiser {
      var output: [Double]?
      var prediction: Prediction { .epsilon }
      func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) async throws(Failing.Called) -> [Double] {
        await Task.yield()
        guard let output else { throw Failing.Called() }
        return output
      }
    }
    let with = Suspending(output: scale == 0 ? nil : [3, 0])
    let without = Suspending(output: scale == 1 ? nil : [1, 2])
    let guided = ClassifierFreeGuidance(conditional: with, unconditional: without, scale: scale)
    #expect(try await guided([0, 0], query) == expected)
    await #expect(throws: Failing.Called.self) {
      try await ClassifierFreeGuidance(conditional: Suspending(), unconditional: without, scale: 1)([0, 0], query)
    }
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

  @Test(arguments: [0, 0.1, 0.3, 0.7, 1]) func `an output of the right size is left as it is`(part: Double) {
    let output = [0.1, -0.7, 1.3]
    #expect(output.rescaled(like: output, by: part) == output)
  }

  @Test func `models that predict different things are not mixed`() async {
    func expect(_ message: String, in result: ExitTest.Result?) {
      let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(text.contains(message), "\(text)")
    }
    let kinds = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      struct Zero: Denoiser {
        var prediction: Prediction
        func callAsFunction(_ input: [Double], _ query: SamplingPlan.Query) -> [Double] { input }
      }
      _ = ClassifierFreeGuidance(conditional: Zero(prediction: .v), unconditional: Zero(prediction: .epsilon), scale: 2)
    }
    expect("Fatal error: guidance needs two models of one prediction type; got v and epsilon", in: kinds)
    let rescale = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let zero = Constant(output: [0])
      _ = ClassifierFreeGuidance(conditional: zero, unconditional: zero, scale: 2, rescale: 1.5)
    }
    expect("Fatal error: rescale must be in 0 ... 1; got 1.5", in: rescale)
    let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let zero = Constant(output: [0])
      _ = ClassifierFreeGuidance(conditional: zero, unconditional: zero, scale: 2, rescale: -0.5)
    }
    expect("Fatal error: rescale must be in 0 ... 1; got -0.5", in: negative)
    await #expect(processExitsWith: .failure) {
      let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 10), steps: 5, spacing: TimestepSpacing.trailing)
      var run = SamplingRun(try DDIM().plan(over: grid, predicting: .x0), from: [1.0])
      run.advance(output: [0], guidance: .mean([1]))
    }
  }
}
