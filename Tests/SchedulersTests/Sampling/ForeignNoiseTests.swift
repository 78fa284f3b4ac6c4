import Testing

@testable import Schedulers

/// Runs on tensors whose scalars nobody can set: their noise comes from closures.
@Suite struct ForeignNoiseTests {
  /// A tensor that gives nothing away.
  private struct Hidden: LinearSpace, Equatable {
    fileprivate let values: [Double]

    static func combination(_ terms: [(coefficient: Double, value: Hidden)]) -> Hidden {
      Hidden(values: .combination(terms.map { ($0.coefficient, $0.value.values) }))
    }
  }

  /// Draws as a library does that makes its own noise, and remembers for which steps.
  private struct Device {
    var source = GaussianNoise(seed: 9)
    var told: [[Double]] = []

    mutating func draw(_ shapeOf: Hidden, _ from: Double, _ to: Double) -> Hidden {
      told.append([from, to])
      return Hidden(values: source.next(like: shapeOf.values))
    }
  }

  private static let grid = try! SamplingGrid(
    NoiseSchedule(.cosine(), timesteps: 100), steps: 8, spacing: TimestepSpacing.trailing)
  private let start = [0.3, -1.7, 0.9, 2.2]

  private func network(_ x: [Double], _ query: SamplingPlan.Query) -> [Double] {
    x.map { $0 / (1 + $0.magnitude) + 0.01 * query.timestep / 100 }
  }

  private func network(_ x: Hidden, _ query: SamplingPlan.Query) -> Hidden { Hidden(values: network(x.values, query)) }

  @Test(arguments: SamplerCatalog.stochastic)
  func `a run with a closure's noise is the run that passes the same by hand`(entry: SamplerCatalog.Entry) async throws
  {
    let plan = try entry.sampler.plan(over: Self.grid, predicting: .v)
    var (source, device, other) = (GaussianNoise(seed: 9), Device(), Device())
    var run = SamplingRun(plan, from: Hidden(values: start))
    while let query = run.query {
      let noise = run.needsNoise ? Hidden(values: source.next(like: start)) : nil
      run.advance(output: network(run.input, query), noise: noise)
    }
    let end = plan.sample(from: Hidden(values: start), noise: { device.draw($0, $1, $2) }, model: network)
    #expect(end == run.sample && device.source.draws == source.draws)
    let stepsWithNoise = plan.steps.filter { $0.next.noise != 0 }
    #expect(device.told == stepsWithNoise.map { [$0.query.level.sigma, $0.arrival.sigma] })

    let waiting = await plan.sample(
      from: Hidden(values: start),
      noise: { x, from, to in
        await Task.yield()
        return other.draw(x, from, to)
      }, model: network)
    #expect(waiting == end && other.told == device.told)
  }

  @Test func `every form of such a run ends at the same sample`() async throws {
    let plan = try DDPM().plan(over: Self.grid, predicting: .v)
    let start = Hidden(values: start)
    var device = Device()
    var steps = 0
    let end = plan.sample(from: start, noise: { device.draw($0, $1, $2) }, model: network)
    device = Device()
    #expect(
      plan.sample(from: start, noise: { device.draw($0, $1, $2) }, model: network, onStep: { _ in steps += 1 }) == end)
    device = Device()
    #expect(
      plan.sample(from: start, noise: { device.draw($0, $1, $2) }, model: network, guidance: { _, _ in nil }) == end)
    device = Device()
    #expect(
      plan.sample(from: start, noise: { device.draw($0, $1, $2) }) {
        network($0, $1)
      } onStep: {
        steps += $0.denoised == nil ? 0 : 1
      } guidance: { x, _ in
        .mean(x, scale: 0)
      } == end)
    func suspended(_ x: Hidden, _ query: SamplingPlan.Query) async -> Hidden { network(x, query) }
    device = Device()
    #expect(
      await plan.sample(from: start, noise: { device.draw($0, $1, $2) }, model: suspended, onStep: { _ in steps += 1 })
        == end)
    device = Device()
    #expect(
      await plan.sample(from: start, noise: { device.draw($0, $1, $2) }, model: suspended, guidance: { _, _ in nil })
        == end)
    device = Device()
    #expect(
      await plan.sample(
        from: start, noise: { device.draw($0, $1, $2) }, model: suspended, onStep: { _ in steps += 1 },
        guidance: { _, _ in nil }) == end)
    #expect(steps == 4 * plan.steps.count)
    struct Exhausted: Error {}
    #expect(throws: Exhausted.self) {
      try plan.sample(from: start, noise: { _, _, _ in throw Exhausted() }, model: network)
    }
  }

  @Test func `a plan that draws nothing asks for no noise`() throws {
    let plan = try DDIM().plan(over: Self.grid, predicting: .v)
    let end = plan.sample(from: Hidden(values: start), noise: { _, _, _ in fatalError() }, model: network)
    #expect(end == plan.sample(from: Hidden(values: start), model: network))
  }

  @Test func `a Brownian path of a closure's normals is that of the same normals in scalars`() {
    var brownian = BrownianNoise(seed: 3)
    var asked: [UInt64: Int] = [:]
    func normals(_ key: UInt64) -> Hidden {
      asked[key, default: 0] += 1
      var noise = GaussianNoise(seed: key)
      return Hidden(values: noise.next(like: start))
    }
    for (from, to) in [(14.6, 2), (2, 0.5), (0.5, 0.03), (0.03, 0), (0.7, 0.7)] as [(Double, Double)] {
      // The same sums in the same order.
      let drawn = brownian.next(from: from, to: to, normals: normals)
      #expect(drawn.values == brownian.next(like: start, from: from, to: to))
      let increment = brownian.increment(from: from, to: to, normals: normals)
      #expect(increment.values == brownian.increment(like: start, from: from, to: to))
    }
    // Increments that meet add up: a hundred terms with a rounding each, of numbers below 8 times
    // the root of the time.
    let whole = brownian.increment(from: 14.6, to: 0.5, normals: normals).values
    let parts = [(14.6, 2), (2, 0.5)].map { brownian.increment(from: $0.0, to: $0.1, normals: normals).values }
    for i in start.indices { #expect(abs(whole[i] - parts[0][i] - parts[1][i]) <= 300 * unit * 8 * 14.6.squareRoot()) }
    #expect(asked.values.contains { $0 > 1 })
  }

  @Test func `offset noise and input perturbation are those of a source`() {
    var (drawn, same) = (GaussianNoise(seed: 4), GaussianNoise(seed: 4))
    let like = SampleBatch<Double>(zeros: [2, 3, 2, 2])
    let epsilon = Hidden(values: drawn.next(like: like).scalars)
    let perChannel = drawn.next(like: SampleBatch<Double>(zeros: [2, 3])).scalars.flatMap {
      repeatElement($0, count: 4)
    }
    #expect(
      epsilon.offset(by: 0.1, perChannel: Hidden(values: perChannel)).values
        == same.next(like: like, offsetBy: 0.1).scalars)
    let (z, other) = (drawn.next(like: like), same.perturbing(like, by: 0.5))
    #expect(Hidden(values: like.scalars).perturbed(by: 0.5, with: Hidden(values: z.scalars)).values == other.scalars)
  }
}
