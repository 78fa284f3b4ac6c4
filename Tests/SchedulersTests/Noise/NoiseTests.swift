import Foundation
import SchedulersFixtures
import SchedulersKernelsBaseline
import Testing

@testable import Schedulers

@Suite struct NoiseTests {
  private struct KnownAnswers: Decodable {
    struct Words: Decodable {
      let counter: [UInt32]
      let key: String
      let words: String
    }
    struct Normal: Decodable {
      let seed: String
      let sample: UInt64
      let draw: UInt32
      let element: Int
      let normal: Double
    }
    let philox: [Words]
    let normals: [Normal]
  }

  private struct Bits: Decodable {
    let seed: String
    let sample: UInt64
    let draw: Int
    let count: Int
    let first: [String]
    let checksum: String
  }

  @Test func `Philox gives the published words`() throws {
    let known = try Fixtures.json("noise.json", as: KnownAnswers.self).philox
    #expect(known.count == 3)
    for answer in known {
      let c = answer.counter
      let key = try #require(UInt64(answer.key, radix: 16))
      let words = Philox.words(counter: (c[0], c[1], c[2], c[3]), key: key)
      let text = [words.0, words.1, words.2, words.3].map { String(format: "%08x", $0) }.joined(separator: " ")
      #expect(text == answer.words)
    }
  }

