import Foundation
import SchedulersFixtures
import SchedulersKernelInterface
import SchedulersKernels
import Testing

@testable import Schedulers
@testable import SchedulersInterop

/// Everything against torch 2.13 itself: `Fixtures/recipes/torch_noise.py`.
@Suite struct TorchNoiseTests {
  private struct File: Decodable {
    let normals, uniforms, integers, permutations: [RecordedDraws]
    let mixed, listed: [[Double]]
  }

  private static let file = Result { try Fixtures.json("noise-torch.json", as: File.self) }

  /// How far another C library may be from the recorded one.
  private func tolerance(_ precision: TorchGenerator.Precision) -> Double {
    switch precision {
    // Two functions of 1 ulp, and numbers below 8.6 (√(2·53·ln 2)).
    case .float64: 16 * unit * 8.6
    // The same with 24 bits, and a rounding that may fall to the other side.
    case .float32: 0x1p-21
    case .float16: 0x1p-8
    case .bfloat16: 0x1p-5
    }
  }

  private func checkNormals(_ entries: [RecordedDraws]) throws {
    for entry in entries {
      let precision = try #require(TorchGenerator.Precision(rawValue: entry.precision!))
      let arithmetic = try #require(TorchGenerator.Arithmetic(rawValue: entry.arithmetic!))
      var generator = TorchGenerator(seed: entry.seedNumber)
      let values: [Double] = entry.draws.flatMap { generator.normals($0, precision: precision, arithmetic: arithmetic) }
      entry.check(values, tolerance: tolerance(precision))
    }
  }

  @Test func `normals are torch's, of every precision, code path, seed and size`() throws {
    let entries = try Self.file.get().normals
    #expect(entries.count == 2 * 4 * 7)
    try checkNormals(entries.filter { !$0.isLong })
  }

  @Test(.enabled(if: RecordedDraws.includesMillions))
  func `a million normals are torch's, of every precision and code path`() throws {
    let entries = try Self.file.get().normals.filter(\.isLong)
    #expect(entries.count == 2 * 4)
    try checkNormals(entries)
  }

  @Test func `a radius of 0 gives no negative zero, as torch adds a mean of 0`() {
    // 1 − u = 1 in the first half; sines and cosines of both signs in the second.
    for table in Kernels.available {
      var values = [Float](repeating: 0, count: 8) + (0..<8).map { Float($0) / 8 + 0.0625 }
      values.withUnsafeMutableBufferPointer { table.torch.normals($0.baseAddress!, 16) }
      #expect(values.allSatisfy { $0 == 0 && $0.sign == .plus })
    }
  }

