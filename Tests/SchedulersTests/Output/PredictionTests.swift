import Schedulers
import Testing

@Suite struct PredictionTests {
  private static let levels: [NoiseLevel] = [
    NoiseLevel(signal: 0.6, noise: 0.8), .variancePreserving(sigma: 1e-2), .variancePreserving(sigma: 150),
    NoiseLevel(signal: 0.3, noise: 0.7), NoiseLevel(signal: 1, noise: 40),
  ]
  private let x0 = [0.7, -1.3]
  private let epsilon = [-0.2, 1.9]
  private let previous = NoiseLevel(signal: 0.99999, noise: 1e-3)

  @Test func `targets are what the papers define`() {
    let level = NoiseLevel(signal: 0.6, noise: 0.8)
    #expect(Prediction.epsilon.target(x0: [2.0], epsilon: [5.0], at: level) == [5])
    #expect(Prediction.x0.target(x0: [2.0], epsilon: [5.0], at: level) == [2])
    #expect(isClose(Prediction.v.target(x0: [2.0], epsilon: [5.0], at: level)[0], 1.4, relative: 4 * unit))
    #expect(Prediction.flow.target(x0: [2.0], epsilon: [5.0], at: level) == [3])
    let to = NoiseLevel(signal: 0.8, noise: 0.6)
    // Equation 7 by hand: (σ'/σ)² = (9/16)², added fraction 175/256; 0.8·175/256·x0 +
    // (0.36·0.6/0.8)/0.64·x with x = 0.6·2 + 0.8·5.
    let mean = 0.8 * 175 / 256 * 2 + 0.27 / 0.64 * 5.2
    #expect(
      isClose(
        Prediction.previous.target(x0: [2.0], epsilon: [5.0], at: level, previous: to)[0], mean, relative: 16 * unit))
  }

  @Test(arguments: levels, Prediction.allCases)
  func `an exact output denoises to the data`(level: NoiseLevel, prediction: Prediction) throws {
    let sample = level.mix(x0, with: epsilon)
    let output = prediction.target(x0: x0, epsilon: epsilon, at: level, previous: previous)
    let form = try #require(prediction.denoising(at: level, previous: previous))
    for i in 0..<2 {
      let denoised = form.sample * sample[i] + form.output * output[i]
      // Both terms are rounded; where they cancel, the error is that of the larger.
      let size = abs(form.sample * sample[i]) + abs(form.output * output[i])
      #expect(abs(denoised - x0[i]) <= 32 * unit * size)
    }
  }

  @Test(arguments: levels, Prediction.allCases)
  func `converting an exact output gives the other kind's target`(level: NoiseLevel, from: Prediction) throws {
    let sample = level.mix(x0, with: epsilon)
    let output = from.target(x0: x0, epsilon: epsilon, at: level, previous: previous)
    for to in Prediction.allCases {
      let form = try #require(from.conversion(to: to, at: level, previous: previous))
      let converted = try #require(from.convert(output, to: to, sample: sample, at: level, previous: previous))
      let expected = to.target(x0: x0, epsilon: epsilon, at: level, previous: previous)
      // A way through x̂0 first makes it with the error of its terms and then magnifies that by the
      // encoding's factor.
      let denoising = try #require(from.denoising(at: level, previous: previous))
      let encoding = try #require(Prediction.x0.conversion(to: to, at: level, previous: previous))
      for i in 0..<2 {
        let inner = abs(denoising.sample * sample[i]) + abs(denoising.output * output[i])
        let size =
          abs(form.sample * sample[i]) + abs(form.output * output[i]) + abs(encoding.output) * inner
          + abs(encoding.sample * sample[i])
        #expect(abs(converted[i] - expected[i]) <= 64 * unit * size, "\(from) to \(to)")
      }
    }
  }

  @Test func `there is no answer where mathematics has none`() {
    let noise = NoiseLevel(signal: 0, noise: 1)
    #expect(Prediction.epsilon.denoising(at: noise) == nil)
    #expect(Prediction.epsilon.conversion(to: .x0, at: noise) == nil)
    #expect(Prediction.epsilon.conversion(to: .v, at: noise) == nil)
    #expect(Prediction.x0.conversion(to: .epsilon, at: .clean) == nil)
    #expect(Prediction.x0.conversion(to: .v, at: .clean) == nil)
    #expect(Prediction.x0.conversion(to: .flow, at: .clean) == nil)
    #expect(Prediction.previous.denoising(at: noise) == nil)
    #expect(Prediction.previous.target(at: noise) == nil)
    #expect(Prediction.previous.denoising(at: NoiseLevel(signal: 0.9, noise: 0.1), previous: noise) == nil)
  }

  @Test func `v and flow still say what the data are where there is no signal`() {
    let noise = NoiseLevel(signal: 0, noise: 1)
    #expect(Prediction.v.denoising(at: noise) == SamplingPlan.Readout(sample: 0, output: -1))
    #expect(Prediction.flow.denoising(at: noise) == SamplingPlan.Readout(sample: 1, output: -1))
    #expect(Prediction.v.conversion(to: .epsilon, at: noise) == SamplingPlan.Readout(sample: 1, output: 0))
  }

  @Test func `a previous target without a level to go to is refused`() async {
    await #expect(processExitsWith: .failure) {
      _ = Prediction.previous.target(x0: [0.0], epsilon: [0.0], at: NoiseLevel(signal: 0.6, noise: 0.8))
    }
  }
}
