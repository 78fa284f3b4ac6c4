import Schedulers
import Testing

@testable import ExactDenoisers

@Suite struct DatasetTests {
  /// The definition, from the distances themselves.
  static func naive(_ x: [Double], _ points: [[Double]], _ weights: [Double], _ level: NoiseLevel) -> [Double] {
    var exponents: [Double] = []
    for (point, weight) in zip(points, weights) {
      var square = 0.0
      for (a, b) in zip(x, point) { square += (a - level.signal * b) * (a - level.signal * b) }
      exponents.append(Math.log(weight) - square / (2 * level.noise * level.noise))
    }
    let largest = exponents.max()!
    var mean = [Double](repeating: 0, count: x.count)
    var total = 0.0
    for (point, exponent) in zip(points, exponents) {
      let likelihood = Math.exp(exponent - largest)
      total += likelihood
      for j in x.indices { mean[j] += likelihood * point[j] }
    }
    return mean.map { $0 / total }
  }

  // The exponents of both computations are sums of fewer than 2·5 + 4 terms of at most E = (|x| +
  // |y|)²/noise², so that each is wrong by 14·2^-53·E at most; |x| and |y| are below 6·(signal +
  // noise), and E below 144·((signal + noise)/noise)². An error δ in all exponents moves the mean
  // by no more than (e^2δ − 1)·max|y|, and the sums over 50 points by 50·2^-53·max|y|; max|y| < 5.
  @Test(arguments: levels) func isTheSoftmaxMeanOfThePoints(level: NoiseLevel) throws {
    let points = normals(50, 5, seed: 1)
    let weights = (0..<50).map { 1 + Double($0 % 7) }
    let x = normals(21, 5, seed: 2).map { $0.map { $0 * (level.signal + level.noise) } }
    let ratio = (level.signal + level.noise) / level.noise
    let exponentError = 2 * 14 * 144 * ratio * ratio * .ulpOfOne / 2
    let dataset = try Dataset<Double>(points: points, weights: weights)
    let expected = x.flatMap { Self.naive($0, points, weights, level) }
    #expect(
      distance(dataset.output(for: batch(x), at: level, as: .x0).values, expected)
        < 5 * (2 * exponentError + 50 * .ulpOfOne))
  }

  @Test(arguments: levels, Prediction.allCases)
  func onePointIsTheAnswerEverywhere(level: NoiseLevel, prediction: Prediction) throws {
    let point = [0.5, -1, 0.25]
    let dataset = try Dataset<Double>(points: [point])
    let previous = NoiseLevel(signal: 1, noise: level.sigma.isFinite ? level.sigma / 2 : 1)
    let x = batch(normals(3, 3, seed: 5))
    let output = dataset.output(for: x, at: level, previous: previous, as: prediction)
    let readout = try #require(Prediction.x0.conversion(to: prediction, at: level, previous: previous))
    for (row, answer) in zip(x.rows, output.rows) {
      // One rounding for each product and the sum, here as there: equal, unless one of the two
      // fuses them.
      let expected = zip(row, point).map { readout.sample * $0 + readout.output * $1 }
      let size = zip(row, point).map { abs(readout.sample * $0) + abs(readout.output * $1) }.max()!
      #expect(distance(answer, expected) <= size * .ulpOfOne)
    }
  }

  @Test(arguments: [1e-3, 1e-8, 1e-150, 1e-300]) func littleNoiseGivesTheNearestPoint(noise: Double) throws {
    let points = normals(30, 4, seed: 6)
    let x = normals(20, 4, seed: 7)
    let dataset = try Dataset<Double>(points: points, weights: (0..<30).map { 1 + Double($0) })
    let output = dataset.output(for: batch(x), at: NoiseLevel(signal: 1, noise: noise), as: .x0)
    for (row, answer) in zip(x, output.rows) {
      func square(_ point: [Double]) -> Double { zip(row, point).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      let nearest = points.min { square($0) < square($1) }!
      // The second nearest is further by more than 1e-3 in the square here, and so weighs less than
      // 30·exp(−1e-3/2e-6) = 1e-215.
      #expect(points.allSatisfy { $0 == nearest || square($0) > square(nearest) + 1e-3 })
      #expect(answer == nearest)
    }
  }

  @Test func aTieIsSharedByWeightHoweverLittleNoiseThereIs() throws {
    let dataset = try Dataset<Double>(points: [[-1], [1]], weights: [1, 3])
    for noise in [1, 1e-8, 1e-150, 1e-300] {
      // exp(ln 3) is within 3 ulps of 3.
      let output = dataset.output(for: batch([[0]]), at: NoiseLevel(signal: 1, noise: noise), as: .x0)
      #expect(abs(output.values[0] - 0.5) < 4 * .ulpOfOne)
    }
  }

  @Test func withoutSignalTheAnswerIsTheWeightedMean() throws {
    let dataset = try Dataset<Double>(points: [[1, 0], [0, 8], [5, 5]], weights: [3, 1, 0])
    let output = dataset.output(for: batch([[7, -7], [1e9, 0]]), at: NoiseLevel(signal: 0, noise: 2), as: .x0)
    // exp(−ln 3) is within 3 ulps of 1/3.
    for row in output.rows { #expect(distance(row, [0.75, 2]) < 2 * 4 * .ulpOfOne) }
  }

  @Test func pointsWithoutWeightAreLeftOut() throws {
    let all = try Dataset<Double>(points: [[1, 0], [0, 8], [5, 5]], weights: [1, 1, 0])
    let two = try Dataset<Double>(points: [[1, 0], [0, 8]])
    let x = batch([[5.0, 5], [0, 0], [1, 2]])
    #expect(all.count == 2)
    for level in levels { #expect(all.output(for: x, at: level, as: .x0) == two.output(for: x, at: level, as: .x0)) }
  }

  @Test func aLabelRestrictsToItsPoints() throws {
    let points = normals(12, 3, seed: 8)
    let labels = (0..<12).map { $0 % 3 }
    let some = try Dataset<Double>(points: points, labels: labels, label: 2)
    let same = try Dataset<Double>(points: [2, 5, 8, 11].map { points[$0] })
    let x = batch(normals(4, 3, seed: 9))
    for level in levels { #expect(some.output(for: x, at: level, as: .x0) == same.output(for: x, at: level, as: .x0)) }
  }
}
