import Foundation
import SchedulersFixtures
import Testing

@testable import Schedulers
@testable import SchedulersInterop

/// Everything against JAX 0.10 itself: `Fixtures/recipes/jax_noise.py`.
@Suite struct JAXNoiseTests {
  private struct File: Decodable {
    let normals, uniforms: [RecordedDraws]
    let split: [[Double]]
  }

  private static let file = Result { try Fixtures.json("noise-jax.json", as: File.self) }

  private func checkNormals(where isWanted: (RecordedDraws) -> Bool) throws {
    for entry in try Self.file.get().normals where isWanted(entry) {
      var noise = JAXNoise(seed: entry.seedNumber)
      // No C library takes part.
      entry.check(entry.draws.flatMap { noise.next(like: [Double](repeating: 0, count: $0)) }, tolerance: 0)
    }
  }

  @Test func `normals are JAX's, of every seed and size`() throws {
    #expect(try Self.file.get().normals.count == 4)
    try checkNormals { !$0.isLong }
  }

  @Test(.enabled(if: RecordedDraws.includesMillions))
  func `a million normals are JAX's`() throws { try checkNormals { $0.isLong } }

  @Test func `uniforms are JAX's`() throws {
    for entry in try Self.file.get().uniforms {
      entry.check(JAXKey(seed: entry.seedNumber).uniforms(1000).map { Double($0) }, tolerance: 0)
    }
  }

  @Test func `split keys are JAX's`() throws {
    let keys = JAXKey(seed: 9).split(3)
    #expect(try keys.map { $0.normals(2).map { Double($0) } } == Self.file.get().split)
    // Seeds have 32 bits there.
    #expect(JAXKey(seed: 1 << 32 + 9) == JAXKey(seed: 9))
  }

  @Test func `a source saved between two draws continues with the same numbers`() throws {
    var noise = JAXNoise(seed: 7)
    _ = noise.next(like: [0.0])
    var restored = try JSONDecoder().decode(JAXNoise.self, from: JSONEncoder().encode(noise))
    #expect(restored == noise && restored.hashValue == noise.hashValue)
    #expect(restored.next(like: [0.0, 0]) == noise.next(like: [0.0, 0]))
  }
}
