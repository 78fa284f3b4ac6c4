import Foundation
import Testing

/// Numbers that another library drew, as the recipes of `Fixtures` record them: a checksum over
/// their 64-bit words, and samples.
struct RecordedDraws: Decodable {
  /// The sizes of consecutive draws.
  let draws: [Int]
  /// The options of the drawing function, where it has them.
  let precision: String?
  let arithmetic: String?
  let low: Int?
  let high: Int?
  private let seed: String
  private let checksum: String
  private let samples: [Sample]

  var seedNumber: UInt64 { UInt64(seed, radix: 16)! }
  var range: Range<Int> { low!..<high! }
  var isLong: Bool { draws.reduce(0, +) > 100_000 }
  var description: String {
    [precision, arithmetic, "seed \(seed), draws \(draws)"].compactMap(\.self).joined(separator: " ")
  }

  struct Sample: Decodable {
    let position: Int
    let word: UInt64

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      position = try container.decode(Int.self)
      word = try #require(UInt64(try container.decode(String.self), radix: 16))
    }
  }

  /// Whether the C library is the one that the recorded numbers were made with.
  static var hasSameLibrary: Bool {
    #if canImport(Glibc)
      true
    #else
      false
    #endif
  }

  /// Expects the very same numbers, or, where another C library takes part, samples that are near.
  ///
  /// - Parameter tolerance: the distance that the other library explains; 0 if none takes part.
  func check(_ values: [Double], tolerance: Double) {
    for sample in samples {
      let expected = Double(bitPattern: sample.word)
      let distance = abs(values[sample.position] - expected)
      #expect(distance <= (Self.hasSameLibrary ? 0 : tolerance), "number \(sample.position) of \(description)")
    }
    if Self.hasSameLibrary || tolerance == 0 { check(words: values.map(\.bitPattern)) }
  }

  /// Expects the very same words.
  func check(words: [UInt64]) {
    #expect(samples.allSatisfy { words[$0.position] == $0.word }, "\(description)")
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for word in words { digest = (digest ^ word) &* 0x100_0000_01b3 }
    #expect(String(digest, radix: 16) == String(UInt64(checksum, radix: 16)!, radix: 16), "\(description)")
    Comparisons.count(words.count)
  }

  /// Expects the very same whole numbers.
  func check(integers: [Int]) { check(words: integers.map { UInt64(bitPattern: Int64($0)) }) }

  /// Whether runs of a million numbers are asked for, which take a while in a debug build.
  static let includesMillions = ProcessInfo.processInfo.environment["SCHEDULERS_MILLIONS"] != nil
}
