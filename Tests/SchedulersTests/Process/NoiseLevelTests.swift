import Schedulers
import Testing

@Suite struct NoiseLevelTests {
  @Test func `every name of a level follows from its pair`() {
    let level = NoiseLevel(signal: 0.75, noise: 1)
    #expect(level.sigma == 1 / 0.75)
    #expect(level.snr == 0.5625)
    #expect(isClose(level.lambda, -0.28768207245178085, relative: 4 * unit))  // ln(3/4)
    #expect(level.logSNR == 2 * level.lambda)
  }

  @Test func `clean data and pure noise have infinite ratios, not NaN`() {
    #expect(NoiseLevel.clean.sigma == 0)
    #expect(NoiseLevel.clean.snr == .infinity)
    #expect(NoiseLevel.clean.lambda == .infinity)
    let noise = NoiseLevel(signal: 0, noise: 1)
    #expect(noise.sigma == .infinity)
    #expect(noise.snr == 0)
    #expect(noise.lambda == -.infinity)
  }

  @Test func `lambda keeps its digits where signal and noise balance`() {
    // ln(1 + x) = x − x²/2 + x³/3 with x = 2⁻³⁰ exactly representable in the pair.
    let x = 0x1p-30
    let level = NoiseLevel(signal: 0.5 * (1 + x), noise: 0.5)
    #expect(isClose(level.lambda, x - x * x / 2 + x * x * x / 3, relative: 4 * unit))
  }

  @Test(arguments: [0, 1e-300, 1e-3, 0.5, 1, 2, 157.4, 1e200, .infinity])
  func `the variance-preserving level of a sigma has that sigma and unit power`(sigma: Double) {
    let level = NoiseLevel.variancePreserving(sigma: sigma)
    #expect(isClose(level.sigma, sigma, relative: 4 * unit))
    #expect(isClose(level.signal * level.signal + level.noise * level.noise, 1, relative: 6 * unit))
  }

  @Test func `scaling a level scales both factors and keeps sigma`() {
    let level = NoiseLevel(signal: 0.6, noise: 0.8)
    #expect(level.scaled(by: 0.5) == NoiseLevel(signal: 0.3, noise: 0.4))
    #expect(level.scaled(by: 1) == level)
    #expect(level.scaled(by: 2) == NoiseLevel(signal: 1.2, noise: 1.6))
  }

  @Test func `mixing is the forward process`() {
    let mixed = NoiseLevel(signal: 0.5, noise: 2).mix([1.0, -2.0], with: [3.0, 0.25])
    #expect(mixed == [6.5, -0.5])
  }

  @Test func `a level that is not one is refused with its values`() async {
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: .nan, noise: 1) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: 1, noise: -0.1) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: 0, noise: 0) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: .infinity, noise: 0) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel.variancePreserving(sigma: -1) }
  }
}
