import Foundation
import SchedulersFixtures
import Testing

@testable import Schedulers
@testable import SchedulersInterop

/// The square root of torch on AMD's processors.
@Suite struct TorchRootTests {
  private struct Stretch: Decodable {
    let first, stride: UInt32
    let count, notNearest: Int
    let checksum: String
    let samples: [[Int]]

    func values() -> [Float] { (0..<count).map { Float(bitPattern: first + stride * UInt32($0)) } }
  }

  private static func stretches() throws -> [Stretch] {
    try JSONDecoder().decode([Stretch].self, from: Fixtures.data("torch-roots.json"))
  }

  @Test func `roots are torch's, bit for bit`() throws {
    let stretches = try Self.stretches()
    #expect(stretches.count == 5)
    for stretch in stretches {
      let values = stretch.values()
      let roots = values.map { TorchArithmetic(isOnAMD: true).root($0) }
      for sample in stretch.samples {
        #expect(Int(roots[sample[0]].bitPattern) == sample[1], "√\(values[sample[0]])")
      }
      var digest: UInt64 = 0xcbf2_9ce4_8422_2325
      for root in roots { digest = (digest ^ UInt64(root.bitPattern)) &* 0x100_0000_01b3 }
      #expect(digest == UInt64(stretch.checksum, radix: 16))
      let differing = zip(values, roots).count { $0.squareRoot() != $1 }
      #expect(differing == stretch.notNearest && differing > stretch.count / 10)
      Comparisons.count(roots.count)
    }
  }

  @Test func `elsewhere roots are the nearest numbers`() {
    // 1 + 1025·2⁻²³: its root is 0.516 ulp below what AMD's processors make of it.
    let x: Float = 0x1.000802p0
    #expect(TorchArithmetic(isOnAMD: false).root(x) == 0x1.0004p0)
    #expect(TorchArithmetic(isOnAMD: true).root(x) == 0x1.000402p0)
  }

  @Test func `0, infinity, negative and subnormal numbers have the roots that IEEE 754 gives them`() {
    for x: Float in [0, -0.0, .infinity, 0x1p-148, 0x1p-126, 0x1p126] {
      #expect(TorchArithmetic(isOnAMD: true).root(x) == x.squareRoot())
    }
    #expect(TorchArithmetic(isOnAMD: true).root(-1).isNaN && TorchArithmetic(isOnAMD: true).root(.nan).isNaN)
  }
}
