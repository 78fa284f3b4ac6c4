import Testing

@testable import Schedulers

@Suite struct NormalKLTests {
  private static func divergence(_ row: [Double]) -> NormalKL {
    NormalKL(mean1: row[0], logVariance1: row[1], mean2: row[2], logVariance2: row[3])
  }

  @Test func `the divergence and its derivatives have the digits that the documentation promises`() throws {
    var (value, mean, logVariance) = (WorstRatio(), WorstRatio(), WorstRatio())
    for row in try LikelihoodFixtures.exact("kl") {
      let made = Self.divergence(row)
      let d = abs(row[1] - row[3])
      value.compare(made.value, with: row[4], within: (16 + 2 * d) * unit * row[4], at: "KL of \(row)")
      mean.compare(made.meanGradient, with: row[5], within: 8 * unit * abs(row[5]), at: "by mean2 at \(row)")
      // The larger part is at most the sum and the divergence together: with e = e^d − 1 and s the
      // square, |e|, s ≤ |e + s| + 2·KL or, where e < 0, d > e and so 2·KL ≥ s; |e| ≤ |e + s| + s.
      let size = abs(row[6]) + row[4]
      logVariance.compare(
        made.logVarianceGradient, with: row[6], within: (16 + 2 * d) * unit * size, at: "by l2 at \(row)")
    }
    for worst in [value, mean, logVariance] { worst.expectWithin() }
  }

  @Test func `it is guided-diffusion's, as far as that cancels`() throws {
    var (value, mean, logVariance) = (WorstRatio(), WorstRatio(), WorstRatio())
    for row in try LikelihoodFixtures.guided("kl") {
      let made = Self.divergence(row)
      let (_, l1, m2, l2) = (row[0], row[1], row[2], row[3])
      // The reference adds up −1, l2, −l1, e^d and the square, each sum rounded at the size of its
      // largest term so far; the exponentials have 2 units, or of an argument that was rounded |d|.
      // Ours adds what its documentation says.
      let d = l1 - l2
      let square = made.meanGradient * (m2 - row[0])
      let sizes = 1 + abs(l1) + abs(l2) + square
      let tolerance = 4 * unit * sizes + (4 + 2 * abs(d)) * unit * Math.exp(d) + (16 + 2 * abs(d)) * unit * row[4]
      value.compare(made.value, with: row[4], within: tolerance, at: "normal_kl of \(row)")
      mean.compare(made.meanGradient, with: row[5], within: 16 * unit * abs(row[5]), at: "by mean2 at \(row)")
      logVariance.compare(made.logVarianceGradient, with: row[6], within: tolerance, at: "by logvar2 at \(row)")
    }
    for worst in [value, mean, logVariance] { worst.expectWithin() }
  }

  @Test func `the divergence of a distribution from itself is exactly 0`() {
    let made = NormalKL(mean1: 0.3, logVariance1: -1.7, mean2: 0.3, logVariance2: -1.7)
    #expect(made.value == 0)
    #expect(made.meanGradient == 0)
    #expect(made.logVarianceGradient == 0)
  }
}
