import Schedulers
import SchedulersFixtures
import Testing

/// Training with a level of each sample. `Fixtures/recipes/training_paths.py` made the numbers.
@Suite struct BatchLevelsTests {
  private static let golden = Result { try Safetensors("training-paths.safetensors") }

  private func batch(_ name: String) throws -> SampleBatch<Double> {
    SampleBatch(shape: [3, 2, 8], scalars: try Self.golden.get().doubles(name))
  }

  /// Compares numbers of which each is a few roundings of terms no larger than a bound.
  private func compare(_ own: [Double], _ name: String, within bound: Double) throws {
    let golden = try Self.golden.get().doubles(name)
    #expect(own.count == golden.count)
    for (a, b) in zip(own, golden) { #expect(abs(a - b) <= bound, "\(name)") }
    Comparisons.count(golden.count)
  }

  @Test func `rectified flow trains as diffusers' script does`() throws {
    let (x0, epsilon) = (try batch("x0"), try batch("epsilon"))
    let levels = try Self.golden.get().doubles("flow.sigmas").map { NoiseLevel(signal: 1 - $0, noise: $0) }
    // Two products and a sum of numbers below 4.
    try compare(levels.mix(x0, with: epsilon).scalars, "flow.noisy", within: 4 * 8 * unit)
    let target = Prediction.flow.target(x0: x0, epsilon: epsilon, at: levels)
    try compare(target.scalars, "flow.target", within: 0)
    let weights = LossWeighting.sigmaSquareRoot.weights(at: levels, for: .flow)
    for (own, theirs) in zip(weights, try Self.golden.get().doubles("flow.weights/sigma_sqrt")) {
      // diffusers rounds these to float32.
      #expect(isClose(own, theirs, relative: 0x1p-23))
    }
    let maps = LossWeighting.cosMap.weights(at: levels, for: .flow)
    for (own, theirs) in zip(maps, try Self.golden.get().doubles("flow.weights/cosmap")) {
      #expect(isClose(own, theirs, relative: 32 * unit))
    }
  }

  @Test func `EDM trains as k-diffusion's denoiser does`() throws {
    let (x0, epsilon, output) = (try batch("x0"), try batch("epsilon"), try batch("output"))
    let edm = EDMPreconditioning()
    let sigmas = try Self.golden.get().doubles("edm.sigmas")
    // On any path: exploding, as EDM's own, and variance preserving.
    for levels in [
      sigmas.map { NoiseLevel(signal: 1, noise: $0) }, sigmas.map { NoiseLevel.variancePreserving(sigma: $0) },
    ] {
      let input = edm.input(levels.mix(x0, with: epsilon), at: levels)
      try compare(input.scalars, "edm.input", within: 32 * unit * 8)
      let target = edm.target(x0: x0, epsilon: epsilon, at: levels)
      // k-diffusion divides x0 − c_skip·x̄, which has the roundings of numbers below 4, by c_out,
      // which is 0.03 or more.
      let error = 32 * unit * 4 / 0.03
      try compare(target.scalars, "edm.target", within: error)
      for (weighting, name) in [(LossWeighting.edm(), "karras"), (.softMinSNR(gamma: 4), "soft-min-snr")] {
        let weights = weighting.weights(at: levels, for: edm)
        let losses = (0..<3).map { n in
          let errors = zip(output[n].scalars, target[n].scalars).map { ($0 - $1) * ($0 - $1) }
          return weights[n] * errors.reduce(0, +) / 16
        }
        for (own, theirs) in zip(losses, try Self.golden.get().doubles("edm.loss/\(name)")) {
          // Each error is below 8 and squared; the mean of the squares is above 1.
          #expect(isClose(own, theirs, relative: 2 * 8 * error))
        }
      }
      #expect(LossWeighting.edm().weights(at: levels, for: edm) == [1, 1, 1])
      for (told, sigma) in zip(edm.timesteps(at: levels), sigmas) {
        #expect(isClose(4 * told, Math.log(sigma), relative: 16 * unit))
      }
    }
  }

  @Test func `a batch of levels is what each sample's level makes of it`() throws {
    let (x0, epsilon) = (try batch("x0"), try batch("epsilon"))
    let schedule = try NoiseSchedule(.cosine(), timesteps: 100)
    let timesteps = [99, 3, 40]
    let (levels, previous) = (timesteps.map { schedule[$0] }, timesteps.map { schedule[$0 - 1] })
    #expect(levels.mix(x0, with: epsilon) == schedule.mix(x0, with: epsilon, at: timesteps))
    for prediction in Prediction.allCases {
      let targets = prediction.target(x0: x0, epsilon: epsilon, at: levels, previous: previous)
      let weights = LossWeighting.minSNR().weights(at: levels, for: prediction, previous: previous)
      for n in 0..<3 {
        #expect(levels.mix(x0, with: epsilon)[n] == levels[n].mix(x0[n], with: epsilon[n]))
        let target = prediction.target(x0: x0[n], epsilon: epsilon[n], at: levels[n], previous: previous[n])
        #expect(targets[n] == target)
        #expect(
          weights[n] == LossWeighting.minSNR().weight(at: levels[n], for: prediction, previous: previous[n]))
      }
    }
    let edm = EDMPreconditioning(sigmaData: 0.25)
    let targets = edm.target(x0: x0, epsilon: epsilon, at: levels)
    for n in 0..<3 { #expect(targets[n] == edm.target(x0: x0[n], epsilon: epsilon[n], at: levels[n])) }
  }

  /// A batch that gives no scalars away: rows of one number.
  private struct Column: BatchSpace, Equatable {
    var rows: [Real]
    static func combination(_ terms: [(coefficient: Double, value: Column)]) -> Column {
      combination(bySample: terms.map { (Array(repeating: $0.coefficient, count: $0.value.rows.count), $0.value) })
    }
    static func combination(bySample terms: [(coefficients: [Double], value: Column)]) -> Column {
      let count = terms[0].value.rows.count
      return Column(rows: (0..<count).map { n in .combination(terms.map { ($0.coefficients[n], $0.value.rows[n]) }) })
    }
  }

  @Test func `tensors without scalars train too`() {
    let (x0, epsilon) = (Column(rows: [Real(1), Real(2)]), Column(rows: [Real(-1), Real(0.5)]))
    let levels = [NoiseLevel(signal: 0.75, noise: 0.25), NoiseLevel(signal: 0.5, noise: 0.5)]
    #expect(levels.mix(x0, with: epsilon).rows == [Real(0.5), Real(1.25)])
    #expect(Prediction.flow.target(x0: x0, epsilon: epsilon, at: levels).rows == [Real(-2), Real(-1.5)])
    // v = signal·epsilon − noise·x0.
    #expect(Prediction.v.target(x0: x0, epsilon: epsilon, at: levels).rows == [Real(-1), Real(-0.75)])
    // σ = ¾/1 and σ_data = 1: h = 5/4, F = 3/5·x0 − 4/5·epsilon; c_in = 4/5.
    let edm = EDMPreconditioning(sigmaData: 1)
    let exploding = [NoiseLevel](repeating: NoiseLevel(signal: 1, noise: 0.75), count: 2)
    let target = edm.target(x0: x0, epsilon: epsilon, at: exploding).rows.map(\.value)
    #expect(zip(target, [1.4, 0.8]).allSatisfy { isClose($0, $1, relative: 16 * unit) })
    let input = edm.input(exploding.mix(x0, with: epsilon), at: exploding).rows.map(\.value)
    #expect(zip(input, [0.2, 1.9]).allSatisfy { isClose($0, $1, relative: 16 * unit) })
  }

  @Test func `any number of terms combines by samples, and infinities stay`() {
    let x = SampleBatch<Double>(shape: [2, 2], scalars: [1, 2, 3, .infinity])
    #expect(SampleBatch.combination(bySample: [([2, -1], x)]).scalars == [2, 4, -3, -.infinity])
    let y = SampleBatch<Double>(shape: [2, 2], scalars: [1, 1, 10, 10])
    #expect(
      SampleBatch.combination(bySample: [([1, 0.5], y), ([2, 1], y), ([0, 3], y), ([1, 1], y)]).scalars
        == [4, 4, 55, 55])
  }

