import Schedulers
import Testing

@testable import ExactDenoisers

@Suite struct GaussianTests {
  // One coordinate is a handful of roundings: the gain's relative error is below 8·2^-53, and it
  // multiplies |x − signal·μ|.
  @Test(arguments: levels, [0, 1e-6, 0.5, 9]) func inOneDimensionItIsTheScalarFormula(
    level: NoiseLevel, variance: Double
  )
    throws
  {
    let gaussian = try Gaussian<Double>(mean: [0.75], covariance: [[variance]])
    let (s, n) = (level.signal, level.noise)
    for x in [-3.0, 0, 0.1, 40] {
      let gain = s * variance / (s * s * variance + n * n)
      let expected = 0.75 + gain * (x - s * 0.75)
      let output = gaussian.output(for: batch([[x]]), at: level, as: .x0)
      #expect(abs(output.values[0] - expected) <= 8 * .ulpOfOne * (0.75 + gain * (abs(x) + s * 0.75)))
    }
  }

  // The eigenvectors of a diagonal matrix are the axes, so each coordinate is the scalar formula.
  @Test(arguments: levels) func withADiagonalCovarianceTheCoordinatesAreApart(level: NoiseLevel) throws {
    let mean = [1.0, -2, 0, 0.5]
    let variances = [4.0, 0, 1e-3, 0.25]
    let diagonal = (0..<4).map { i in (0..<4).map { $0 == i ? variances[i] : 0 } }
    let gaussian = try Gaussian<Double>(mean: mean, covariance: diagonal)
    let x = normals(6, 4, seed: 1)
    for (row, answer) in zip(x, gaussian.output(for: batch(x), at: level, as: .x0).rows) {
      for j in 0..<4 {
        let gain =
          level.signal * variances[j] / (level.signal * level.signal * variances[j] + level.noise * level.noise)
        let offset = row[j] - level.signal * mean[j]
        #expect(
          abs(answer[j] - (mean[j] + gain * offset)) <= 8 * .ulpOfOne
            * (abs(mean[j]) + gain * (abs(row[j]) + abs(mean[j]))))
      }
    }
  }

  // With z = x̂0 − μ the definition says (signal²·Σ + noise²)·z = signal·Σ·(x − signal·μ), which
  // needs no inverse to check. Both sides are sums of 6 terms. The eigenvectors are orthogonal, and
  // the eigenvalues right, to about 6·2^-52, so the residual is below a few times that, relative to
  // the sizes that enter; 4·6·2^-52 leaves room for the four products.
  @Test(arguments: levels) func solvesTheNormalEquations(level: NoiseLevel) throws {
    let sigma = covariance(6, seed: 2)
    let mean = normals(1, 6, seed: 3)[0]
    let gaussian = try Gaussian<Double>(mean: mean, covariance: sigma)
    let x = normals(5, 6, seed: 4)
    let (s, n) = (level.signal, level.noise)
    let norm = (0..<6).reduce(0) { $0 + sigma[$1][$1] }
    for (row, answer) in zip(x, gaussian.output(for: batch(x), at: level, as: .x0).rows) {
      let z = zip(answer, mean).map { $0 - $1 }
      let offset = zip(row, mean).map { $0 - s * $1 }
      let left = (0..<6).map { s * s * dot(sigma[$0], z) + n * n * z[$0] }
      let right = (0..<6).map { s * dot(sigma[$0], offset) }
      let size =
        (s * s * norm + n * n) * (dot(answer, answer) + dot(mean, mean)).squareRoot() + s * norm
        * dot(offset, offset).squareRoot()
      #expect(distance(left, right) <= 4 * 6 * .ulpOfOne * size)
    }
  }

  @Test func fittedToPointsItHasTheirMeanAndCovariance() throws {
    let gaussian = try Gaussian<Double>(fittedTo: [[1, 0], [3, 0], [1, 4], [3, 4]])
    #expect(gaussian.mean == [2, 2])
    #expect(gaussian.covariance == [[1, 0], [0, 4]])
  }

  // Of 3 points in 5 dimensions the covariance has rank 2; data off their plane are drawn onto it.
  // The other eigenvalues are 0 up to 5·2^-52·λ_max and let through that much/noise² of an offset;
  // the plane itself is tilted by 5·2^-52·λ_max/λ_2, which is less here, where λ_2 > noise².
  @Test func aSingularCovarianceKeepsToItsPlane() throws {
    let points = normals(3, 5, seed: 6)
    let gaussian = try Gaussian<Double>(fittedTo: points)
    let x = normals(4, 5, seed: 7)
    let noise = 0.1
    #expect(gaussian.basis.deviations[3] > noise)
    let trace = (0..<5).reduce(0) { $0 + gaussian.covariance[$1][$1] }
    let reach = x.map { dot($0, $0) }.max()!.squareRoot() + dot(gaussian.mean, gaussian.mean).squareRoot()
    for row in gaussian.output(for: batch(x), at: NoiseLevel(signal: 1, noise: noise), as: .x0).rows {
      // What is left of row − p0 after the two directions p1 − p0 and p2 − p0 are taken out of it.
      let (u, v) = (zip(points[1], points[0]).map { $0 - $1 }, zip(points[2], points[0]).map { $0 - $1 })
      let w = zip(v, u).map { $0 - dot(u, v) / dot(u, u) * $1 }
      let offset = zip(row, points[0]).map { $0 - $1 }
      let rest = (0..<5).map { offset[$0] - dot(offset, u) / dot(u, u) * u[$0] - dot(offset, w) / dot(w, w) * w[$0] }
      #expect(dot(rest, rest).squareRoot() < 2 * 5 * .ulpOfOne * trace / (noise * noise) * reach)
    }
  }

  @Test func aPointIsAGaussianWithoutVariance() throws {
    let gaussian = try Gaussian<Double>(fittedTo: [[0.5, -1, 2]])
    for level in levels {
      #expect(gaussian.output(for: batch([[9, 9, 9]]), at: level, as: .x0).values == [0.5, -1, 2])
    }
  }

  @Test func entriesThatDifferByRoundingAreAccepted() throws {
    let entry = 0.1
    let gaussian = try Gaussian<Double>(mean: [0, 0], covariance: [[1, entry], [entry.nextUp, 1]])
    #expect(abs(gaussian.covariance[0][1] - entry) <= entry.ulp)
    #expect(gaussian.covariance[0][1] == gaussian.covariance[1][0])
  }

  @Test func eigenvaluesBelowZeroByRoundingAreZero() throws {
    // Rank 1 up to rounding: the other two eigenvalues are 0 ± a few 2^-53.
    let u = [0.1, 0.7, -0.3]
    let gaussian = try Gaussian<Double>(mean: [0, 0, 0], covariance: u.map { a in u.map { a * $0 } })
    #expect(gaussian.basis.deviations.allSatisfy { $0 >= 0 })
  }
}
