import Fixtures
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

  // The exponents have errors of a few 2^-53·|x|·|y|·signal/noise², where |x|, |y| < 10 here and signal/noise² ≤ 100: 1e-12. The
  // mean moves by no more than that times the largest coordinate, below 5, and by both computations' errors: 2·5·1e-12.
  @Test(arguments: levels) func isTheSoftmaxMeanOfThePoints(level: NoiseLevel) throws {
    let points = normals(50, 5, seed: 1)
    let weights = (0..<50).map { 1 + Double($0 % 7) }
    let x = normals(21, 5, seed: 2).map { $0.map { $0 * (level.signal + level.noise) } }
    let dataset = try Dataset<Double>(points: points, weights: weights)
    let expected = x.flatMap { Self.naive($0, points, weights, level) }
    let scale = max(1, (level.signal + level.noise) * level.signal / (level.noise * level.noise) / 100)
    #expect(distance(dataset.x0(batch(x), at: level), expected) < 1e-11 * scale)
  }

  @Test(arguments: [1, 2, 4, 8, 9, 65]) func aSampleIsTheSameInEveryBatch(size: Int) throws {
    let points = try Digits().images
    let dataset = try Dataset<Double>(points: points)
    let x = normals(100, 64, seed: 3)
    let level = NoiseLevel.variancePreserving(sigma: 3)
    let whole = dataset.output(for: batch(x), at: level, as: .x0)
    for start in stride(from: 0, to: 100 - size, by: size) {
      let part = dataset.output(for: batch(Array(x[start..<start + size])), at: level, as: .x0)
      for i in 0..<size { #expect(part[i] == whole[start + i]) }
    }
  }
}
