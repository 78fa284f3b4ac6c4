import Schedulers
import SchedulersFixtures
import Testing

@Suite struct NoiseAugmentationTests {
  /// Gives out recorded noise, each time as much as is asked for.
  private struct Recorded: NoiseSource {
    var values: [[Double]]

    mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
      Tensor(scalars: values.removeFirst().map { Tensor.Scalar($0) }, like: other)
    }
  }

  @Test func `sample and target are those of diffusers' training script`() throws {
    let known = try Safetensors("timestep-sampling.safetensors")
    func recorded(_ name: String) throws -> [Double] { try known.doubles("noise.\(name)") }
    let latents = SampleBatch(shape: [2, 3, 4, 5], scalars: try recorded("latents"))
    var noise = Recorded(values: [try recorded("drawn"), try recorded("offset"), try recorded("perturbation")])
    let epsilon = noise.next(like: latents, offsetBy: 0.1)
    // The same two operations in the same order.
    #expect(epsilon.scalars == (try recorded("withOffset")))
    let perturbed = noise.perturbing(epsilon, by: 0.3)
    let alphaBar = try recorded("alphaBar")[0]
    let level = NoiseLevel(signal: alphaBar.squareRoot(), noise: (1 - alphaBar).squareRoot())
    let noisy = level.mix(latents, with: perturbed)
    let target = Prediction.v.target(x0: latents, epsilon: epsilon, at: level)
    for (ours, name) in [(noisy, "noisy"), (target, "target")] {
      // Terms below 4 are rounded alike but for fused operations: 4 units of a sum below 8.
      let worst = zip(ours.scalars, try recorded(name)).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst <= 4 * 8 * unit)
    }
    Comparisons.count(3 * 120)
  }

  @Test func `a sample's offset noise does not depend on the batch it sits in, nor on the scalar type`() {
    var (whole, part, single) = (GaussianNoise(seed: 5), GaussianNoise(seed: 5, firstSample: 2), GaussianNoise(seed: 5))
    let all = whole.next(like: SampleBatch<Double>(zeros: [4, 3, 2, 2]), offsetBy: 0.5)
    let some = part.next(like: SampleBatch<Double>(zeros: [2, 3, 2, 2]), offsetBy: 0.5)
    #expect(Array(all.scalars[24...]) == some.scalars)
    let floats = single.next(like: SampleBatch<Float>(zeros: [4, 3, 2, 2]), offsetBy: 0.5)
    #expect(floats.scalars.count == 48)
    #expect(whole.draws == 2)
  }

  @Test func `the variance grows by the square of the strength`() {
    var noise = GaussianNoise(seed: 11)
    let n = 40_000.0
    let offset = noise.next(like: SampleBatch<Double>(zeros: [100, 400]), offsetBy: 2).scalars
    let perturbed = noise.perturbing([Double](repeating: 0, count: 40_000), by: 3)
    // Independent here, as a channel of shape [samples, channels] has one element. 4.9 standard
    // errors of a variance: v·√(2/n).
    for (values, variance) in [(offset, 5.0), (perturbed, 9)] {
      let measured = values.reduce(0) { $0 + $1 * $1 } / n
      #expect(abs(measured - variance) < 4.9 * variance * (2 / n).squareRoot())
    }
  }

  @Test func `a shape without channels is refused`() async {
    await #expect(processExitsWith: .failure) {
      var noise = GaussianNoise(seed: 0)
      _ = noise.next(like: SampleBatch<Float>(zeros: [3]), offsetBy: 0.1)
    }
  }
}