  @Test func `the loops give the same bits on every instruction set`() {
    func draws(_ table: KernelTable) -> [Float] {
      var words = (0..<624).map { UInt32(truncatingIfNeeded: $0 &* 2_654_435_761 &+ 12345) }
      words.withUnsafeMutableBufferPointer { table.torch.twist($0.baseAddress!) }
      return [Float](unsafeUninitializedCapacity: 624) { values, count in
        table.torch.uniforms(words, 624, values.baseAddress!)
        table.torch.normals(values.baseAddress!, 624)
        count = 624
      }
    }
    let expected = draws(Kernels.available[0])
    #expect(Set(expected).count > 600)
    for table in Kernels.available { #expect(draws(table) == expected, "\(table.name)") }
  }

  @Test func `uniforms are torch's, of every precision`() throws {
    let entries = try Self.file.get().uniforms
    #expect(entries.count == 4)
    for entry in entries {
      let precision = try #require(TorchGenerator.Precision(rawValue: entry.precision!))
      var generator = TorchGenerator(seed: entry.seedNumber)
      let values: [Double] = entry.draws.flatMap { generator.uniforms($0, precision: precision) }
      entry.check(values, tolerance: 0)
      // Both half precisions round some of so many to 1, which torch does not return.
      #expect(values.allSatisfy { (0..<1).contains($0) })
    }
  }

  @Test func `integers are torch's, whether 32 bits are enough for the range or not`() throws {
    let entries = try Self.file.get().integers
    #expect(entries.count == 8)
    for entry in entries {
      var generator = TorchGenerator(seed: entry.seedNumber)
      entry.check(integers: entry.draws.flatMap { generator.integers(in: entry.range, count: $0) })
    }
  }

  @Test func `permutations are torch's`() throws {
    let entries = try Self.file.get().permutations
    #expect(entries.count == 2)
    for entry in entries {
      var generator = TorchGenerator(seed: entry.seedNumber)
      entry.check(integers: entry.draws.flatMap { generator.permutation($0) })
    }
  }

  @Test func `all kinds of draws take from one stream, in which the second of a pair waits`() throws {
    let mixed = try Self.file.get().mixed
    var generator = TorchGenerator(seed: 11)
    func isNear(_ values: [Double], _ k: Int) -> Bool {
      zip(values, mixed[k]).allSatisfy { abs($0 - $1) <= (RecordedDraws.hasSameLibrary ? 0 : 0x1p-21) }
        && values.count == mixed[k].count
    }
    #expect(isNear(generator.normals(3), 0))
    #expect(isNear(generator.uniforms(2), 1))
    #expect(isNear(generator.normals(20), 2))
    #expect(isNear(generator.integers(in: 0..<10, count: 2).map { Double($0) }, 3))
    #expect(isNear(generator.normals(2, precision: .float64), 4))
    #expect(isNear(generator.permutation(4).map { Double($0) }, 5))
    #expect(isNear(generator.normals(2), 6))
  }

  @Test func `a list of generators gives each sample its own noise`() throws {
    var noise = TorchNoise(seeds: [3, 1, 4])
    for expected in try Self.file.get().listed {
      #expect(noise.next(like: SampleBatch<Double>(zeros: [3, 2, 5, 5])).scalars == expected)
    }
  }

  @Test func `a tensor filled in place holds the same numbers, of every precision`() {
    for (seeds, shape) in [([3], [2, 3, 8, 8]), ([3], [1, 7]), ([3, 1], [2, 3, 5])] {
      for precision in TorchGenerator.Precision.allCases {
        var (noise, same) = (
          TorchNoise(seeds: seeds.map(UInt64.init), precision: precision), SampleBatch<Float>(zeros: shape)
        )
        var other = noise
        noise.fill(&same)
        #expect(other.next(like: same) == same)
        #expect(other == noise)
      }
    }
  }

  @Test func `what is drawn does not depend on the scalar type of the tensor`() {
    for precision in TorchGenerator.Precision.allCases {
      for count in [7, 40] {
        var sources = (0..<3).map { _ in TorchNoise(seed: 8, precision: precision, arithmetic: .standard) }
        let exact = sources[0].next(like: [Double](repeating: 0, count: count))
        #expect(sources[1].next(like: [Float](repeating: 0, count: count)) == exact.map { Float($0) })
        #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
          let half = sources[2].next(like: [Float16](repeating: 0, count: count))
          #expect(half == exact.map { Float16($0) })
          #expect(precision != .float16 || half.map { Double($0) } == exact)
        #endif
      }
    }
  }

  @Test func `a source saved between two draws continues with the same numbers`() throws {
    var noise = TorchNoise(seeds: [1, 2], precision: .float64)
    _ = noise.next(like: SampleBatch<Double>(zeros: [2, 3]))
    var restored = try JSONDecoder().decode(TorchNoise.self, from: JSONEncoder().encode(noise))
    #expect(restored == noise)
    for size in [2, 700] {
      let zeros = SampleBatch<Double>(zeros: [2, size])
      #expect(restored.next(like: zeros) == noise.next(like: zeros))
    }
    #expect(Set([restored, noise]).count == 1)
  }

  @Test func `a damaged state is an error`() throws {
    let text = String(decoding: try JSONEncoder().encode(MersenneTwister(seed: 1)), as: UTF8.self)
    for (part, other) in [
      (#""position":624"#, #""position":625"#), (#""position":624"#, #""position":-1"#), ("[", "[7,"),
    ] {
      let damaged = text.replacingOccurrences(of: part, with: other)
      #expect(damaged != text)
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(MersenneTwister.self, from: Data(damaged.utf8)) }
    }
    let none = #"{"generators":[],"precision":"float32","arithmetic":"avx2"}"#
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(TorchNoise.self, from: Data(none.utf8)) }
  }

  @Test func `what cannot be drawn is refused`() async {
    await #expect(processExitsWith: .failure) { _ = TorchNoise(seeds: []) }
    await #expect(processExitsWith: .failure) {
      var noise = TorchNoise(seeds: [1, 2])
      _ = noise.next(like: SampleBatch<Float>(zeros: [3, 4]))
    }
    await #expect(processExitsWith: .failure) {
      var generator = TorchGenerator(seed: 0)
      _ = generator.integers(in: 3..<3, count: 1)
    }
    await #expect(processExitsWith: .failure) {
      var generator = TorchGenerator(seed: 0)
      _ = generator.permutation(214_748_364)
    }
    await #expect(processExitsWith: .failure) {
      var generator = TorchGenerator(seed: 0)
      let _: [Float] = generator.normals(-1)
    }
  }
}
