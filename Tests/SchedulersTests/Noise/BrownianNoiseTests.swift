import Foundation
import SchedulersFixtures
import Testing

@testable import Schedulers
@testable import SchedulersInterop

@Suite struct BrownianNoiseTests {
  /// Times over many octaves and beyond both ends.
  private static let times = [
    0, 0x1p-1074, 0x1p-60, 0x1p-40, 1e-9, 0.002, 0.03, 0.7, 0.7001, 1, 2, 14.6, 80, 700.5, 1e9, 0x1p40, 0x1p41,
    .infinity,
  ]

  /// Σ of products of the factors of nodes that are in both: the covariance of the two sums.
  private func covariance(_ a: [BrownianNoise.Term], _ b: [BrownianNoise.Term]) -> Double {
    let factors = Dictionary(b.map { ($0.node, $0.factor) }, uniquingKeysWith: +)
    return a.reduce(0) { $0 + $1.factor * (factors[$1.node] ?? 0) }
  }

  @Test func `the covariance of the path at two times is the earlier one`() {
    let noise = BrownianNoise(seed: 0)
    for s in Self.times {
      for t in Self.times where s <= t {
        // Where the path has stopped its times are 2⁴⁰. About 100 terms of 5 operations.
        let expected = min(s, 0x1p40)
        #expect(isClose(covariance(noise.path(to: s), noise.path(to: t)), expected, relative: 500 * unit), "\(s), \(t)")
      }
    }
  }

  @Test func `increments have the variance of their length, and disjoint ones no covariance`() {
    var random = SplitMix64(seed: 4)
    let noise = BrownianNoise(seed: 0)
    for _ in 0..<300 {
      let t = (0..<4).map { _ in Math.exp(.random(in: -8...5, using: &random)) }.sorted()
      let (first, second) = (noise.increment(from: t[1], to: t[0]), noise.increment(from: t[2], to: t[3]))
      // A term is a difference of two, each with a few roundings of numbers as large as the root of
      // the time.
      #expect(abs(covariance(first, first) - (t[1] - t[0])) <= 500 * unit * t[3])
      #expect(abs(covariance(second, second) - (t[3] - t[2])) <= 500 * unit * t[3])
      #expect(abs(covariance(first, second)) <= 500 * unit * t[3])
    }
  }

  @Test func `increments are those of the conditional laws in 30 digits`() throws {
    struct Increment: Decodable {
      let seed, sample: UInt64
      let element: Int
      let start, end, increment: Double
    }
    let known = try Fixtures.json("noise-brownian.json", as: [Increment].self)
    #expect(known.count == 8)
    for item in known {
      let noise = BrownianNoise(seed: item.seed, firstSample: item.sample)
      let zeros = [Double](repeating: 0, count: item.element + 1)
      let value = noise.increment(like: zeros, from: item.start, to: item.end)[item.element]
      // Each normal is within 1e-6.
      let weight = noise.increment(from: item.start, to: item.end).reduce(0) { $0 + abs($1.factor) }
      #expect(abs(value - item.increment) <= 1e-6 * weight, "\(item)")
    }
    Comparisons.count(known.count)
  }

  @Test func `numbers are normal, bridges have a quarter of the variance, and halves are independent`() {
    let noise = BrownianNoise(seed: 12)
    let count = 4000
    let zeros = SampleBatch<Double>(zeros: [4, 1000])
    // Not the middle of a node's interval.
    let (a, m, c) = (0.9, 2.5, 4.1)
    let first = noise.increment(like: zeros, from: a, to: m).scalars
    let second = noise.increment(like: zeros, from: m, to: c).scalars
    let length = m - a
    func check(_ values: [Double], mean: Double, variance: Double) {
      let z = (values.reduce(0, +) / Double(count) - mean) / (variance / Double(count)).squareRoot()
      #expect(abs(z) < 4.9)
    }
    // What normals exceed once in a million; x, x², x³, x⁴ have variances 1, 2, 15, 96.
    for x in [first, second] {
      let x = x.map { $0 / length.squareRoot() }
      check(x, mean: 0, variance: 1)
      check(x.map { $0 * $0 }, mean: 1, variance: 2)
      check(x.map { $0 * $0 * $0 }, mean: 0, variance: 15)
      check(x.map { $0 * $0 * $0 * $0 }, mean: 3, variance: 96)
    }
    check(zip(first, second).map { $0 * $1 / length }, mean: 0, variance: 1)
    // Off the line between the ends, relative to the bridge's deviation √(length/2).
    let bridge = zip(first, second).map { ($0 - $1) / 2 / (length / 2).squareRoot() }
    check(bridge.map { $0 * $0 }, mean: 1, variance: 2)
    check(zip(bridge, zip(first, second)).map { $0 * ($1.0 + $1.1) / (2 * length).squareRoot() }, mean: 0, variance: 1)
  }

  @Test func `intervals that meet add up, in any order`() {
    let noise = BrownianNoise(seed: 3)
    let zeros = [Double](repeating: 0, count: 300)
    for (a, b, c) in [(14.6, 3.2, 0.1), (0, 0.5, 0.50001), (1, 0.2, 1), (.infinity, 80, 0)] {
      let parts = zip(noise.increment(like: zeros, from: b, to: c), noise.increment(like: zeros, from: a, to: b)).map(+)
      let whole = noise.increment(like: zeros, from: a, to: c)
      // About 200 terms, each below 7 times the root of the larger time.
      let tolerance = 200 * 7 * unit * min(max(a, b, c), 0x1p40).squareRoot()
      #expect(zip(parts, whole).allSatisfy { abs($0 - $1) <= tolerance }, "\(a), \(b), \(c)")
    }
  }

