import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

@testable import DigitsModel

@Suite struct `The denoiser of digits` {
  static let network = Network<Float>(
    Architecture(hidden: 40, blocks: 2),
    parameters: {
      let count = Architecture(hidden: 40, blocks: 2).count
      return `The gradient of the network`.normals(count, seed: 9).map { 0.2 * Float($0) }
    }())
  let query = SamplingPlan.Query(timestep: 321, level: NoiseLevel(signal: 0.6, noise: 0.8))

  func batch(_ count: Int) -> SampleBatch<Double> {
    SampleBatch(shape: [count, 1, 8, 8], scalars: `The gradient of the network`.normals(count * 64, seed: 7))
  }

  @Test func `answers a sample alike whatever the batch and the position`() {
    let denoiser = DigitsDenoiser<Double>(Self.network, predicting: .v, label: 4)
    let whole = denoiser(batch(37), query)
    for n in 0..<37 {
      let alone = denoiser(batch(37)[n], query)
      #expect(alone == whole[n], "sample \(n)")
    }
  }

  @Test func `is told the class and the timestep`() {
    let x = batch(2)
    let answers = [nil, 0, 9].map { DigitsDenoiser<Double>(Self.network, predicting: .v, label: $0)(x, query).scalars }
    #expect(Set(answers).count == 3)
    let later = SamplingPlan.Query(timestep: 322, level: query.level)
    #expect(DigitsDenoiser<Double>(Self.network, predicting: .v)(x, later).scalars != answers[0])
    #expect(DigitsDenoiser<Double>(Self.network, predicting: .epsilon).prediction == .epsilon)
  }

  @Test func `answers with two channels if it learns its variance, and is sampled from`() throws {
    let network = Network<Float>(Architecture(hidden: 8, blocks: 1, learnsVariance: true), seed: 1)
    let denoiser = DigitsDenoiser<Float>(network, predicting: .v)
    let start = SampleBatch<Float>(zeros: [3, 1, 8, 8])
    #expect(denoiser(start, query).shape == [3, 2, 8, 8])
    let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 100), steps: 3, spacing: .trailing)
    let plan = try DDIM().plan(over: grid, predicting: .v, learnsVariance: true)
    #expect(plan.sample(from: start, model: denoiser.callAsFunction).shape == [3, 1, 8, 8])
  }

  @Test func `first says 0, and has the parameters of its seed`() {
    let architecture = Architecture(hidden: 16, blocks: 1)
    let network = Network<Float>(architecture, seed: 5)
    #expect(
      network.run([Float](repeating: 0.5, count: 64), timesteps: [3], labels: [nil]).output.allSatisfy { $0 == 0 })
    #expect(network == Network<Float>(architecture, seed: 5))
    #expect(network != Network<Float>(architecture, seed: 6))
    let weights = network.parameters[architecture.parameters[0].range]
    let variance = weights.reduce(0) { $0 + Double($1) * Double($1) } / Double(weights.count)
    // 1,024 squares of variance 2/64² have a mean within 5 deviations of 1/64.
    #expect(abs(variance * 64 - 1) < 5 * (2.0 / 1024).squareRoot())
  }

  @Test func `names its parameters as PyTorch does and leaves no gap`() {
    let architecture = Architecture(hidden: 16, blocks: 2, learnsVariance: true)
    let names = architecture.parameters.map(\.name)
    #expect(
      Set(names).isSuperset(of: ["input.weight", "time.2.bias", "labels.weight", "blocks.1.down.weight", "output.bias"])
    )
    #expect(architecture.parameters.first { $0.name == "output.weight" }?.shape == [128, 16])
    var end = 0
    for parameter in architecture.parameters {
      #expect(parameter.range.lowerBound == end)
      end = parameter.range.upperBound
    }
    #expect(architecture.count == end)
  }
}

