import Schedulers
import SchedulersFixtures
import Testing

/// Guides against diffusers' guiders, of one batch and of tensors without scalars.
///
/// Both compute in Double. An answer is a sum of a few products of numbers below 10, scales of at
/// most 10, and quotients of sums of six products. It has less than 50 roundings of numbers below
/// 50, which is 3e-13.
@Suite struct GuiderTests {
  private struct Golden: Decodable {
    struct Case: Decodable {
      let guider: String, options: [String: Option], steps: [Int], answers: [[Double]]
    }
    struct Interval: Decodable { let start, stop: Double, count: Int, active: [Int] }
    struct TwoConditions: Decodable { let scale, imageScale: Double, answer: [Double] }
    struct Perpendicular: Decodable { let scale: Double, weights, answer: [Double] }
    let shape: [Int], conditional, unconditional, image, negatives: [[Double]]
    let cases: [Case], intervals: [Interval], twoConditions: [TwoConditions], perpendicular: [Perpendicular]
  }

  /// A number, or a Boolean as 1 or 0.
  private struct Option: Decodable {
    let value: Double

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      value = try (try? container.decode(Bool.self)).map { $0 ? 1 : 0 } ?? container.decode(Double.self)
    }
  }

  private let golden: Golden
  private let steps: [SamplingPlan.Query]

  init() throws {
    golden = try Fixtures.json("guidance.json", as: Golden.self)
    steps = try queries(3)
  }

  private func batch(_ scalars: [Double]) -> SampleBatch<Double> { SampleBatch(shape: golden.shape, scalars: scalars) }
  private func lazy(_ scalars: [Double]) -> Lazy { Lazy([Array(scalars.prefix(6)), Array(scalars.suffix(6))]) }

  private func expect(_ values: [Double], _ expected: [Double], _ comment: @autoclosure () -> String) {
    #expect(values.count == expected.count)
    for (a, b) in zip(values, expected) { #expect(abs(a - b) <= 3e-13, "\(comment())") }
    Comparisons.count(expected.count)
  }

  /// Compares what a guide makes of tensors of both kinds.
  private func expect(
    _ expected: [Double], _ comment: String, of kinds: [[Double]],
    _ batched: ([SampleBatch<Double>]) -> SampleBatch<Double>,
    _ lazily: ([Lazy]) -> Lazy
  ) {
    expect(batched(kinds.map(batch)).scalars, expected, comment)
    expect(lazily(kinds.map(lazy)).samples.flatMap { $0 }, expected, comment + ", lazily")
  }

  private func guided<Tensor: InnerProductSpace>(_ item: Golden.Case, _ tensor: ([Double]) -> Tensor) throws -> [Tensor]
  {
    func option(_ name: String) -> Double? { item.options[name]?.value }
    let isOriginal = option("use_original_formulation") == 1
    // diffusers' defaults, which are not ours.
    let named = option("guidance_scale") ?? (item.guider == "MagnitudeAwareGuidance" ? 10 : 7.5)
    let scale = named + (isOriginal ? 1 : 0)
    var momentum = GuidanceMomentum<Tensor>(option("adaptive_projected_guidance_momentum") ?? 0)
    return try item.steps.map { step in
      let (with, without) = (tensor(golden.conditional[step]), tensor(golden.unconditional[step]))
      let answer: Tensor
      switch item.guider {
      case "ClassifierFreeGuidance", "AutoGuidance":
        answer = ClassifierFreeGuide(scale: scale)(with, without, at: steps[step])
      case "AdaptiveProjectedGuidance":
        let limit = option("adaptive_projected_guidance_rescale") ?? 15
        let guide = ProjectedGuide(
          scale: scale, parallel: option("eta") ?? 1, limit: limit == 0 ? .infinity : limit,
          from: isOriginal ? .conditional : .unconditional)
        answer = guide(with, without, momentum: &momentum, at: steps[step])
      case "ClassifierFreeZeroStarGuidance":
        let guide = option("zero_init_steps").map { ZeroStarGuide(scale: scale, zeroSteps: Int($0)) }
        answer = (guide ?? ZeroStarGuide(scale: scale))(with, without, at: steps[step])
      default:
        try #require(item.guider == "MagnitudeAwareGuidance")
        let guide = option("alpha").map { MagnitudeAwareGuide(scale: scale, damping: $0) }
        answer = (guide ?? MagnitudeAwareGuide(scale: scale))(with, without, at: steps[step])
      }
      return answer.rescaled(like: with, by: option("guidance_rescale") ?? 0)
    }
  }

  @Test func `guides answer as diffusers' guiders do`() throws {
    for item in golden.cases {
      let (batched, lazily) = (try guided(item, batch), try guided(item, lazy))
      for (i, answer) in item.answers.enumerated() {
        expect(batched[i].scalars, answer, "\(item)")
        expect(lazily[i].samples.flatMap { $0 }, answer, "\(item), lazily")
      }
    }
    #expect(golden.cases.count == 18)
  }

  @Test func `a guided denoiser answers as diffusers' guider does`() throws {
    struct Answer<Tensor: InnerProductSpace>: Denoiser {
      let output: Tensor
      var prediction: Prediction { .epsilon }
      func callAsFunction(_ input: Tensor, _ query: SamplingPlan.Query) -> Tensor { output }
    }
    func answer<Tensor: InnerProductSpace>(_ item: Golden.Case, _ tensor: ([Double]) -> Tensor) throws -> Tensor {
      let with = Answer(output: tensor(golden.conditional[0]))
      let guided = ClassifierFreeGuidance(
        conditional: with, unconditional: Answer(output: tensor(golden.unconditional[0])),
        scale: try #require(item.options["guidance_scale"]).value,
        rescale: try #require(item.options["guidance_rescale"]).value)
      return guided(with.output, steps[0])
    }
    let items = golden.cases.filter { $0.guider == "ClassifierFreeGuidance" && $0.options["guidance_rescale"] != nil }
    for item in items {
      expect(try answer(item, batch).scalars, item.answers[0], "\(item)")
      expect(try answer(item, lazy).samples.flatMap { $0 }, item.answers[0], "\(item), lazily")
    }
    #expect(items.count == 6)
  }

  @Test func `two conditions are weighed as in diffusers' pipeline of InstructPix2Pix`() {
    let outputs = [golden.conditional[0], golden.image[0], golden.unconditional[0]]
    for item in golden.twoConditions {
      let guide = TwoConditionGuide(scale: item.scale, firstScale: item.imageScale)
      expect(item.answer, "\(item)", of: outputs) {
        guide($0[0], first: $0[1], neither: $0[2], at: steps[0])
      } _: {
        guide($0[0], first: $0[1], neither: $0[2], at: steps[0])
      }
    }
    #expect(golden.twoConditions.count == 3)
  }

  @Test func `negatives count perpendicular to the prompt`() {
    for item in golden.perpendicular {
      let guide = PerpendicularNegativeGuide(scale: item.scale, weights: item.weights)
      let outputs = [golden.conditional[0], golden.unconditional[0]] + golden.negatives.prefix(item.weights.count)
      expect(item.answer, "\(item)", of: outputs) {
        guide($0[0], $0[1], negatives: Array($0[2...]), at: steps[0])
      } _: {
        guide($0[0], $0[1], negatives: Array($0[2...]), at: steps[0])
      }
    }
    #expect(golden.perpendicular.count == 3)
  }

  @Test func `parts of a run are diffusers' start and stop`() throws {
    for item in golden.intervals {
      let guide = ClassifierFreeGuide(scale: 7.5, in: .part(from: item.start, to: item.stop))
      let active = try queries(item.count).enumerated().filter { guide.isActive(at: $0.element) }
      #expect(active.map(\.offset) == item.active)
    }
    #expect(golden.intervals.count == 5)
  }
}