  @Test func `a step's noise is its increment over its deviation, whatever was drawn before`() {
    var (noise, other) = (BrownianNoise(seed: 3), BrownianNoise(seed: 3))
    let zeros = [Double](repeating: 0, count: 100)
    _ = other.next(like: zeros)
    _ = other.next(like: zeros, from: 80, to: 0)
    let drawn = noise.next(like: zeros, from: 10, to: 6)
    #expect(drawn == other.next(like: zeros, from: 10, to: 6))
    let increment = noise.increment(like: zeros, from: 10, to: 6)
    #expect(zip(drawn, increment).allSatisfy { abs($0 * 2 - $1) <= 1e-12 })
    let back = noise.next(like: zeros, from: 6, to: 10)
    #expect(zip(drawn, back).allSatisfy { $0 == -$1 })
  }

  @Test func `every interval gives normals, also at, beyond and between the smallest and largest times`() {
    var noise = BrownianNoise(seed: 5)
    let zeros = [Double](repeating: 0, count: 2000)
    for (start, end) in [
      (0, 0), (0, 0x1p-1074), (0x1p-1074, 0x1p-1073), (1, 1), (1, 1.0.nextUp), (14.6.nextUp, 14.6), (.infinity, 1),
      (.infinity, .infinity),
      (0x1p50, 0x1p45), (0, .infinity),
    ] as [(Double, Double)] {
      let values = noise.next(like: zeros, from: start, to: end)
      let mean = values.reduce(0, +) / 2000
      let square = values.reduce(0) { $0 + $1 * $1 } / 2000
      #expect(
        abs(mean) < 4.9 / 2000.squareRoot() && abs(square - 1) < 4.9 * (2.0 / 2000).squareRoot(), "\(start) to \(end)")
    }
  }

  @Test func `a sample's path does not depend on the batch it sits in`() {
    var (whole, part) = (BrownianNoise(seed: 5), BrownianNoise(seed: 5, firstSample: 2))
    let all = whole.next(like: SampleBatch<Float>(zeros: [3, 300]), from: 3, to: 1)
    let some = part.next(like: SampleBatch<Float>(zeros: [1, 300]), from: 3, to: 1)
    #expect(all[2] == some)
    // Without an interval it is our own noise.
    var gaussian = GaussianNoise(seed: 5)
    #expect(whole.next(like: [0.0, 0]) == gaussian.next(like: [0.0, 0]))
  }

  @Test func `the numbers do not depend on the number of threads`() {
    let x = SampleBatch<Float>(zeros: [3, 5, 431])
    let noise = BrownianNoise(seed: 9)
    let one = noise.next(like: x, from: 0.7, to: 3, threads: 1)
    for threads in [2, 5, nil] { #expect(noise.next(like: x, from: 0.7, to: 3, threads: threads) == one) }
  }

  @Test func `a deeper tree has the same path at the nodes of a shallow one`() {
    let (shallow, deep) = (BrownianNoise(seed: 1, depth: 3), BrownianNoise(seed: 1, depth: 12))
    let zeros = [Double](repeating: 0, count: 10)
    func differ(_ time: Double) -> Bool {
      let (a, b) = (shallow.increment(like: zeros, from: 0, to: time), deep.increment(like: zeros, from: 0, to: time))
      return zip(a, b).contains { abs($0 - $1) > 1e-12 }
    }
    #expect(!differ(1.125) && !differ(1.0625) && differ(1.01))
  }

  @Test func `other sources draw as they do without an interval`() {
    var (a, b) = (TorchNoise(seed: 1), TorchNoise(seed: 1))
    let zeros = [Float](repeating: 0, count: 20)
    #expect(a.next(like: zeros, from: 3, to: 2) == b.next(like: zeros))
  }

  @Test func `a source saved between two draws continues with the same numbers`() throws {
    var noise = BrownianNoise(seed: 5, firstSample: 9, depth: 11)
    _ = noise.next(like: [0.0])
    var restored = try JSONDecoder().decode(BrownianNoise.self, from: JSONEncoder().encode(noise))
    #expect(restored == noise && restored.hashValue == noise.hashValue)
    #expect(restored.next(like: [0.0, 0]) == noise.next(like: [0.0, 0]))
    #expect(restored.next(like: [0.0, 0], from: 2, to: 1) == noise.next(like: [0.0, 0], from: 2, to: 1))
    let damaged = String(decoding: try JSONEncoder().encode(noise), as: UTF8.self).replacingOccurrences(
      of: "11", with: "41")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(BrownianNoise.self, from: Data(damaged.utf8)) }
  }

  @Test func `times that are none are refused`() async {
    await #expect(processExitsWith: .failure) { _ = BrownianNoise(seed: 1).increment(like: [0.0], from: -1, to: 1) }
    await #expect(processExitsWith: .failure) { _ = BrownianNoise(seed: 1).increment(like: [0.0], from: 1, to: .nan) }
    await #expect(processExitsWith: .failure) { _ = BrownianNoise(seed: 1, depth: 41) }
    await #expect(processExitsWith: .failure) { _ = BrownianNoise(seed: 1, depth: -1) }
  }
}
