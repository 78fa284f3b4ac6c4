import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// Everything against torchsde 0.2.6 itself: `Fixtures/recipes/torchsde_noise.py`.
@Suite struct TorchSDENoiseTests {
  private struct Entry: Decodable {
    let seeds: [UInt64]
    let least, most: Double
    let shape: [Int]
    let sigmas: [Double]
    let draws: RecordedDraws

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      seeds = try container.decode([UInt64].self, forKey: .seeds)
      (least, most) = try (container.decode(Double.self, forKey: .least), container.decode(Double.self, forKey: .most))
      shape = try container.decode([Int].self, forKey: .shape)
      sigmas = try container.decode([Double].self, forKey: .sigmas)
      draws = try RecordedDraws(from: decoder)
    }
    enum CodingKeys: CodingKey { case seeds, least, most, shape, sigmas }

    func noise() -> TorchSDENoise { TorchSDENoise(seeds: seeds, sigmas: least...most) }
    var like: SampleBatch<Float> { SampleBatch(zeros: shape) }
  }

  private static let file = Result { try Fixtures.json("noise-torchsde.json", as: [Entry].self) }

  @Test func `increments are those of torchsde`() throws {
    for entry in try Self.file.get() {
      var noise = entry.noise()
      let values = zip(entry.sigmas, entry.sigmas.dropFirst()).flatMap { start, end in
        noise.next(like: entry.like, from: start, to: end).scalars.map(Double.init)
      }
      // Fewer than 16 normals are those of the C library; a difference of theirs grows by the
      // levels of a tree, thirty at most, and by the root of a ratio of lengths.
      entry.draws.check(values, tolerance: 4e-5)
    }
  }

  @Test func `a step's noise does not depend on the steps before`() throws {
    let entry = try #require(try Self.file.get().first)
    var (noise, other) = (entry.noise(), entry.noise())
    _ = noise.next(like: entry.like, from: 9, to: 3)
    #expect(noise.next(like: entry.like, from: 3, to: 1) == other.next(like: entry.like, from: 3, to: 1))
    #expect(
      noise.next(like: entry.like, from: 1, to: 3).scalars
        == other.next(like: entry.like, from: 3, to: 1).scalars.map { -$0 })
    // Times within half a millionth are the same.
    for end in [3, 3 + 1e-7] {
      #expect(noise.next(like: entry.like, from: 3, to: end).scalars.allSatisfy { $0 == 0 })
    }
  }

  @Test func `it can be saved, and what cannot be a tree is refused`() throws {
    let entry = try #require(try Self.file.get().first)
    let data = try JSONEncoder().encode(entry.noise())
    #expect(try JSONDecoder().decode(TorchSDENoise.self, from: data) == entry.noise())
    let text = String(decoding: data, as: UTF8.self)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(
        TorchSDENoise.self, from: Data(text.replacing("\"seeds\":[0]", with: "\"seeds\":[]").utf8))
    }
  }

  @Test func `a tree without a length traps`() async {
    await #expect(processExitsWith: .failure) { _ = TorchSDENoise(seed: 0, sigmas: 1...1) }
    await #expect(processExitsWith: .failure) { _ = TorchSDENoise(seeds: [], sigmas: 1...2) }
  }
}
