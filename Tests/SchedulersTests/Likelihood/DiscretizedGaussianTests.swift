import Testing

@testable import Schedulers
@testable import SchedulersInterop

@Suite struct DiscretizedGaussianTests {
  private typealias Made = DiscretizedGaussian.LogProbability

  @Test func `the exact logarithm and its derivatives have the digits that the documentation promises`() throws {
    var (value, mean, deviation) = (WorstRatio(), WorstRatio(), WorstRatio())
    for row in try LikelihoodFixtures.exact("bins") {
      let made = DiscretizedGaussian(levels: Int(row[0])).logProbability(of: row[1], mean: row[2], logDeviation: row[3])
      let place = "levels, x, mean, log deviation of \(row)"
      // Below 1e-300 a number has fewer digits, or none.
      let logarithm = max(1, -Math.log(abs(row[4]))) * abs(row[4])
      value.compare(made.value, with: row[4], within: 32 * unit * logarithm + 1e-300, at: place)
      let relative = Self.relativeError(levels: row[0], x: row[1], mean: row[2], logDeviation: row[3])
      mean.compare(
        made.meanGradient, with: row[5], within: relative.fraction * abs(row[5]) + 1e-300, at: "by mean at \(place)")
      let size = max(abs(row[6]), relative.floor)
      deviation.compare(
        made.logDeviationGradient, with: row[6], within: relative.fraction * size + 1e-300,
        at: "by deviation at \(place)")
    }
    for worst in [value, mean, deviation] { worst.expectWithin() }
  }

  /// What the documentation says of the derivatives: their relative error, and of what it is meant
  /// near the change of sign.
  private static func relativeError(
    levels: Double, x: Double, mean: Double, logDeviation: Double
  ) -> (fraction: Double, floor: Double) {
    let towardsEnd = x > 0.999 ? x - mean : x < -0.999 ? mean - x : abs(x - mean)
    let a = (towardsEnd - 1 / (levels - 1)) * Math.exp(-logDeviation)
    let fraction = a > 12 ? 32 : 32 + 5 * a * a
    return (fraction * unit, a > 0 ? 4 * (1 + a * a) : 0)
  }

  @Test func `the tanh form and its derivatives are guided-diffusion's and torch's`() throws {
    let gaussian = DiscretizedGaussian(cdf: .tanh)
    var (value, mean, deviation) = (WorstRatio(), WorstRatio(), WorstRatio())
    var clamped = 0
    for row in try LikelihoodFixtures.guided("bins") {
      let made = gaussian.logProbability(of: row[1], mean: row[2], logDeviation: row[3])
      let place = "x, mean, log scale of \(row)"
      let probability = Math.exp(row[4])
      let isClamped = probability < 1.000001e-12
      if isClamped { clamped += 1 }
      let scale = Math.exp(-row[3])
      let reach = min(8, (abs(row[1] - row[2]) + 1 / 255.0) * scale)
      // With u the unit: a tanh t has 2u of its own and, as v·tanh'(v) < 0.45, at most 4u of the 8u
      // of its argument; so ½·(1 + t) has 4u at most, and the probability those of two edges in
      // either implementation. A slope 1 − t² has 2·6u + u near the centre, where the polynomial
      // ½·0.8·(1 + 0.134·y²) is below 0.6, or 5u farther out, where it is below 4: 20u in each.
      let relative = isClamped ? 0 : 16 * unit / probability
      value.compare(made.value, with: row[4], within: relative + 4 * unit * abs(row[4]), at: place)
      let slopes = isClamped ? 0 : 80 * unit / probability
      mean.compare(
        made.meanGradient, with: row[5], within: relative * abs(row[5]) + slopes * scale, at: "by mean at \(place)")
      deviation.compare(
        made.logDeviationGradient, with: row[6], within: relative * abs(row[6]) + slopes * reach,
        at: "by scale at \(place)")
    }
    #expect(clamped > 50)
    for worst in [value, mean, deviation] { worst.expectWithin() }
  }

