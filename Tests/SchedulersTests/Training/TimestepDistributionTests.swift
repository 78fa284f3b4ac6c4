import SchedulersFixtures
import Testing

@testable import Schedulers

@Suite struct TimestepDistributionTests {
  private static let known = Result { try Safetensors("timestep-sampling.safetensors") }

  private static func schedule(_ name: String) throws -> NoiseSchedule {
    switch name {
    case "cosine/10": try NoiseSchedule(.cosine(), timesteps: 10)
    case "cosine/10/zero": try NoiseSchedule(.cosine(), timesteps: 10).rescaledToZeroTerminalSNR()
    default: try NoiseSchedule(.linear(), timesteps: 300)
    }
  }

  @Test(arguments: [(0.0, 1.0), (-0.75, 0.5), (1.5, 2)], [1, 10, 1000])
  func `logit-normal probabilities are those of 50-digit arithmetic`(law: (Double, Double), count: Int) throws {
    let expected = try Self.known.get().doubles("logit-normal/\(count)/\(law.0)/\(law.1)")
    let distribution = try TimestepDistribution.logitNormal(timesteps: count, mean: law.0, deviation: law.1)
    try compare(distribution, with: expected)
  }

  @Test(arguments: [("cosine/10", -1.2, 1.2), ("cosine/10/zero", -1.2, 1.2), ("linear/300", 0.5, 0.9)])
  func `log-normal probabilities are those of 50-digit arithmetic`(name: String, mean: Double, deviation: Double) throws
  {
    let expected = try Self.known.get().doubles("log-normal/\(name)/\(mean)/\(deviation)")
    let law = try LogNormalSigma(mean: mean, deviation: deviation)
    let distribution = try TimestepDistribution.logNormal(law, over: Self.schedule(name))
    try compare(distribution, with: expected)
    #expect(law.mean == mean && law.deviation == deviation)
  }

  /// The documented accuracy. A bound z has a relative error of about 4 units, which is 4·|z|·φ(z)
  /// < 1 units of Φ; erfc has another 4 units of at most 1/2; so a difference of two is within 6
  /// units, and the division by their sum, 1 to T units of a small p, keeps it below 8 units =
  /// 2⁻⁵⁰.
  private func compare(_ distribution: TimestepDistribution, with expected: [Double]) throws {
    try #require(distribution.probabilities.count == expected.count)
    #expect(distribution.weights.allSatisfy { $0 == 1 })
    let worst = zip(distribution.probabilities, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst <= 0x1p-50)
    let tail = zip(distribution.probabilities, expected).filter { $0.1 < 1e-5 && $0.1 > 1e-30 }
    // In the tails the error is relative to the tail: a relative error of z is magnified z² times,
    // and z² < 140 above 1e-30.
    #expect(tail.allSatisfy { isClose($0.0, $0.1, relative: 8 * 140 * 8 * unit) })
    Comparisons.count(expected.count)
  }

  @Test func `the cell of a logit-normal timestep is that of the time it is the floor of`() throws {
    var generator = PhiloxGenerator(seed: 5)
    var copy = generator
    let (law, count) = (try LogNormalSigma(mean: 0.4, deviation: 1.3), 50)
    let sigmas = law.draw(count: 500, using: &generator)
    let draws = try TimestepDistribution.logitNormal(timesteps: count, mean: 0.4, deviation: 1.3).draw(
      count: 500, using: &copy)
    #expect(sigmas.map { Int(Double(count) * $0 / (1 + $0)) } == draws.map(\.timestep))
  }

