import Foundation
import Schedulers
import SchedulersKernelInterface
import SchedulersKernels
import Testing

@Suite struct QuantileKernelTests {
  /// The magnitudes of ½·x + ½·x.
  private func magnitudes<Scalar: SampleScalar>(_ values: [Scalar], rank: Int, by table: KernelTable) throws -> (
    Double, Double
  ) {
    let loops = try #require(Scalar._loops(of: table))
    var copy = values
    return copy.withUnsafeMutableBufferPointer { x in
      var call = StepCall<Scalar>(
        range: 0..<x.count, sample: x.baseAddress!, output: x.baseAddress!, next: .init(x: 0, v: 0),
        terms: UnsafeBufferPointer(start: nil, count: 0))
      call.limits = .init(sample: 0.5, output: 0.5, low: 0, high: 0)
      return withUnsafePointer(to: call) { loops.magnitudes($0, rank) }
    }
  }

  private func check<Scalar: SampleScalar>(_: Scalar.Type) throws {
    var generator = SplitMix64(seed: 23)
    for table in Kernels.available {
      for count in [1, 2, 15, 127, 128, 129, 1000, 9000] {
        for kind in 0..<3 {
          // Spread over many powers of two; all in a few; with many equal.
          let values: [Scalar] = (0..<count).map { _ in
            let value = Double.random(in: -1...1, using: &generator)
            return Scalar(
              [value * pow(2, Double.random(in: -12...12, using: &generator)), value, (value * 4).rounded()][kind])
          }
          let sorted = values.map { Double($0.magnitude) }.sorted()
          for rank in Set([0, count / 3, count * 199 / 200, max(count - 2, 0), count - 1]) {
            let (low, high) = try magnitudes(values, rank: rank, by: table)
            #expect(low == sorted[rank])
            #expect(rank == count - 1 || high == sorted[rank + 1])
          }
        }
      }
      // The guess comes from every fourth of them, all of which are large.
      let uneven = (0..<4100).map { Scalar($0.isMultiple(of: 4) ? 1000 + $0 % 7 : $0 % 100) }
      let sorted = uneven.map { Double($0) }.sorted()
      #expect(try magnitudes(uneven, rank: 2000, by: table) == (sorted[2000], sorted[2001]))
      var values = [Scalar](repeating: -3, count: 200)
      values[150] = -.infinity
      #expect(try magnitudes(values, rank: 198, by: table) == (3, .infinity))
      values[70] = -.nan
      #expect(try magnitudes(values, rank: 0, by: table).0.isNaN)
    }
  }

  @Test func `magnitudes are found by rank as by sorting`() throws {
    try check(Float.self)
    try check(Double.self)
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      try check(Float16.self)
    #endif
  }
}
