import Foundation
import SchedulersFixtures
import Testing

@testable import Schedulers
@testable import SchedulersInterop

/// Everything against NumPy 2.4 itself: `Fixtures/recipes/numpy_noise.py`.
@Suite struct NumPyNoiseTests {
  private struct File: Decodable {
    struct Draws: Decodable {
      let normals, uniforms, integers, permutations: [RecordedDraws]
      let mixed: [[Double]]
    }
    let state, generator: Draws
    /// FNV-1a over the words of each of the ziggurat's tables, as NumPy has them.
    let tables: [String: String]
  }

  private static let file = Result { try Fixtures.json("noise-numpy.json", as: File.self) }

  private func checkNormals(where isWanted: (RecordedDraws) -> Bool) throws {
    // A logarithm and an exponential of another C library may differ by an ulp each, which is
    // halved by a root; numbers are below 8.6.
    for entry in try Self.file.get().state.normals where isWanted(entry) {
      var state = NumPyRandomState(seed: UInt32(entry.seedNumber))
      entry.check(entry.draws.flatMap { state.normals($0) }, tolerance: 8 * unit * 8.6)
    }
    for entry in try Self.file.get().generator.normals where isWanted(entry) {
      let precision = try #require(NumPyGenerator.Precision(rawValue: entry.precision!))
      var generator = NumPyGenerator(seed: entry.seedNumber)
      let values: [Double] = entry.draws.flatMap { generator.normals($0, precision: precision) }
      entry.check(values, tolerance: (precision == .float32 ? 0x1p-21 : 8 * unit) * 8.6)
    }
  }

