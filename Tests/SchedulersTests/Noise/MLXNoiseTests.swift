import Foundation
import SchedulersFixtures
import Testing

@testable import Schedulers
@testable import SchedulersInterop

/// Everything against MLX 0.32 itself: `Fixtures/recipes/mlx_noise.py`.
@Suite struct MLXNoiseTests {
  private struct File: Decodable {
    let normals, uniforms: [RecordedDraws]
    let split: [[Double]]
  }

  private static let file = Result { try Fixtures.json("noise-mlx.json", as: File.self) }

  private func checkNormals(where isWanted: (RecordedDraws) -> Bool) throws {
    for entry in try Self.file.get().normals where isWanted(entry) {
      var noise = MLXNoise(seed: entry.seedNumber)
      // Another C library's logarithm may be 1 ulp off. Near the ends, where ln(1 − x²) is −16, its
      // polynomial's slope is below 0.2.
      entry.check(entry.draws.flatMap { noise.next(like: [Double](repeating: 0, count: $0)) }, tolerance: 2e-6)
    }
  }

  @Test func `normals are MLX's, of every seed and size`() throws {
    #expect(try Self.file.get().normals.count == 4)
    try checkNormals { !$0.isLong }
  }

  @Test(.enabled(if: RecordedDraws.includesMillions))
  func `a million normals are MLX's`() throws { try checkNormals { $0.isLong } }

  @Test func `uniforms are MLX's`() throws {
    for entry in try Self.file.get().uniforms {
      entry.check(MLXKey(seed: entry.seedNumber).uniforms(entry.draws[0]).map { Double($0) }, tolerance: 0)
    }
  }

  @Test func `split keys are MLX's`() throws {
    let expected = try Self.file.get().split
    for (key, normals) in zip(MLXKey(seed: 9).split(3), expected) {
      for (normal, other) in zip(key.normals(2), normals) { #expect(abs(Double(normal) - other) < 2e-6) }
    }
    #expect(expected.count == 3)
    // Seeds have 64 bits here.
    #expect(MLXKey(seed: 1 << 32 + 9) != MLXKey(seed: 9))
  }

  @Test func `a source saved between two draws continues with the same numbers`() throws {
    var noise = MLXNoise(seed: 7)
    _ = noise.next(like: [0.0])
    var restored = try JSONDecoder().decode(MLXNoise.self, from: JSONEncoder().encode(noise))
    #expect(restored == noise && restored.hashValue == noise.hashValue)
    #expect(restored.next(like: [0.0, 0]) == noise.next(like: [0.0, 0]))
  }
}
