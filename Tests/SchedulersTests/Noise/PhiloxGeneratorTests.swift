import Foundation
import SchedulersFixtures
import Testing

@testable import Schedulers

@Suite struct PhiloxGeneratorTests {
  @Test func `its numbers are the Philox words that its layout names`() throws {
    let known = try Safetensors("timestep-sampling.safetensors")
    for (seed, stream) in [(UInt64(0), UInt64(0)), (42, 3), (.max, 1 << 40 + 5)] {
      let words = try known.integers("philox/\(String(seed, radix: 16))/\(stream)").map {
        UInt64(bitPattern: Int64($0))
      }
      var generator = PhiloxGenerator(seed: seed, stream: stream)
      var numbers = (0..<5).map { _ in generator.next() }
      #expect(generator.position == 5)
      generator.position = 1 << 33 + 1
      numbers.append(generator.next())
      #expect(numbers == words)
    }
  }

  @Test func `a saved generator continues with the same numbers`() throws {
    var generator = PhiloxGenerator(seed: 7, stream: 1)
    for _ in 0..<3 { _ = generator.next() }
    var restored = try JSONDecoder().decode(PhiloxGenerator.self, from: JSONEncoder().encode(generator))
    #expect(restored == generator)
    let next = generator.next()
    #expect(restored.next() == next)
  }

  @Test func `the last position is followed by the first`() {
    var generator = PhiloxGenerator(seed: 1)
    let first = generator.next()
    generator.position = .max
    _ = generator.next()
    #expect(generator.next() == first)
  }

  @Test func `a uniform number is the middle of one of 2^52 equal slices, by the upper bits`() {
    var ends = Replay(words: [0, 0xfff, 0x1000, .max, 1 << 63])
    #expect(ends.uniform() == 0x1p-53)
    #expect(ends.uniform() == 0x1p-53)
    #expect(ends.uniform() == 0x3p-53)
    #expect(ends.uniform() == 1 - 0x1p-53)
    #expect(ends.uniform() == 0.5 + 0x1p-53)
  }
}
