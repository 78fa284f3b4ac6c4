import Schedulers
import Testing

@Suite struct LossWeightingTests {
  /// SNR 4: signal² = 4/5, noise² = 1/5.
  private let level = NoiseLevel(signal: 0.8.squareRoot(), noise: 0.2.squareRoot())
  private let noise = NoiseLevel(signal: 0, noise: 1)
  private let twoOverPi = 2 / Double.pi

  private static let all: [LossWeighting] = [
    .uniform, .minSNR(), .softMinSNR(), .p2(), .p2(k: 2, gamma: 0.5), .debiased, .edm(), .sigmaSquareRoot, .cosMap,
  ]

  @Test func `min-SNR is what its paper gives for each prediction`() {
    for (gamma, clipped) in [(5.0, 4.0), (3, 3), (0.5, 0.5)] {
      let weighting = LossWeighting.minSNR(gamma: gamma)
      #expect(isClose(weighting.weight(at: level, for: .x0), clipped, relative: 8 * unit))
      #expect(isClose(weighting.weight(at: level, for: .epsilon), clipped / 4, relative: 8 * unit))
      #expect(isClose(weighting.weight(at: level, for: .v), clipped / 5, relative: 8 * unit))
      // (1 + √4)² = 9
      #expect(isClose(weighting.weight(at: level, for: .flow), clipped / 9, relative: 8 * unit))
    }
  }

  @Test func `the other weightings are their papers' formulas`() {
    func weight(_ weighting: LossWeighting, _ prediction: Prediction) -> Double {
      weighting.weight(at: level, for: prediction)
    }
    #expect(isClose(weight(.softMinSNR(gamma: 12), .x0), 3, relative: 16 * unit))
    #expect(isClose(weight(.p2(k: 1, gamma: 1), .epsilon), 0.2, relative: 16 * unit))
    let third = 1 / 3.0
    #expect(isClose(weight(.p2(k: 5, gamma: 0.5), .epsilon), third, relative: 16 * unit))
    // EDM: σ = ½, σ_data = ½: (¼ + ¼)/(¼·¼) = 8 for x0.
    #expect(isClose(weight(.edm(), .x0), 8, relative: 16 * unit))
    // t = 1/(1 + 2) = ⅓: 9, and 2/(π·(1 − ⅔ + 2/9)) = 18/(5π).
    #expect(isClose(weight(.sigmaSquareRoot, .flow), 9, relative: 16 * unit))
    let cosMap = 18 / (5 * Double.pi)
    #expect(isClose(weight(.cosMap, .flow), cosMap, relative: 16 * unit))
    #expect(weight(.uniform, .flow) == 1)
  }

  @Test func `the weights of a batch are those of its timesteps`() throws {
    let schedule = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    let weights = LossWeighting.minSNR(gamma: 5).weights(over: schedule, for: .epsilon)
    #expect(weights.values.count == 1000)
    let timesteps = [999, 0, 500, 0]
    for (t, weight) in zip(timesteps, weights[timesteps]) {
      let snr = schedule.snr[t]
      #expect(isClose(weight, min(snr, 5) / snr, relative: 16 * unit), "timestep \(t)")
      #expect(weights[t] == weight)
    }
    // β = ½ twice: x_0 counts in x_{t−1} by √ᾱ_{t−1}·β_t/(1 − ᾱ_t), which is 1 at t = 0 and √½·½/¾
    // at t = 1.
    let short = try NoiseSchedule(betas: [0.5, 0.5])
    let previous = LossWeighting.edm(sigmaData: 1).weights(over: short, for: .previous).values
    #expect(isClose(previous[0], 2, relative: 16 * unit))
    #expect(isClose(previous[1], (1 / 3.0 + 1) / (2 / 9.0), relative: 32 * unit))
    // Where x_t is noise alone, x_0 counts by all of its signal in x_{t−1}.
    let fromNoise = LossWeighting.edm(sigmaData: 1).weight(
      at: NoiseLevel(signal: 0, noise: 1), for: .previous, previous: NoiseLevel(signal: 0.5, noise: 0.75.squareRoot()))
    #expect(isClose(fromNoise, 4, relative: 16 * unit))
  }

