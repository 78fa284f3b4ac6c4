import SchedulersFixtures
import Testing

@testable import Schedulers

/// Sigmas to train at. `Fixtures/recipes/training_laws.py` made the numbers.
@Suite struct SigmaDistributionTests {
  private static let known = Result { try Safetensors("training-laws.safetensors") }

  private func compare(_ law: some SigmaDistribution, _ name: String, within bound: Double) throws {
    let known = try Self.known.get()
    let expected = try known.doubles("sigma/\(name)")
    for (u, sigma) in zip(try known.doubles("u"), expected) {
      #expect(isClose(law.sigma(at: u), sigma, relative: bound), "\(name) at \(u): \(law.sigma(at: u)), \(sigma)")
    }
    Comparisons.count(expected.count)
  }

  @Test func `sigmas are those of 50-digit arithmetic, to the documented accuracy`() throws {
    // The documented error of ln σ, and a unit each of the exponential and of the expected value.
    try compare(try LogUniformSigma(0.01...80), "log-uniform", within: 0x1p-51 * Math.log(100) + 2 * unit)
    let logistic = try LogLogisticSigma(location: -1.2, scale: 1.2)
    try compare(logistic, "log-logistic", within: 0x1p-51 * (1.2 + 37 * 1.2) + 2 * unit)
    // F at a bound σ is off by 3 units of |ln σ − location|/scale < 3, and 4 of its own.
    let cut = try LogLogisticSigma(location: 0.5, scale: 0.8, range: 0.25...16)
    try compare(cut, "log-logistic/cut", within: 2 * 13 * unit + 16 * unit)
    let cosine = try CosineInterpolatedSigma(size: 256, noiseSizes: (32, 64), sigmaData: 0.5, range: 0.01...160)
    try compare(cosine, "cosine", within: 16 * 0x1p-52 + 2 * unit)
    try compare(try ModeSigma(), "mode/1.29", within: 16 * 0x1p-52)
    try compare(try ModeSigma(scale: -0.75), "mode/-0.75", within: 16 * 0x1p-52)
  }

  @Test func `training times are shifted as kohya's scripts shift them`() throws {
    let normal = try LogNormalSigma(mean: 0, deviation: 1)
    // ln σ below 8, of the normal quantile's documented error; then roundings of e^ln σ and s.
    let bound = 0x1p-48 + 24 * unit
    try compare(try ShiftedSigma(normal, shift: .fixed(3)), "shift", within: bound)
    let mu = DynamicShift.flux.mu(tokens: 1536 / 16 * (1024 / 16))
    try compare(try ShiftedSigma(normal, shift: .dynamic(.flux), mu: mu), "flux", within: bound)
    try compare(try LogNormalSigma.logSNR(mean: -6, deviation: 2), "logsnr", within: bound)
  }

  @Test func `a log-logistic sigma of scale 1 is a uniform time of rectified flow`() throws {
    let law = try LogLogisticSigma()
    for u in [0.125, 0.5, 0.75] {
      #expect(isClose(NoiseLevel.flow(sigma: law.sigma(at: u)).noise, u, relative: 16 * unit))
    }
    // A mode of scale 0 is that as well.
    for u in [0.125, 0.5, 0.75] { #expect(try ModeSigma(scale: 0).sigma(at: u) == u / (1 - u)) }
  }

  @Test func `every distribution grows with the share, and draws one number for each sigma`() throws {
    let normal = try LogNormalSigma()
    try check(normal)
    try check(LogUniformSigma(0.01...80))
    try check(LogLogisticSigma(range: 0.1...10))
    try check(CosineInterpolatedSigma(size: 512, noiseSizes: (32, 128)))
    for scale in [-1, 0.5, 2 / (Double.pi - 2)] { try check(ModeSigma(scale: scale)) }
    try check(ShiftedSigma(ModeSigma(), shift: .fixed(3)))
    #expect(
      try CosineInterpolatedSigma(size: 512, noiseSizes: (32, 128)).hashValue
        == CosineInterpolatedSigma(size: 512, noiseSizes: (32, 128)).hashValue)
    #expect(try LogLogisticSigma(range: 0.1...10) != LogLogisticSigma(range: 0.1...11))
    #expect(Set([try LogLogisticSigma(), try LogLogisticSigma(), try LogLogisticSigma(scale: 2)]).count == 2)
  }

  private func check(_ law: some SigmaDistribution) throws {
    let shares = (1..<200).map { Double($0) / 200 }
    let sigmas = shares.map { law.sigma(at: $0) }
    // Two shares of a mode at a bound of its range may give one sigma, but for rounding.
    #expect(zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 < $1 * (1 + 16 * unit) }, "\(law)")
    #expect(sigmas.allSatisfy { $0 > 0 && $0.isFinite })
    var (a, b) = (PhiloxGenerator(seed: 9), PhiloxGenerator(seed: 9))
    #expect(law.draw(count: 20, using: &a) == (0..<20).map { _ in law.sigma(at: b.uniform()) })
  }

  @Test func `a level of rectified flow has t for its noise`() async {
    #expect(NoiseLevel.flow(sigma: 3) == NoiseLevel(signal: 0.25, noise: 0.75))
    #expect(NoiseLevel.flow(sigma: 0) == .clean)
    await #expect(processExitsWith: .failure) { _ = NoiseLevel.flow(sigma: .infinity) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel.flow(sigma: -1) }
  }

  @Test func `parameters that make no distribution are refused by name`() throws {
    func refusal(_ make: () throws(TimestepSamplingError) -> some SigmaDistribution) -> String {
      do { return "\(try make())" } catch { return "\(error)" }
    }
    #expect(
      refusal { () throws(TimestepSamplingError) in try LogUniformSigma(0...1) }
        == "the smallest sigma 0 must be above 0")
    #expect(
      refusal { () throws(TimestepSamplingError) in try LogUniformSigma(2...2) }
        == "the largest sigma 2 must be finite and above the smallest, 2")
    #expect(
      refusal { () throws(TimestepSamplingError) in try LogLogisticSigma(scale: 0) }
        == "scale 0 must be above 0 and at most 18")
    #expect(
      refusal { () throws(TimestepSamplingError) in try LogLogisticSigma(location: 700) }
        == "location 700 must be in -663.0 ... 663.0 at a scale of 1")
    #expect(
      refusal { () throws(TimestepSamplingError) in try LogLogisticSigma(range: -1...1) }
        == "the smallest sigma -1 must be 0 or more")
    #expect(
      refusal { () throws(TimestepSamplingError) in try LogLogisticSigma(range: 1...1) }
        == "the largest sigma 1 must be such that sigmas are drawn between the smallest, 1, and it")
    #expect(
      refusal { () throws(TimestepSamplingError) in try CosineInterpolatedSigma(size: 0, noiseSizes: (1, 2)) }
        == "size 0 must be above 0 and finite")
    #expect(
      refusal { () throws(TimestepSamplingError) in try ModeSigma(scale: 1.8) }.hasPrefix("scale 1.8 must be in -1"))
    #expect(throws: GridError.self) { try ShiftedSigma(LogNormalSigma(), shift: .fixed(0)) }
  }
}
