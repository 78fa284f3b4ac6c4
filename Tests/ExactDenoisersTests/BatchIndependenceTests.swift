import DigitsModel
import Schedulers
import Testing

@testable import ExactDenoisers

/// A sample's answer is bit for bit the same in whatever company it comes.
@Suite struct BatchIndependenceTests {
  static let count = 100

  private func check(_ denoiser: some ExactDenoiser<Double>, size: Int) {
    let x = normals(Self.count, denoiser.dimension, seed: 3)
    let level = NoiseLevel.variancePreserving(sigma: 0.7)
    let whole = denoiser.output(for: batch(x), at: level, as: .x0)
    for start in stride(from: 0, through: Self.count - size, by: size) {
      let part = denoiser.output(for: batch(Array(x[start..<start + size])), at: level, as: .x0)
      for i in 0..<size { #expect(part[i] == whole[start + i], "sample \(start + i) in a batch of \(size)") }
    }
    // 37 and 100 have no common divisor, so this visits every sample, each at another place and in
    // another tile.
    let order = (0..<Self.count).map { $0 * 37 % Self.count }
    let permuted = denoiser.output(for: batch(order.map { x[$0] }), at: level, as: .x0)
    for (i, j) in order.enumerated() { #expect(permuted[i] == whole[j], "sample \(j) at position \(i)") }
  }

  @Test(arguments: [1, 3, 7, 16, 64, 100]) func aDigitIsTheSameInEveryBatch(size: Int) throws {
    check(try Dataset<Double>(points: Digits().images), size: size)
  }

  @Test(arguments: [1, 3, 7, 16, 64, 100], 0..<3) func aSampleIsTheSameInEveryBatch(size: Int, kind: Int) throws {
    check(try denoisers()[kind], size: size)
  }

  // The sizes at which OpenBLAS's kernels were seen to round a position differently, with tiles of
  // 16.
  @Test(arguments: [(500, 2), (500, 7), (500, 64), (1797, 2), (3000, 16), (10, 256), (177, 500)])
  func aSampleIsTheSameWhateverTheSizeOfTheDataSet(count: Int, dimension: Int) throws {
    check(try Dataset<Double>(points: normals(count, dimension, seed: 4)), size: 16)
  }

  @Test func aSampleWithNaNLeavesTheOthersAlone() throws {
    var x = normals(5, 5, seed: 11)
    let level = NoiseLevel.variancePreserving(sigma: 1)
    for denoiser in try denoisers() {
      let clean = denoiser.output(for: batch(x), at: level, as: .x0)
      x[2][3] = .nan
      let output = denoiser.output(for: batch(x), at: level, as: .x0)
      for i in [0, 1, 3, 4] { #expect(output[i] == clean[i]) }
      #expect(output[2].scalars.allSatisfy { $0.isNaN })
      x[2][3] = 0
    }
  }
}
