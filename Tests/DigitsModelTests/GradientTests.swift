import Schedulers
import Testing

@testable import DigitsModel

@Suite struct `The gradient of the network` {
  static func normals(_ count: Int, seed: UInt64) -> [Double] {
    var noise = GaussianNoise(seed: seed)
    return noise.next(like: SampleBatch<Double>(zeros: [1, count])).scalars
  }

  /// A network of random parameters, none of which is 0.
  static func network(learnsVariance: Bool = false) -> Network<Double> {
    let architecture = Architecture(hidden: 6, blocks: 2, frequencies: 4, learnsVariance: learnsVariance)
    return Network(architecture, parameters: normals(architecture.count, seed: 1).map { 0.3 * $0 })
  }

  let timesteps = [3.0, 700, 0]
  let labels: [Int?] = [2, nil, 2]
  let input = normals(3 * 64, seed: 2)

  /// Σ slope·output, a loss whose gradient with respect to the output is the slope.
  func loss(_ network: Network<Double>, slope: [Double]) -> Double {
    let output = network.run(input, timesteps: timesteps, labels: labels).output
    return zip(output, slope).reduce(0) { $0 + $1.0 * $1.1 }
  }

  @Test(arguments: [false, true])
  func `is that of central differences for every single parameter`(learnsVariance: Bool) {
    let network = Self.network(learnsVariance: learnsVariance)
    let slope = Self.normals(3 * network.architecture.outputs, seed: 3)
    var gradient = [Double](repeating: 0, count: network.parameters.count)
    network.addGradient(of: network.run(input, timesteps: timesteps, labels: labels), slope: slope, to: &gradient)
    let reference = abs(loss(network, slope: slope))
    // With h = 2⁻¹⁷, the differences of a loss of about 10² are wrong by 10²·2⁻⁵²/h·(some) =
    // 3e-9·(some) by rounding, and by h²/6 = 1e-11 times a third derivative, below 10³, by
    // truncation.
    let h = 0x1p-17
    let tolerance = 1e-7 * (1 + reference)
    var wrong: [String] = []
    for parameter in network.architecture.parameters {
      for i in parameter.range {
        var (above, below) = (network, network)
        above.parameters[i] += h
        below.parameters[i] -= h
        let difference = (loss(above, slope: slope) - loss(below, slope: slope)) / (2 * h)
        if !(abs(difference - gradient[i]) <= tolerance) {
          wrong.append("\(parameter.name)[\(i - parameter.range.lowerBound)]")
        }
      }
    }
    #expect(wrong == [])
    // No parameter is dead but the embeddings of classes that are not in the batch.
    let dead = gradient.indices.filter { gradient[$0] == 0 }
    #expect(dead.count == 9 * network.architecture.hidden)
  }

  @Test func `adds up over batches`() {
    let network = Self.network()
    let slope = Self.normals(3 * 64, seed: 3)
    var whole = [Double](repeating: 0, count: network.parameters.count)
    network.addGradient(of: network.run(input, timesteps: timesteps, labels: labels), slope: slope, to: &whole)
    var parts = [Double](repeating: 0, count: network.parameters.count)
    for n in 0..<3 {
      let tape = network.run(Array(input[n * 64..<(n + 1) * 64]), timesteps: [timesteps[n]], labels: [labels[n]])
      network.addGradient(of: tape, slope: Array(slope[n * 64..<(n + 1) * 64]), to: &parts)
    }
    // Sums of some hundred products in another order.
    for (a, b) in zip(whole, parts) { #expect(abs(a - b) <= 1e-12 * (1 + abs(a))) }
  }

  @Test(arguments: [63, 64, 101])
  func `has the same bits on one thread and on two, and is that of the samples one by one`(count: Int) {
    let network = Self.network()
    let (input, slope) = (Self.normals(count * 64, seed: 2), Self.normals(count * 64, seed: 3))
    let timesteps = (0..<count).map { Double($0 * 9) }
    let labels = (0..<count).map { $0 % 11 < 10 ? $0 % 11 : nil }
    func results(threads: Int) -> (output: [Double], gradient: [Double]) {
      let tape = network.run(input, timesteps: timesteps, labels: labels, threads: threads)
      var gradient = [Double](repeating: 0.5, count: network.parameters.count)
      network.addGradient(of: tape, slope: slope, to: &gradient)
      return (tape.output, gradient)
    }
    let (one, two) = (results(threads: 1), results(threads: 2))
    #expect(one.output == two.output && one.gradient == two.gradient)
    var gradient = [Double](repeating: 0.5, count: network.parameters.count)
    var output: [Double] = []
    for n in 0..<count {
      let row = n * 64..<(n + 1) * 64
      let tape = network.run(Array(input[row]), timesteps: [timesteps[n]], labels: [labels[n]])
      network.addGradient(of: tape, slope: Array(slope[row]), to: &gradient)
      output += tape.output
    }
    // Sums of up to some thousand products of size 10 at most, in another order.
    for (a, b) in zip(one.output, output) { #expect(abs(a - b) <= 1e-13 * (1 + abs(a))) }
    for (a, b) in zip(one.gradient, gradient) { #expect(abs(a - b) <= 1e-11 * (1 + abs(a))) }
  }

  @Test func `of the loss of every kind goes through the closed form`() throws {
    let network = Self.network(learnsVariance: true)
    let schedule = try NoiseSchedule(.cosine(), timesteps: 1000)
    let shape = [3, 1, 8, 8]
    let x0 = SampleBatch(
      shape: shape, scalars: Self.normals(3 * 64, seed: 4).map { max(-1, min(1, ($0 * 8).rounded() / 8)) })
    let epsilon = SampleBatch(shape: shape, scalars: Self.normals(3 * 64, seed: 5))
    let steps = timesteps.map { Int($0) }
    let sample = schedule.mix(x0, with: epsilon, at: steps)
    let loss = try TrainingLoss(
      schedule, predicting: .v, variance: .learnedRange, kind: .rescaledKL, likelihood: DiscretizedGaussian(levels: 17))
    func value(_ network: Network<Double>) throws -> (TrainingLoss.Value<SampleBatch<Double>>, Network<Double>.Tape) {
      let tape = network.run(sample.scalars, timesteps: timesteps, labels: labels)
      let output = SampleBatch(shape: [3, 2, 8, 8], scalars: tape.output)
      return (try loss(output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: steps), tape)
    }
    let (at, tape) = try value(network)
    var gradient = [Double](repeating: 0, count: network.parameters.count)
    network.addGradient(of: tape, slope: at.gradient.scalars, to: &gradient)
    // Along one direction through all parameters; the loss bends strongly at t = 0, so the
    // truncation error decides.
    let direction = Self.normals(gradient.count, seed: 6)
    let h = 1e-7
    func moved(_ by: Double) -> Network<Double> {
      Network(network.architecture, parameters: zip(network.parameters, direction).map { $0 + by * $1 })
    }
    let difference = (try value(moved(h)).0.total - value(moved(-h)).0.total) / (2 * h)
    let expected = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(difference - expected) <= 1e-5 * abs(expected))
    #expect(abs(expected) > 1)
  }
}
