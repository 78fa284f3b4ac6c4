import Foundation
import Schedulers
import Testing

/// Ten million normals at fixed seeds. Each statistic has a known distribution if the numbers are
/// what they should be; the bounds are what true normals exceed once in a million (for z-scores 4.9
/// standard errors).
@Suite struct NoiseStatisticsTests {
  /// What is kept of a part of the numbers; parts add up.
  private struct Tally {
    static let bins = 1000
    var count = 0
    var powers = [Double](repeating: 0, count: 5)
    /// How many numbers fall between neighbouring quantiles.
    var histogram = [Int](repeating: 0, count: bins)
    /// Sums of products at `lags`, between neighbouring draws, and between neighbouring samples.
    var products = [Double](repeating: 0, count: lags.count + 2)
    var beyond4 = 0

    /// Neighbours; the other words of a counter and their planes; the next block.
    static let lags = [1, 2, 63, 64, 128, 192, 256]

    mutating func add(_ values: [Double], previousDraw: [Double], previousSample: [Double]) {
      let n = values.count
      count += n
      for i in 0..<n {
        let x = values[i]
        let square = x * x
        powers[1] += x
        powers[2] += square
        powers[3] += square * x
        powers[4] += square * square
        if square > 16 { beyond4 += 1 }
        histogram[min(Int(0.5 * erfc(-x / 2.squareRoot()) * Double(Self.bins)), Self.bins - 1)] += 1
        products[Self.lags.count] += x * previousDraw[i]
        products[Self.lags.count + 1] += x * previousSample[i]
      }
      for (k, lag) in Self.lags.enumerated() {
        for i in lag..<n { products[k] += values[i] * values[i - lag] }
      }
    }

    static func + (a: Tally, b: Tally) -> Tally {
      var sum = a
      sum.count += b.count
      sum.beyond4 += b.beyond4
      for i in a.powers.indices { sum.powers[i] += b.powers[i] }
      for i in a.histogram.indices { sum.histogram[i] += b.histogram[i] }
      for i in a.products.indices { sum.products[i] += b.products[i] }
      return sum
    }
  }

  private static func tally(seed: UInt64, count: Int) -> Tally {
    let size = 50_000
    var tally = Tally()
    var (noise, neighbour) = (GaussianNoise(seed: seed), GaussianNoise(seed: seed, firstSample: 1))
    var previous = noise.next(like: [Double](repeating: 0, count: size))
    _ = neighbour.next(like: [0.0])
    while tally.count < count {
      let values = noise.next(like: previous)
      tally.add(values, previousDraw: previous, previousSample: neighbour.next(like: previous))
      previous = values
    }
    return tally
  }

  @Test func `ten million normals are normal and independent`() async {
    let tally = await withTaskGroup(of: Tally.self) { group in
      for seed: UInt64 in [1, 0xdead_beef_0000_0001] { group.addTask { Self.tally(seed: seed, count: 5_000_000) } }
      return await group.reduce(Tally(), +)
    }
    let n = Double(tally.count)
    #expect(tally.count == 10_000_000)
    // Moments: x, x², x³, x⁴ have means 0, 1, 0, 3 and variances 1, 2, 15, 96.
    for (power, mean, variance) in [(1, 0.0, 1.0), (2, 1, 2), (3, 0, 15), (4, 3, 96)] {
      let z = (tally.powers[power] / n - mean) / (variance / n).squareRoot()
      #expect(abs(z) < 4.9, "the mean of x^\(power) is \(z) standard errors off")
    }
    // A product of independent normals has mean 0 and variance 1.
    for (k, sum) in tally.products.enumerated() {
      #expect(abs(sum / n.squareRoot()) < 4.9, "product \(k) is \(sum / n.squareRoot()) standard errors off")
    }
    // Kolmogorov and Smirnov: √n·max|F_n − F| passes 2.69 once in a million.
    var (below, largest) = (0, 0.0)
    for bin in 0..<Tally.bins {
      below += tally.histogram[bin]
      largest = max(largest, abs(Double(below) / n - Double(bin + 1) / Double(Tally.bins)))
    }
    #expect(largest * n.squareRoot() < 2.69)
    // Chi-square with 999 degrees of freedom: mean 999, variance 1998, nearly normal.
    let expected = n / Double(Tally.bins)
    let chiSquare = tally.histogram.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    #expect(abs(chiSquare - 999) < 4.9 * 1998.squareRoot())
    // Beyond 4 lie erfc(4/√2) = 6.334e-5 of all.
    let tail = erfc(4 / 2.squareRoot()) * n
    #expect(abs(Double(tally.beyond4) - tail) < 4.9 * tail.squareRoot())
  }
}