  @Test func `the cell of a log-normal timestep holds the sigmas that it is nearest to`() throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 300)
    let law = try LogNormalSigma(mean: -0.5, deviation: 1.2)
    var generator = PhiloxGenerator(seed: 6)
    var copy = generator
    let draws = try TimestepDistribution.logNormal(law, over: schedule).draw(count: 500, using: &copy)
    for (sigma, draw) in zip(law.draw(count: 500, using: &generator), draws) {
      func distance(_ t: Int) -> Double { abs(Math.log(schedule[t].sigma) - Math.log(sigma)) }
      let nearest = (0..<300).min { distance($0) < distance($1) }
      #expect(draw.timestep == nearest)
    }
  }

  @Test func `a log-normal that passes the noisiest timestep ends there, and never at one without signal`() throws {
    let law = try LogNormalSigma(mean: 30, deviation: 1)
    let zero = try Self.schedule("cosine/10/zero")
    for (schedule, last) in [(try Self.schedule("cosine/10"), 9), (zero, 8)] {
      let probabilities = try TimestepDistribution.logNormal(law, over: schedule).probabilities
      #expect(probabilities[last] == 1)
      // The noisiest sigmas are below exp(10), 20 deviations below the mean.
      #expect(probabilities.enumerated().allSatisfy { $0 == last || $1 < 1e-80 })
    }
    #expect(try TimestepDistribution.logNormal(law, over: zero).probabilities[9] == 0)
    var generator = PhiloxGenerator(seed: 0)
    let draws = try TimestepDistribution.logNormal(law, over: zero).draw(count: 20, using: &generator)
    #expect(draws.allSatisfy { $0 == TimestepDraw(timestep: 8, weight: 1) })
  }

  @Test func `normal quantiles and sigmas are within their documented error`() throws {
    let known = try Self.known.get()
    let shares = try known.doubles("normal.u")
    for (u, z) in zip(shares, try known.doubles("normal.z")) { #expect(abs(StandardNormal.quantile(u) - z) <= 0x1p-48) }
    for (mean, deviation) in [(-1.2, 1.2), (0, 1), (-0.75, 0.5), (1.5, 2)] {
      let law = try LogNormalSigma(mean: mean, deviation: deviation)
      for (u, sigma) in zip(shares, try known.doubles("sigma/\(mean)/\(deviation)")) {
        // ln σ is a product and a sum of numbers below 32; exp adds a unit of its own and one of
        // the expected value's.
        let bound = deviation * 0x1p-48 + (2 * 32 + 3) * unit
        #expect(isClose(law.sigma(at: u), sigma, relative: bound))
      }
    }
  }

  @Test func `the quantile undoes the distribution function all over its range`() {
    for k in 1..<2000 {
      let u = Double(k) / 2000
      // The quantile's error times the density, at most 0.4, and the 4 units of erfc.
      #expect(abs(StandardNormal.below(StandardNormal.quantile(u)) - u) <= 0.4 * 0x1p-48 + 4 * unit)
    }
  }

  @Test func `a draw is the first timestep whose cumulative probability passes the uniform number`() throws {
    let distribution = try TimestepDistribution(proportionalTo: [1, 0, 3, 4, 0], weighting: .none)
    #expect(distribution.probabilities == [0.125, 0, 0.375, 0.5, 0])
    let draws = [0, 0.1249, 0.125, 0.4999, 0.5, 1].map { distribution.draw(at: $0).timestep }
    #expect(draws == [0, 0, 2, 2, 3, 3])
  }

  @Test func `what is left out is what the papers have`() throws {
    #expect(try TimestepDistribution.uniform(timesteps: 1).probabilities == [1])
    #expect(try LogNormalSigma() == LogNormalSigma(mean: -1.2, deviation: 1.2))
    #expect(
      try TimestepDistribution.logitNormal(timesteps: 7)
        == .logitNormal(timesteps: 7, mean: 0, deviation: 1, weighting: .none))
  }

  @Test func `what is no distribution is refused by name`() throws {
    func error(_ make: () throws -> some Any) -> TimestepSamplingError? {
      do { _ = try make() } catch { return error as? TimestepSamplingError }
      return nil
    }
    #expect(error { try TimestepDistribution(proportionalTo: []) } == .timesteps(0))
    #expect(error { try TimestepDistribution.uniform(timesteps: 0) } == .timesteps(0))
    #expect(error { try TimestepDistribution.uniform(timesteps: -3) } == .timesteps(-3))
    #expect(error { try TimestepDistribution.logitNormal(timesteps: 0) } == .timesteps(0))
    #expect(error { try TimestepDistribution.logitNormal(timesteps: -1) } == .timesteps(-1))
    #expect(error { try TimestepDistribution(proportionalTo: [1, -1]) } == .share(-1, timestep: 1))
    #expect(error { try TimestepDistribution(proportionalTo: [.infinity]) } == .share(.infinity, timestep: 0))
    #expect(error { try TimestepDistribution(proportionalTo: [0, 0], weighting: .none) } == .total(0))
    #expect(error { try TimestepDistribution(proportionalTo: [1e308, 1e308]) } == .total(.infinity))
    #expect(error { try TimestepDistribution(proportionalTo: [1, 0]) } == .impossible(timestep: 1))
    #expect(
      error { try TimestepDistribution(proportionalTo: [1, .leastNonzeroMagnitude]) } == .impossible(timestep: 1))
    #expect(
      error { try TimestepDistribution.logitNormal(timesteps: 9, deviation: 1e-3, weighting: .unbiased) }
        == .impossible(timestep: 0))
    #expect(error { try LogNormalSigma(deviation: 0) } == .parameter("deviation", 0, allowed: "above 0 and at most 80"))
    guard case .parameter("mean", 700, let allowed) = error({ try LogNormalSigma(mean: 700, deviation: 1) }) else {
      Issue.record("a mean that lets sigma overflow was taken")
      return
    }
    #expect(allowed == "in -691.7 ... 691.7 at a deviation of 1")
    for value in [Double.nan, .infinity, -.infinity] {
      #expect(throws: TimestepSamplingError.self) { try TimestepDistribution(proportionalTo: [value]) }
      #expect(throws: TimestepSamplingError.self) { try LogNormalSigma(mean: value) }
      #expect(throws: TimestepSamplingError.self) { try LogNormalSigma(deviation: value) }
    }
    let message = TimestepSamplingError.share(.nan, timestep: 4).description
    #expect(message == "the share nan of timestep 4 must be finite and 0 or more")
  }

  @Test func `the widest and the furthest laws keep their sigmas positive and finite`() throws {
    for (mean, deviation) in [(691.7, 1.0), (-691.7, 1.0), (36.0, 80.0), (-36.0, 80.0)] {
      let law = try LogNormalSigma(mean: mean, deviation: deviation)
      #expect(law.sigma(at: 0x1p-53) > 0)
      #expect(law.sigma(at: 1 - 0x1p-53).isFinite)
    }
  }
}