@Suite struct `What a training step is made of` {
  @Test func `the exponential in Float is within 1.5e-7 of libm's in Double, and stays finite beyond`() {
    // r is known within 2⁻²⁶ and k·2.1e-4·2⁻²⁴ < 2e-9; the last sum rounds by 2⁻²⁴ at 1 and more,
    // the product before it by 2⁻²⁶ and what it multiplies by |r|·2⁻²⁴; the series ends at 6e-9:
    // 1.3e-7 in all.
    var worst = 0.0
    for i in -87_000...88_000 {
      let x = Float(i) / 1000
      worst = max(worst, abs(Double(Float.exponential(x)) / Math.exp(Double(x)) - 1))
    }
    #expect(worst <= 1.5e-7)
    #expect(Float.exponential(0) == 1)
    #expect(
      Float.exponential(-.infinity) == Float.exponential(-87) && Float.exponential(.infinity) == Float.exponential(88))
    #expect(Float.exponential(.nan).isNaN)
    #expect(Double.exponential(-1.25) == Math.exp(-1.25))
  }

  @Test(arguments: [0, 1, 7, 8, 9, 23])
  func `the norm of a gradient counts every value once`(count: Int) {
    // Squares of whole numbers are exact: n(n + 1)(2n + 1)/6.
    let sum = Double(count * (count + 1) * (2 * count + 1) / 6)
    #expect(GradientClipping.norm(of: (0..<count).map { Float($0 + 1) }) == sum.squareRoot())
    #expect(GradientClipping.norm(of: (0..<count).map { -Double($0 + 1) }) == sum.squareRoot())
  }
}

@Suite struct `The Fréchet distance` {
  let digits: Digits
  var kept: [[Double]] { stride(from: 1, to: 1797, by: 2).map { digits.images[$0] } }
  var other: [[Double]] { stride(from: 0, to: 1797, by: 2).map { digits.images[$0] } }

  init() throws { digits = try Digits() }

  @Test func `is that of 40-digit arithmetic, and tells blurred, noisy and faded digits from real ones`() throws {
    let golden = try Safetensors("frechet.safetensors")
    let blurred = other.map { image in
      (0..<64).map { (k: Int) -> Double in (image[k] + image[k % 8 == 7 ? k - 7 : k + 1]) / 2 }
    }
    let noisy = other.enumerated().map { n, image in
      image.enumerated().map { (k: Int, value: Double) -> Double in
        value + 0.5 * (Double((37 * n + 17 * k) % 11) / 5 - 1)
      }
    }
    let scaled = other.map { image in image.map { 0.9 * $0 } }
    let changed = ["half": other, "same": kept, "blurred": blurred, "noisy": noisy, "scaled": scaled]
    let distance = try FrechetDistance(from: kept)
    var found: [String: Double] = [:]
    for (name, images) in changed {
      let value = try distance(to: images)
      let expected = try golden.doubles(name)[0]
      // Pixels that are paper in all digits leave eigenvalues of 0, known within 64·2⁻⁵²·λ², λ² <
      // 50, whose roots are within 1e-6.
      #expect(abs(value - expected) <= 1e-5, "\(name): \(value), \(expected)")
      found[name] = value
    }
    let half = try #require(found["half"])
    for name in ["blurred", "noisy", "scaled"] { #expect(try #require(found[name]) > 2 * half) }
  }
}

@Suite struct `Nearest neighbours` {
  @Test func `are sorted by distance, and vote`() {
    let space = NearestNeighbours([[0, 0], [3, 4], [1, 0], [0, 2], [9, 9]], labels: [0, 1, 2, 2, 1])
    let near = space.nearest(to: [0, 0], count: 4)
    #expect(near.map(\.index) == [0, 2, 3, 1])
    #expect(near.map(\.distance) == [0, 1, 2, 5])
    #expect(space.label(of: [0, 0], k: 1) == 0)
    #expect(space.label(of: [0, 0], k: 3) == 2)
    // One vote each: the nearest decides.
    #expect(space.label(of: [8, 8], k: 2) == 1)
    // Of equally near ones the first.
    #expect(
      NearestNeighbours([[2], [1], [-1], [1]], labels: [0, 0, 0, 0]).nearest(to: [0], count: 2).map(\.index) == [1, 2])
    #expect(space.accuracy(on: [[0, 0], [9, 9]], labels: [2, 0]) == 0.5)
  }
}
