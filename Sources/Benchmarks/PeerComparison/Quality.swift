import Foundation
import Schedulers

/// One statistic of many normals, beside what it should be.
struct Quality {
  let name: String
  let found: Double
  let expected: Double
  /// The standard deviation of the statistic.
  let deviation: Double
  var z: Double { (found - expected) / deviation }

  /// Moments, tails, the correlation of neighbours and of what lies 256 apart, and chi-square over
  /// 200 bins.
  static func ofNormals(count: Int) -> [Quality] {
    var noise = GaussianNoise(seed: 20)
    var buffer = SampleBatch<Float>(zeros: [1, 1_000_000])
    var sums = [Double](repeating: 0, count: 5)
    var (neighbours, apart, tails) = (0.0, 0.0, [Double](repeating: 0, count: 3))
    // 200 bins of width 1/20 from −5 to 5, and one for each tail.
    var bins = [Int](repeating: 0, count: 202)
    let n = Double(count)
    for _ in 0..<count / 1_000_000 {
      noise.fill(&buffer)
      buffer.scalars.withUnsafeBufferPointer { values in
        for i in values.indices {
          let x = Double(values[i])
          let square = x * x
          sums[1] += x
          sums[2] += square
          sums[3] += square * x
          sums[4] += square * square
          neighbours += x * Double(values[i == 0 ? values.count - 1 : i - 1])
          apart += x * Double(values[i < 256 ? i - 256 + values.count : i - 256])
          for k in 0..<3 where abs(x) > Double(k + 3) { tails[k] += 1 }
          bins[max(0, min(201, Int((x * 20 + 101).rounded(.down))))] += 1
        }
      }
    }
    func below(_ x: Double) -> Double { erfc(-x / 2.squareRoot()) / 2 }
    var chiSquare = 0.0
    for k in bins.indices {
      let (low, high) = (k == 0 ? -Double.infinity : Double(k - 101) / 20, k == 201 ? .infinity : Double(k - 100) / 20)
      // From the nearer end, where nothing cancels.
      let probability = low >= 0 ? below(-low) - below(-high) : below(high) - below(low)
      let difference = Double(bins[k]) - n * probability
      chiSquare += difference * difference / (n * probability)
    }
    let moments: [(String, Double, Double)] = [
      ("mean", 0, 1), ("mean of x²", 1, 2), ("mean of x³", 0, 15), ("mean of x⁴", 3, 96),
    ]
    return moments.enumerated().map { k, moment in
      Quality(name: moment.0, found: sums[k + 1] / n, expected: moment.1, deviation: (moment.2 / n).squareRoot())
    }
      + (0..<3).map { k in
        let probability = 2 * below(-Double(k + 3))
        return Quality(
          name: "beyond ±\(k + 3)", found: tails[k], expected: n * probability,
          deviation: (n * probability).squareRoot())
      } + [
        Quality(name: "correlation of neighbours", found: neighbours / n, expected: 0, deviation: 1 / n.squareRoot()),
        Quality(name: "correlation at a distance of 256", found: apart / n, expected: 0, deviation: 1 / n.squareRoot()),
        Quality(name: "chi-square over 202 bins", found: chiSquare, expected: 201, deviation: 402.0.squareRoot()),
      ]
  }
}