  @Test func `a normal is within its documented error of the exact one, by address`() throws {
    let known = try Fixtures.json("noise.json", as: KnownAnswers.self).normals
    #expect(known.count == 80)
    for answer in known {
      let noise = GaussianNoise(seed: try #require(UInt64(answer.seed, radix: 16)))
      let normal = noise.normal(element: answer.element, sample: answer.sample, draw: answer.draw)
      #expect(abs(Double(normal) - answer.normal) <= 1e-6)
    }
  }

  @Test func `the numbers of a seed are frozen to the bit`() throws {
    let known = try Fixtures.json("noise-float32.json", as: [Bits].self)
    #expect(known.count == 5)
    for answer in known {
      var noise = GaussianNoise(seed: try #require(UInt64(answer.seed, radix: 16)), firstSample: answer.sample)
      for _ in 0..<answer.draw { _ = noise.next(like: [Float(0)]) }
      let values = noise.next(like: [Float](repeating: 0, count: answer.count))
      #expect(values.prefix(8).map { String(format: "%08x", $0.bitPattern) } == answer.first)
      #expect(String(format: "%016lx", checksum(values)) == answer.checksum)
    }
  }

  /// FNV-1a over the little-endian bytes.
  private func checksum(_ values: [Float]) -> UInt64 {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for value in values {
      for shift in stride(from: 0, to: 32, by: 8) {
        digest = (digest ^ UInt64(value.bitPattern >> shift & 0xff)) &* 0x100_0000_01b3
      }
    }
    return digest
  }

  @Test func `a sample's noise does not depend on the batch it sits in`() {
    var whole = GaussianNoise(seed: 5)
    var part = GaussianNoise(seed: 5, firstSample: 3)
    for _ in 0..<3 {
      let all = whole.next(like: SampleBatch<Float>(zeros: [7, 2, 150]))
      let some = part.next(like: SampleBatch<Float>(zeros: [2, 300]))
      #expect(Array(all.scalars[900..<1500]) == some.scalars)
    }
  }

  @Test func `with a seed for each sample, every sample is the one that its seed makes alone`() throws {
    let seeds: [UInt64] = [7, .max, 7, 0]
    var whole = GaussianNoise(seeds: seeds)
    #expect(whole.seeds == seeds && whole.seed == 7 && whole.firstSample == 0)
    var alone = seeds.map { GaussianNoise(seed: $0) }
    for draw in 0..<3 {
      let all =
        draw == 2
        ? { () -> SampleBatch<Float> in
          var tensor = SampleBatch<Float>(zeros: [4, 2, 150])
          whole.fill(&tensor, threads: 3)
          return tensor
        }() : whole.next(like: SampleBatch<Float>(zeros: [4, 2, 150]))
      for n in seeds.indices { #expect(all[n] == alone[n].next(like: SampleBatch<Float>(zeros: [1, 2, 150]))) }
      #expect(all[0] == all[2] && all[0] != all[1])
      if draw == 0 { whole = try JSONDecoder().decode(GaussianNoise.self, from: JSONEncoder().encode(whole)) }
    }
    #expect(whole.draws == 3)
  }

  @Test func `sources that were saved before samples had seeds are read, and seeds that do not fit are errors`() throws
  {
    let saved = #"{"seed":18446744073709551615,"firstSample":9,"draws":2}"#
    let noise = try JSONDecoder().decode(GaussianNoise.self, from: Data(saved.utf8))
    #expect(noise.seed == .max && noise.firstSample == 9 && noise.draws == 2 && noise.seeds == nil)
    for text in [#""seed":1,"seeds":[]"#, #""seed":1,"seeds":[2,1]"#] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(GaussianNoise.self, from: Data("{\(text),\"firstSample\":0,\"draws\":0}".utf8))
      }
    }
  }

  @Test func `a number can be had by its address, without those before it`() {
    var noise = GaussianNoise(seed: 99, firstSample: 2)
    _ = noise.next(like: [Float(0)])
    let values = noise.next(like: SampleBatch<Float>(zeros: [2, 700]))
    for element in stride(from: 0, to: 700, by: 13) {
      #expect(noise.normal(element: element, sample: 2, draw: 1) == values.scalars[element])
      #expect(noise.normal(element: element, sample: 3, draw: 1) == values.scalars[700 + element])
    }
  }

  @Test func `a draw in place is a draw, on any number of threads`() {
    var source = GaussianNoise(seed: 99, firstSample: 2)
    let draws = (0..<3).map { _ in source.next(like: SampleBatch<Float>(zeros: [5, 1500])) }
    for threads in [nil, 1, 2, 3, 8] {
      var source = GaussianNoise(seed: 99, firstSample: 2)
      var tensor = SampleBatch<Float>(zeros: [5, 1500])
      for draw in draws {
        source.fill(&tensor, threads: threads)
        #expect(tensor == draw)
      }
    }
    var empty: [Float] = []
    source.fill(&empty)
    #expect(source.draws == 4)
  }

  @Test func `an element beyond the addresses of a sample is refused`() async {
    await #expect(processExitsWith: .failure) {
      _ = GaussianNoise(seed: 0).normal(element: 1 << 34, sample: 0, draw: 0)
    }
    await #expect(processExitsWith: .failure) { _ = GaussianNoise(seed: 0).normal(element: -300, sample: 0, draw: 0) }
  }

  @Test func `more or fewer seeds than samples are refused`() async {
    let more = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var noise = GaussianNoise(seeds: [1, 2, 3])
      _ = noise.next(like: SampleBatch<Float>(zeros: [2, 4]))
    }
    #expect(said(by: more).contains("3 seeds for a tensor of 2 samples; give one for each"))
    let fewer = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 9), steps: 3, spacing: TimestepSpacing.trailing)
      var noise = GaussianNoise(seeds: [1])
      let start = SampleBatch<Float>(zeros: [2, 4])
      _ = try DDPM().plan(over: grid, predicting: .v).sample(from: start, using: &noise) { x, _ in x }
    }
    #expect(said(by: fewer).contains("1 seeds for a tensor of 2 samples; give one for each"))
    let none = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GaussianNoise(seeds: [])
    }
    #expect(said(by: none).contains("there are no seeds; give one for each sample"))
  }

  @Test func `all scalar types see the same numbers`() {
    var (a, b) = (GaussianNoise(seed: 1), GaussianNoise(seed: 1))
    let single = a.next(like: [Float](repeating: 0, count: 500))
    #expect(b.next(like: [Double](repeating: 0, count: 500)) == single.map(Double.init))
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      var c = GaussianNoise(seed: 1)
      #expect(c.next(like: [Float16](repeating: 0, count: 500)) == single.map { Float16($0) })
    #endif
  }

  @Test func `a saved source continues with the same numbers`() throws {
    var noise = GaussianNoise(seed: .max, firstSample: 9)
    _ = noise.next(like: [0.0])
    var restored = try JSONDecoder().decode(GaussianNoise.self, from: JSONEncoder().encode(noise))
    #expect(restored == noise)
    #expect(restored.next(like: [0.0, 0]) == noise.next(like: [0.0, 0]))
  }

  @Test func `the extreme words give the largest and the smallest radius`() {
    // u = 2⁻³²: √(2·32·ln 2) = 6.6604...; u = 1: 0.
    let (x, y) = BoxMuller.normals(0, 0x2000_0000)
    #expect(abs((x * x + y * y).squareRoot() - 6.6604) < 1e-4)
    let zero = BoxMuller.normals(.max, 12345)
    #expect(zero.0 == 0 && zero.1 == 0)
  }

  @Test func `a quarter million numbers have the moments of the normal`() {
    var noise = GaussianNoise(seed: 2026)
    let count = 1 << 18
    let values = noise.next(like: [Double](repeating: 0, count: count))
    func mean(_ f: (Double) -> Double) -> Double { values.reduce(0) { $0 + f($1) } / Double(count) }
    // Five standard errors of each mean: the variances of x, x², x³, x⁴ are 1, 2, 15, 96.
    let error = 5 / Double(count).squareRoot()
    #expect(abs(mean { $0 }) < error)
    #expect(abs(mean { $0 * $0 } - 1) < error * 2.squareRoot())
    #expect(abs(mean { $0 * $0 * $0 }) < error * 15.squareRoot())
    #expect(abs(mean { $0 * $0 * $0 * $0 } - 3) < error * 96.squareRoot())
    for lag in [1, 64, 128, 256] {
      let products = zip(values, values.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(products / Double(count - lag)) < error)
    }
  }
}
