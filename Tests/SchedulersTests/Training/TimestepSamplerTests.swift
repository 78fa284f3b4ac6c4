import Schedulers
import Testing

@Suite struct TimestepSamplerTests {
  private static let count = 40

  private static func warmedUp() throws -> LossSecondMoment {
    var sampler = try LossSecondMoment(timesteps: count, historyLength: 2, uniformProbability: 0.1)
    for t in 0..<count {
      let losses = [1.0, 2].map { TimestepLoss(timestep: t, loss: $0 * Double(1 + t * t)) }
      try sampler.update(with: losses)
    }
    return sampler
  }

  /// Every way to draw that keeps the objective.
  private static func unbiased() throws -> [any TimestepSampler] {
    let schedule = try NoiseSchedule(.linear(), timesteps: count)
    let logNormal = try TimestepDistribution.logNormal(
      LogNormalSigma(mean: -2, deviation: 2), over: schedule, weighting: .unbiased)
    let plain: [any TimestepSampler] = [
      try TimestepDistribution.uniform(timesteps: count), logNormal, try warmedUp(),
      try TimestepDistribution.logitNormal(timesteps: count, mean: 0.5, weighting: .unbiased),
      try LossSecondMoment(timesteps: count),
    ]
    return plain + [Stratified(logNormal), Stratified(try warmedUp())]
  }

  /// Something that is neither even nor monotone.
  private func f(_ t: Int) -> Double { Double((t * 17 + 5) % 23) - 4 }

  private var uniformMean: Double { (0..<Self.count).reduce(0) { $0 + f($1) } / Double(Self.count) }

  @Test func `the expectation of a weighted function is its uniform mean`() throws {
    for sampler in try Self.unbiased() {
      let distribution = sampler.distribution
      let terms = zip(distribution.probabilities, distribution.weights).enumerated().map { $1.0 * $1.1 * f($0) }
      // Each term is off by 4 units of at most 18/T, and each sum by one.
      #expect(abs(terms.reduce(0, +) - uniformMean) <= Double(Self.count) * 5 * 18 * unit)
      #expect(isClose(distribution.probabilities.reduce(0, +), 1, relative: Double(Self.count) * unit))
    }
  }

  @Test func `the mean of many draws is the uniform mean`() throws {
    for (k, sampler) in try Self.unbiased().enumerated() {
      var generator = PhiloxGenerator(seed: 2026, stream: UInt64(k))
      let draws = (0..<100).flatMap { _ in sampler.draw(count: 400, using: &generator) }
      let values = draws.map { $0.weight * f($0.timestep) }
      let n = Double(values.count)
      let mean = values.reduce(0, +) / n
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
      // What a normal number exceeds once in a million; stratified draws vary less.
      #expect(abs(mean - uniformMean) < 4.9 * (variance / n).squareRoot(), "sampler \(k)")
    }
  }

  @Test func `weights of 1 change the objective to the mean over the distribution`() throws {
    let distribution = try TimestepDistribution(proportionalTo: [1, 3], weighting: .none)
    #expect(distribution.weights == [1, 1])
    #expect(try TimestepDistribution(proportionalTo: [1, 3]).weights == [2, 1 / 1.5])
    var generator = PhiloxGenerator(seed: 3)
    let draws = distribution.draw(count: 10_000, using: &generator)
    #expect(draws.allSatisfy { $0.weight == 1 })
    // A share of 3/4: 4.9 standard errors √(10000·3/16) = 43.3.
    #expect(abs(draws.count { $0.timestep == 1 } - 7500) < 212)
  }

  @Test func `draws come up as often as their probabilities`() throws {
    let sampler = try Self.warmedUp()
    var generator = SplitMix64(seed: 4)
    let n = 100_000.0
    let draws = sampler.draw(count: Int(n), using: &generator)
    let counts = draws.reduce(into: [Double](repeating: 0, count: Self.count)) { $0[$1.timestep] += 1 }
    let chiSquare = zip(counts, sampler.distribution.probabilities).reduce(0) {
      $0 + ($1.0 - n * $1.1) * ($1.0 - n * $1.1) / (n * $1.1)
    }
    // Chi-square with 39 degrees of freedom passes 103 once in ten million.
    #expect(chiSquare < 103)
  }

  @Test(arguments: [1, 2, 7, 40, 400, 1000]) func `stratified draws come up as often as they should within 2`(
    count: Int
  ) throws {
    for base in [try TimestepDistribution.logitNormal(timesteps: Self.count), try .uniform(timesteps: Self.count)] {
      var generator = PhiloxGenerator(seed: 8, stream: UInt64(count))
      let draws = Stratified(base).draw(count: count, using: &generator)
      #expect(draws.count == count)
      #expect(zip(draws, draws.dropFirst()).allSatisfy { $0.timestep <= $1.timestep })
      for (t, p) in base.probabilities.enumerated() {
        let times = Double(draws.count { $0.timestep == t })
        #expect(abs(times - Double(count) * p) < 2)
      }
    }
  }

  @Test func `as many stratified draws as timesteps are every timestep once`() throws {
    var generator = PhiloxGenerator(seed: 1)
    let sampler = Stratified(try TimestepDistribution.uniform(timesteps: 1000))
    #expect(sampler.draw(count: 1000, using: &generator).map(\.timestep) == Array(0..<1000))
    #expect(sampler.distribution.weights == Array(repeating: 1, count: 1000))
    // The last slice's end rounds to 1.
    var last = Replay(words: [.max, .max, .max])
    #expect(sampler.draw(count: 3, using: &last).map(\.timestep) == [333, 666, 999])
  }

  @Test func `the same generator gives the same draws, each for one number`() throws {
    for sampler in try Self.unbiased() {
      var generator = PhiloxGenerator(seed: 9)
      var copy = generator
      #expect(sampler.draw(count: 5, using: &generator) == sampler.draw(count: 5, using: &copy))
      #expect(generator.position == 5)
      #expect(sampler.draw(count: 0, using: &generator).isEmpty)
    }
    var generator = PhiloxGenerator(seed: 9)
    #expect(try LogNormalSigma().draw(count: 0, using: &generator).isEmpty)
    #expect(try LogNormalSigma().draw(count: 3, using: &generator).count == 3)
    #expect(generator.position == 3)
  }

  @Test func `fewer than no draws are refused`() async {
    await #expect(processExitsWith: .failure) {
      var generator = PhiloxGenerator(seed: 0)
      _ = try TimestepDistribution.uniform(timesteps: 2).draw(count: -1, using: &generator)
    }
    await #expect(processExitsWith: .failure) {
      var generator = PhiloxGenerator(seed: 0)
      _ = Stratified(try TimestepDistribution.uniform(timesteps: 2)).draw(count: -1, using: &generator)
    }
    await #expect(processExitsWith: .failure) {
      var generator = PhiloxGenerator(seed: 0)
      _ = try LogNormalSigma().draw(count: -1, using: &generator)
    }
  }
}