  @Test func `every entry of the ziggurat's tables is NumPy's`() throws {
    func checksum(_ words: [UInt64]) -> String {
      String(words.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 } as UInt64, radix: 16)
    }
    let (wide, narrow) = (ZigguratTables.double, ZigguratTables.float)
    let found = [
      "ki_double": wide.ki, "wi_double": wide.wi.map(\.bitPattern), "fi_double": wide.fi.map(\.bitPattern),
      "ki_float": narrow.ki, "wi_float": narrow.wi.map { UInt64($0.bitPattern) },
      "fi_float": narrow.fi.map { UInt64($0.bitPattern) },
    ].mapValues(checksum)
    #expect(try found == Self.file.get().tables)
    Comparisons.count(6 * 256)
  }

  @Test func `normals are NumPy's, of both generators and every seed`() throws {
    #expect(try Self.file.get().state.normals.count == 5 && Self.file.get().generator.normals.count == 12)
    try checkNormals { !$0.isLong }
  }

  @Test(.enabled(if: RecordedDraws.includesMillions))
  func `a million normals are NumPy's, of both generators`() throws { try checkNormals { $0.isLong } }

  @Test func `uniforms are NumPy's`() throws {
    let file = try Self.file.get()
    #expect(file.state.uniforms.count == 1 && file.generator.uniforms.count == 2)
    for entry in file.state.uniforms {
      var state = NumPyRandomState(seed: UInt32(entry.seedNumber))
      entry.check(entry.draws.flatMap { state.uniforms($0) }, tolerance: 0)
    }
    for entry in file.generator.uniforms {
      let precision = try #require(NumPyGenerator.Precision(rawValue: entry.precision!))
      var generator = NumPyGenerator(seed: entry.seedNumber)
      entry.check(entry.draws.flatMap { generator.uniforms($0, precision: precision) }, tolerance: 0)
    }
  }

  @Test func `integers are NumPy's, in ranges of every kind`() throws {
    let file = try Self.file.get()
    #expect(file.state.integers.count == 9 && file.generator.integers.count == 9)
    for entry in file.state.integers {
      var state = NumPyRandomState(seed: UInt32(entry.seedNumber))
      entry.check(integers: entry.draws.flatMap { state.integers(in: entry.range, count: $0) })
    }
    for entry in file.generator.integers {
      var generator = NumPyGenerator(seed: entry.seedNumber)
      entry.check(integers: entry.draws.flatMap { generator.integers(in: entry.range, count: $0) })
    }
  }

  @Test func `permutations are NumPy's`() throws {
    let file = try Self.file.get()
    #expect(file.state.permutations.count == 2 && file.generator.permutations.count == 2)
    for entry in file.state.permutations {
      var state = NumPyRandomState(seed: UInt32(entry.seedNumber))
      entry.check(integers: entry.draws.flatMap { state.permutation($0) })
    }
    for entry in file.generator.permutations {
      var generator = NumPyGenerator(seed: entry.seedNumber)
      entry.check(integers: entry.draws.flatMap { generator.permutation($0) })
    }
  }

  @Test func `all kinds of draws take from one stream`() throws {
    let file = try Self.file.get()
    func isNear(_ values: [Double], _ expected: [Double]) -> Bool {
      let tolerance = RecordedDraws.hasSameLibrary ? 0 : 8 * unit
      return zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance * 8.6 } && values.count == expected.count
    }
    func doubles(_ integers: [Int]) -> [Double] { integers.map { Double($0) } }
    var state = NumPyRandomState(seed: 11)
    #expect(isNear(state.normals(3), file.state.mixed[0]))
    #expect(isNear(state.uniforms(2), file.state.mixed[1]))
    #expect(isNear(doubles(state.integers(in: 0..<10, count: 2)), file.state.mixed[2]))
    #expect(isNear(doubles(state.permutation(4)), file.state.mixed[3]))
    #expect(isNear(state.normals(2), file.state.mixed[4]))
    var generator = NumPyGenerator(seed: 11)
    #expect(isNear(generator.normals(3, precision: .float32), file.generator.mixed[0]))
    #expect(isNear(generator.uniforms(2), file.generator.mixed[1]))
    #expect(isNear(doubles(generator.integers(in: 0..<10, count: 2)), file.generator.mixed[2]))
    #expect(isNear(generator.normals(2), file.generator.mixed[3]))
    #expect(isNear(doubles(generator.permutation(4)), file.generator.mixed[4]))
    #expect(isNear(generator.uniforms(3, precision: .float32), file.generator.mixed[5]))
  }

  @Test func `a tensor is one draw of all its numbers`() {
    var (state, generator) = (NumPyRandomState(seed: 3), NumPyGenerator(seed: 3, precision: .float32))
    var (states, generators) = (state, generator)
    let zeros = SampleBatch<Float>(zeros: [2, 3, 5])
    #expect(state.next(like: zeros).scalars == states.normals(30).map { Float($0) })
    #expect(generator.next(like: zeros).scalars == generators.normals(30, precision: .float32))
    #expect(state == states && generator == generators)
  }

  @Test func `a source saved between two draws continues with the same numbers`() throws {
    var state = NumPyRandomState(seed: 3)
    var generator = NumPyGenerator(seed: 3, precision: .float32)
    // An odd number of either leaves half of a pair.
    _ = (state.next(like: [0.0]), generator.next(like: [0.0]))
    var (savedState, savedGenerator) = try JSONDecoder().decode(
      Pair.self, from: JSONEncoder().encode(Pair(state: state, generator: generator))
    ).both
    #expect(savedState == state && savedGenerator == generator)
    #expect(savedState.next(like: [0.0, 0]) == state.next(like: [0.0, 0]))
    #expect(savedGenerator.next(like: [0.0, 0]) == generator.next(like: [0.0, 0]))
    #expect(savedState.hashValue == state.hashValue && savedGenerator.hashValue == generator.hashValue)
  }

  private struct Pair: Codable {
    let state: NumPyRandomState
    let generator: NumPyGenerator
    var both: (NumPyRandomState, NumPyGenerator) { (state, generator) }
  }

  @Test(arguments: [
    #"{"state":[1],"increment":[1,1]}"#, #"{"state":[1,2],"increment":[1,2]}"#, #"{"state":[1,2],"increment":[]}"#,
  ])
  func `a damaged state is an error`(text: String) {
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(PCG64.self, from: Data(text.utf8)) }
  }

  @Test func `what cannot be drawn is refused`() async {
    await #expect(processExitsWith: .failure) {
      var state = NumPyRandomState(seed: 0)
      _ = state.integers(in: 3..<3, count: 1)
    }
    await #expect(processExitsWith: .failure) {
      var generator = NumPyGenerator(seed: 0)
      _ = generator.integers(in: 3..<3, count: 1)
    }
    await #expect(processExitsWith: .failure) {
      var state = NumPyRandomState(seed: 0)
      _ = state.permutation(-1)
    }
    await #expect(processExitsWith: .failure) {
      var generator = NumPyGenerator(seed: 0)
      _ = generator.permutation(-1)
    }
  }
}