  @Test func `the tanh form is as far from the exact one as the documentation says`() {
    func tail(_ cdf: DiscretizedGaussian.CDF, _ deviations: Double) -> Double {
      let mean = 1 - 1 / 255.0 - deviations
      return Math.exp(DiscretizedGaussian(cdf: cdf).logProbability(of: 1, mean: mean, logDeviation: 0).value)
    }
    let worst = stride(from: -8, to: 8, by: 0.01).map { abs(tail(.tanh, $0) - tail(.exact, $0)) }.max()!
    #expect(worst > 1.78e-4 && worst < 1.8e-4)
    #expect(abs(tail(.tanh, 4) / tail(.exact, 4) - 0.55) < 0.01)
    #expect(tail(.tanh, 6.2) > 1.01e-12)
    #expect(isClose(tail(.tanh, 6.3), 1e-12, relative: 64 * unit))
  }

  @Test(arguments: [2, 3, 16, 256], DiscretizedGaussian.CDF.allCases)
  func `the probabilities of all levels add up to 1`(levels: Int, cdf: DiscretizedGaussian.CDF) {
    let gaussian = DiscretizedGaussian(levels: levels, cdf: cdf)
    for (mean, logDeviation) in [(0.1, -1.0), (-1.2, 0.5), (0.7, -3)] {
      var total = 0.0
      for level in 0..<levels {
        let x = 2 * Double(level) / Double(levels - 1) - 1
        total += Math.exp(gaussian.logProbability(of: x, mean: mean, logDeviation: logDeviation).value)
      }
      // What tanh's clamp adds is 1e-12 a level; the edges of neighbours are rounded apart, by 4
      // units of a density below 20.
      let tolerance = Double(levels) * (cdf == .tanh ? 1e-12 : 0) + Double(levels) * 128 * unit
      #expect(abs(total - 1) <= tolerance)
    }
  }

  @Test(arguments: DiscretizedGaussian.CDF.allCases)
  func `no finite input gives NaN, a probability above 1, or one of 0 that has a logarithm`(
    cdf: DiscretizedGaussian.CDF
  ) {
    let magnitudes = [0, 1e-300, 0.3, 1 / 255.0, 1, 7, 1e20, 1e154, 1e300]
    for levels in [2, 256, 1 << 20] {
      let gaussian = DiscretizedGaussian(levels: levels, cdf: cdf)
      for x in [-1, -0.5, 0, 0.5, 1.0] {
        for mean in magnitudes + magnitudes.map(-) {
          for logDeviation in [-1e300, -750, -700, -20, -5, 0, 5, 700, 720, 1e4, 1e300] {
            let made = gaussian.logProbability(of: x, mean: mean, logDeviation: logDeviation)
            let farthest = (abs(x - mean) + 1) * Math.exp(-logDeviation)
            let isLogarithm = made.value <= 0 && (made.value.isFinite || farthest > 1e150)
            let isSound = isLogarithm && !made.meanGradient.isNaN && !made.logDeviationGradient.isNaN
            #expect(isSound, "\(levels) levels, \(x), \(mean), \(logDeviation): \(made)")
          }
        }
      }
    }
  }

  @Test(arguments: DiscretizedGaussian.CDF.allCases) func `NaN in is NaN out`(cdf: DiscretizedGaussian.CDF) {
    let gaussian = DiscretizedGaussian(cdf: cdf)
    #expect(gaussian.logProbability(of: .nan, mean: 0, logDeviation: 0).value.isNaN)
    #expect(gaussian.logProbability(of: 0, mean: .nan, logDeviation: 0).value.isNaN)
    #expect(gaussian.logProbability(of: 0, mean: 0, logDeviation: .nan).value.isNaN)
  }

  @Test func `a pixel has two levels or more`() async {
    await #expect(processExitsWith: .failure) { _ = DiscretizedGaussian(levels: 1) }
  }
}