  @Test func `where there is no signal or no noise the weights and the targets of EDM are limits`() {
    let (noise, edm) = (NoiseLevel(signal: 0, noise: 1), EDMPreconditioning(sigmaData: 0.5))
    #expect(edm.target(at: noise).x0 == 2 && edm.target(at: noise).epsilon == 0)
    #expect(edm.target(at: .clean).x0 == 0 && edm.target(at: .clean).epsilon == -1)
    // w/(s + 1/σ_data²): min-SNR tends to 0 at both ends, EDM's is 1.
    #expect(LossWeighting.minSNR().weights(at: [noise, .clean], for: edm) == [0, 0])
    #expect(LossWeighting.edm().weights(at: [noise, .clean], for: edm) == [1, 1])
    // λ = s + 4 of another σ_data than the network's, 1/σ_data² = 1: 4 at s = 0, 1 at s = ∞.
    #expect(LossWeighting.edm().weights(at: [noise, .clean], for: EDMPreconditioning(sigmaData: 1)) == [4, 1])
  }

  @Test func `levels that do not fit the batch are refused`() async {
    let few = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = SampleBatch<Double>(zeros: [2, 2])
      _ = [NoiseLevel.clean].mix(x, with: x)
    }
    #expect(said(by: few).contains("1 coefficients for a batch of 2 samples; give one for each"))
    let previous = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LossWeighting.uniform.weights(at: [.clean, .clean], for: .v, previous: [.clean])
    }
    #expect(said(by: previous).contains("1 levels that follow 2; give one for each"))
  }
}
