import Schedulers
import Testing

@testable import ExactDenoisers

@Suite struct GaussianMixtureTests {
  @Test(arguments: levels) func oneComponentIsTheGaussian(level: NoiseLevel) throws {
    let gaussian = try Gaussian<Double>(mean: normals(1, 5, seed: 1)[0], covariance: covariance(5, seed: 2))
    let mixture = try GaussianMixture(components: [gaussian], weights: [0.3])
    let x = batch(normals(11, 5, seed: 3))
    #expect(mixture.output(for: x, at: level, as: .x0) == gaussian.output(for: x, at: level, as: .x0))
  }

  @Test func componentsWithoutWeightAreLeftOut() throws {
    let gaussians = try (0..<3).map { try Gaussian<Double>(fittedTo: normals(9, 4, seed: 10 + $0)) }
    let all = try GaussianMixture(components: gaussians, weights: [2, 0, 2])
    let two = try GaussianMixture(components: [gaussians[0], gaussians[2]])
    let x = batch(normals(3, 4, seed: 5))
    // 2/2 and 1/1 differ by ln 2 in each exponent, which is a rounding of the exponents, of size
    // 100 here at most.
    for level in levels where level.noise > 0.4 {
      let (a, b) = (all.output(for: x, at: level, as: .x0), two.output(for: x, at: level, as: .x0))
      #expect(distance(a.values, b.values) < 4 * 100 * .ulpOfOne * 5)
    }
  }

  /// The definition in two dimensions, with the inverse and the determinant written out.
  private func naive(
    _ x: [Double], _ parts: [(weight: Double, mean: [Double], covariance: [[Double]])], _ level: NoiseLevel
  ) -> [Double] {
    var total = 0.0
    var sum = [0.0, 0.0]
    for part in parts {
      let (s, n2) = (level.signal, level.noise * level.noise)
      let (p, q, r) = (part.covariance[0][0], part.covariance[0][1], part.covariance[1][1])
      let (a, b, c) = (s * s * p + n2, s * s * q, s * s * r + n2)
      let determinant = a * c - b * b
      let (u, v) = (x[0] - s * part.mean[0], x[1] - s * part.mean[1])
      let (y, z) = ((c * u - b * v) / determinant, (a * v - b * u) / determinant)
      let density = part.weight * Math.exp(-(u * y + v * z) / 2) / determinant.squareRoot()
      total += density
      sum[0] += density * (part.mean[0] + s * (p * y + q * z))
      sum[1] += density * (part.mean[1] + s * (q * y + r * z))
    }
    return sum.map { $0 / total }
  }

  // Signal and noise are of size 1, and covariances have eigenvalues in 0.5 ... 4, so that
  // determinants cancel by less than a factor of 10, and the exponents stay below 50: errors of
  // 10·50·2^-53 or so in the exponents, magnified by means below 5.
  @Test(arguments: levels.filter { $0.noise > 0.4 && $0.noise < 10 }) func isTheDefinitionWrittenOut(level: NoiseLevel)
    throws
  {
    let parts: [(weight: Double, mean: [Double], covariance: [[Double]])] = [
      (1, [1, 2], [[2, 0.5], [0.5, 1]]), (3, [-2, 0], [[1, -0.25], [-0.25, 1]]), (0.5, [0, -3], [[4, 0], [0, 0.5]]),
    ]
    let mixture = try GaussianMixture(
      components: parts.map { try Gaussian<Double>(mean: $0.mean, covariance: $0.covariance) },
      weights: parts.map(\.weight))
    let x = normals(20, 2, seed: 6)
    let expected = x.flatMap { naive($0, parts, level) }
    #expect(distance(mixture.output(for: batch(x), at: level, as: .x0).values, expected) < 10 * 50 * .ulpOfOne * 5)
  }

  // A component's variance signal²·λ + noise² differs from the data set's noise² by a factor of 1 +
  // ρ at most, with ρ = (signal·τ/noise)². That moves its exponent E by ρ·E, and half the logarithm
  // of its determinant by dimension·ρ/2; the mean of the points by (e^2δ − 1)·max|y| for the sum δ
  // of both; and D_k − y_k is at most ρ/signal·|x − signal·y_k|. The rest is the rounding of
  // exponents, as for the data set: 14·2^-53·E in each of the two.
  @Test(arguments: levels) func tinyComponentsAreADataSet(level: NoiseLevel) throws {
    let points = normals(12, 3, seed: 7)
    let weights = (0..<12).map { 1 + Double($0 % 4) }
    let variances = [1e-16, 0, 0.5e-16]
    let diagonal = (0..<3).map { i in (0..<3).map { $0 == i ? variances[i] : 0 } }
    let mixture = try GaussianMixture(
      components: points.map { try Gaussian<Double>(mean: $0, covariance: diagonal) }, weights: weights)
    let dataset = try Dataset<Double>(points: points, weights: weights)
    let x = normals(9, 3, seed: 8).map { $0.map { $0 * (level.signal + level.noise) } }

    let largest = points.map { dot($0, $0) }.max()!.squareRoot()
    let reach = x.map { dot($0, $0) }.max()!.squareRoot() + level.signal * largest
    let exponent = reach * reach / (2 * level.noise * level.noise)
    let rho = (level.signal / level.noise) * (level.signal / level.noise) * 1e-16
    let delta = rho * exponent + 1.5 * rho + 2 * 14 * exponent * .ulpOfOne / 2 + 3 * .ulpOfOne
    let own = level.signal * 1e-16 / (level.noise * level.noise) * reach
    let (a, b) = (mixture.output(for: batch(x), at: level, as: .x0), dataset.output(for: batch(x), at: level, as: .x0))
    #expect(distance(a.values, b.values) <= 2.1 * delta * largest + own + 12 * .ulpOfOne * largest)
  }

  @Test(arguments: [1e-8, 1e-150, 1e-300]) func littleNoiseFindsTheNearestOfSingularComponents(noise: Double) throws {
    let level = NoiseLevel(signal: 1, noise: noise)
    let point = try Gaussian<Double>(fittedTo: [[0, 5]])
    let other = try Gaussian<Double>(fittedTo: [[3, 3]])
    let mixture = try GaussianMixture(components: [point, other], weights: [1, 1000])
    let output = mixture.output(for: batch([[0.5, 4.5], [2, 4], [0, 5]]), at: level, as: .x0)
    #expect(output.rows == [[0, 5], [3, 3], [0, 5]])
  }

  // What lies on the line stays where it is, up to noise²/λ; what lies off it can only be the
  // point.
  @Test(arguments: [1e-8, 1e-150]) func aLineAndAPointAreToldApart(noise: Double) throws {
    let line = try Gaussian<Double>(mean: [0, 0], covariance: [[1, 0], [0, 0]])
    let point = try Gaussian<Double>(mean: [0, 5], covariance: [[0, 0], [0, 0]])
    let mixture = try GaussianMixture(components: [line, point])
    let output = mixture.output(for: batch([[0.5, 0], [0, 5]]), at: NoiseLevel(signal: 1, noise: noise), as: .x0)
    #expect(distance(output.values, [0.5, 0, 0, 5]) < 4 * .ulpOfOne)
  }
}