  @Test func `a timestep outside the weights is refused`() async {
    await #expect(processExitsWith: .failure) {
      let schedule = try NoiseSchedule(.linear(), timesteps: 10)
      _ = LossWeighting.minSNR().weights(over: schedule, for: .v)[[3, 10]]
    }
  }

  @Test(arguments: all.dropFirst()) func `the weighted error is the same whatever is predicted`(
    weighting: LossWeighting
  ) {
    // An error of x0 by 1 at a fixed sample changes each output by its encoding's factor.
    for sigma in [0.01, 0.5, 1, 3, 100] {
      let level = NoiseLevel.variancePreserving(sigma: sigma)
      let cleaner = NoiseLevel.variancePreserving(sigma: sigma / 2)
      let expected = weighting.weight(at: level, for: .x0)
      for prediction in Prediction.allCases {
        let change = Prediction.x0.conversion(to: prediction, at: level, previous: cleaner)!.output
        let weight = weighting.weight(at: level, for: prediction, previous: cleaner)
        #expect(isClose(weight * change * change, expected, relative: 64 * unit), "\(prediction) at \(sigma)")
      }
    }
  }

  @Test func `where there is no signal the weight is its limit`() {
    func weights(_ weighting: LossWeighting) -> [Double] {
      [Prediction.epsilon, .x0, .v, .flow].map { weighting.weight(at: noise, for: $0) }
    }
    #expect(weights(.uniform) == [1, 1, 1, 1])
    #expect(weights(.minSNR(gamma: 5)) == [1, 0, 0, 0])
    #expect(weights(.softMinSNR(gamma: 5)) == [1, 0, 0, 0])
    #expect(weights(.p2(k: 4, gamma: 0.5)) == [0.5, 0, 0, 0])
    #expect(weights(.debiased) == [.infinity, 0, 0, 0])
    #expect(weights(.edm(sigmaData: 0.5)) == [.infinity, 4, 4, 4])
    #expect(weights(.sigmaSquareRoot) == [.infinity, 1, 1, 1])
    #expect(weights(.cosMap) == [.infinity, twoOverPi, twoOverPi, twoOverPi])
  }

  @Test func `where there is no noise the weight is its limit`() {
    func weights(_ weighting: LossWeighting) -> [Double] {
      [Prediction.epsilon, .x0, .v, .flow].map { weighting.weight(at: .clean, for: $0) }
    }
    #expect(weights(.uniform) == [1, 1, 1, 1])
    #expect(weights(.minSNR(gamma: 5)) == [0, 5, 0, 0])
    #expect(weights(.softMinSNR(gamma: 5)) == [0, 5, 0, 0])
    #expect(weights(.p2(k: 1, gamma: 1)) == [0, 1, 0, 0])
    #expect(weights(.p2(k: 1, gamma: 0.5)) == [0, .infinity, 0, 0])
    #expect(weights(.debiased) == [0, .infinity, 0, 0])
    #expect(weights(.edm()) == [1, .infinity, 1, 1])
    #expect(weights(.sigmaSquareRoot) == [.infinity, .infinity, .infinity, .infinity])
    #expect(weights(.cosMap) == [twoOverPi, .infinity, twoOverPi, twoOverPi])
  }

  @Test(arguments: all) func `no weight is NaN or negative at any timestep, and the limits are approached`(
    weighting: LossWeighting
  ) throws {
    let schedule = try NoiseSchedule(.cosine(), timesteps: 1000).rescaledToZeroTerminalSNR()
    for prediction in [Prediction.epsilon, .x0, .v, .flow] {
      for t in 0..<1000 { #expect(weighting.weight(at: schedule[t], for: prediction) >= 0) }
      for (limit, sigma) in [(NoiseLevel.clean, 1e-12), (noise, 1e12)] {
        let near = weighting.weight(at: .variancePreserving(sigma: sigma), for: prediction)
        let exact = weighting.weight(at: limit, for: prediction)
        // The next order of each expansion is at most √s or its inverse, 1e-12, times a small
        // factor.
        let isNear = exact.isInfinite ? near > 1e10 : abs(near - exact) <= 1e-10
        #expect(isNear, "\(prediction) near \(sigma): \(near), \(exact)")
      }
    }
  }

  @Test func `parameters that make no weighting are refused`() async {
    await #expect(processExitsWith: .failure) { _ = LossWeighting.minSNR(gamma: 0).weight(at: .clean, for: .v) }
    await #expect(processExitsWith: .failure) {
      _ = LossWeighting.minSNR(gamma: .infinity).weight(at: .clean, for: .v)
    }
    await #expect(processExitsWith: .failure) { _ = LossWeighting.edm(sigmaData: .nan).weight(at: .clean, for: .v) }
    await #expect(processExitsWith: .failure) { _ = LossWeighting.p2(k: -1).weight(at: .clean, for: .v) }
    await #expect(processExitsWith: .failure) {
      _ = LossWeighting.minSNR().weight(at: NoiseLevel(signal: 0.6, noise: 0.8), for: .previous)
    }
  }
}
