import Schedulers
import SchedulersInterop
import Testing

@testable import ExactDenoisers

/// What all exact denoisers have in common: predictions, queries, scalar types.
@Suite struct ExactDenoiserTests {
  // x̂0 is turned into F and back: two products and a sum each way, coefficients with a few
  // roundings of their own. 8·2^-53 of what is added up covers each way, and the error of F comes
  // back times its factor.
  @Test(arguments: levels, Prediction.allCases) func everyPredictionLeadsToTheSameData(
    level: NoiseLevel, prediction: Prediction
  ) throws {
    let previous = NoiseLevel.variancePreserving(sigma: level.sigma.isFinite ? level.sigma / 3 : 5)
    let x = batch(normals(3, 5, seed: 1))
    guard let decode = prediction.denoising(at: level, previous: previous) else {
      #expect(prediction == .epsilon && level.signal == 0)
      return
    }
    let encode = try #require(Prediction.x0.conversion(to: prediction, at: level, previous: previous))
    for denoiser in try denoisers() {
      let x0 = denoiser.output(for: x, at: level, as: .x0)
      let output = denoiser.output(for: x, at: level, previous: previous, as: prediction)
      for i in x.scalars.indices {
        let (sample, x0, output) = (x.scalars[i], x0.scalars[i], output.scalars[i])
        let there = abs(encode.sample * sample) + abs(encode.output * x0)
        let back = abs(decode.sample * sample) + abs(decode.output) * there
        #expect(abs(decode.sample * sample + decode.output * output - x0) <= 8 * .ulpOfOne * back)
      }
    }
  }

  @Test func withoutNoiseTheDataAreTheSampleBySignal() throws {
    let x = batch([[1.0, 2, 3, 4, 5]])
    for denoiser in try denoisers() {
      let output = denoiser.output(for: x, at: NoiseLevel(signal: 0.5, noise: 0), as: .x0)
      #expect(output.values == [2, 4, 6, 8, 10])
    }
  }

  @Test func withoutSignalTheDataAreTheirMean() throws {
    let level = NoiseLevel(signal: 0, noise: 1)
    let gaussians = try [[1.0, 2], [5, 6]].map { try Gaussian<Double>(mean: $0, covariance: [[1, 0], [0, 2]]) }
    let mixture = try GaussianMixture(components: gaussians, weights: [3, 1])
    let x = batch([[9.0, -9]])
    #expect(gaussians[0].output(for: x, at: level, as: .x0).values == [1, 2])
    // 3/4 and 1/4 come from exponents, within a few ulps.
    #expect(distance(mixture.output(for: x, at: level, as: .x0).values, [2, 3]) < 8 * 6 * .ulpOfOne)
  }

  @Test(arguments: [Prediction.epsilon, .x0, .v, .flow]) func aCallAnswersWhatWasAskedForAtInitialisation(
    prediction: Prediction
  ) throws {
    let query = SamplingPlan.Query(timestep: 3, level: .variancePreserving(sigma: 2))
    let x = batch(normals(2, 5, seed: 2))
    for denoiser in try denoisers(predicting: prediction) {
      #expect(denoiser.prediction == prediction)
      #expect(denoiser(x, query) == denoiser.output(for: x, at: query.level, as: prediction))
    }
  }

  // A network of an exploding process is given x/√(1 + σ²); the data behind it are the same. A
  // quarter scales without rounding; only the logarithms of a mixture's deviations, 5 of size 1 or
  // 2, round to others, all exponents alike up to 10·2^-52 or so, and the mean with them.
  @Test func aScaledInputHasTheSameData() throws {
    let level = NoiseLevel(signal: 1, noise: 3.75)
    let query = SamplingPlan.Query(timestep: 3, level: level, inputScale: 0.25)
    let x = batch(normals(2, 5, seed: 3))
    for denoiser in try denoisers() {
      let (scaled, plain) = (denoiser(.combination([(0.25, x)]), query), denoiser.output(for: x, at: level, as: .x0))
      #expect(distance(scaled.values, plain.values) <= 2 * 10 * .ulpOfOne * 3)
    }
  }

  @Test func theShapeOfTheInputIsKept() throws {
    let dataset = try Dataset<Float>(points: normals(4, 12, seed: 4))
    let output = dataset.output(for: SampleBatch(zeros: [2, 3, 2, 2]), at: .variancePreserving(sigma: 1), as: .v)
    #expect(output.shape == [2, 3, 2, 2])
  }

  // All arithmetic is in Double, so the answer is the Double answer to the same input, rounded
  // once.
  private func checkRounding<Scalar: SampleScalar>(of _: Scalar.Type) throws {
    let gaussian = try Gaussian<Scalar>(mean: normals(1, 4, seed: 5)[0], covariance: covariance(4, seed: 6))
    let exact = try Gaussian<Double>(mean: gaussian.mean, covariance: gaussian.covariance)
    let points = normals(20, 4, seed: 7)
    let pairs: [(any ExactDenoiser<Scalar>, any ExactDenoiser<Double>)] = [
      (try Dataset(points: points), try Dataset(points: points)), (gaussian, exact),
      (try GaussianMixture(components: [gaussian]), try GaussianMixture(components: [exact])),
    ]
    let x = batch(normals(5, 4, seed: 8), as: Scalar.self)
    let wide = SampleBatch<Double>(shape: x.shape, scalars: x.values)
    let level = NoiseLevel.variancePreserving(sigma: 0.5)
    for prediction in Prediction.allCases where prediction != .previous {
      for (narrow, exact) in pairs {
        let expected = exact.output(for: wide, at: level, as: prediction).scalars.map { Scalar($0) }
        #expect(narrow.output(for: x, at: level, as: prediction).scalars == expected)
      }
    }
    let expected = exact.flow(wide, from: level, to: .clean).scalars.map { Scalar($0) }
    #expect(gaussian.flow(x, from: level, to: .clean).scalars == expected)
  }

  @Test func floatIsDoubleRounded() throws { try checkRounding(of: Float.self) }

  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    @Test func float16IsDoubleRounded() throws { try checkRounding(of: Float16.self) }
  #endif
}
