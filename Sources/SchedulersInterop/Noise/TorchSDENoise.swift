import Schedulers

/// The noise of torchsde's Brownian tree on a CPU, in float32: `BrownianTreeNoiseSampler` of
/// diffusers and k-diffusion for the same seed, which `DPMSolverSDEScheduler` and the samplers of
/// DPM++ SDE draw from.
///
/// ```swift
/// let sigmas = try configuration.sigmas(steps: 20).map(Double.init)
/// var noise = TorchSDENoise(
///   seed: 0, sigmas: sigmas.filter { $0 > 0 }.min()!...sigmas.max()!)
/// ```
///
/// The path is that of the whole range: other ends are another path. Its increment over a half of
/// an interval is that over the interval, halved, and a normal; times are rounded to six decimals.
///
/// - Accuracy: the bits of torchsde 0.2.6 where `TorchGenerator` has those of torch; a unit in the
///   last place on AMD's processors, on which torch's square root is not always the nearest number.
/// - Complexity: per number and step about 2·log₂ n normals, with n the millionths in the range.
///
/// Source: torchsde 0.2.6, `brownian_interval.py`, after [Kidger et al.
/// 2021](https://arxiv.org/abs/2105.13493), section 4.
public struct TorchSDENoise: NoiseSource, Hashable, Codable, Sendable {
  /// One for all samples, or one for each sample.
  public let seeds: [UInt64]
  /// The times of the path: the smallest sigma above 0 and the largest of the run.
  public let sigmas: ClosedRange<Double>
  /// The processor that torch runs on.
  public let arithmetic: TorchGenerator.Arithmetic
  /// What is drawn without an interval.
  private var independent: TorchNoise

  /// The noise of one tree.
  public init(seed: UInt64, sigmas: ClosedRange<Double>, arithmetic: TorchGenerator.Arithmetic = .avx2) {
    self.init(seeds: [seed], sigmas: sigmas, arithmetic: arithmetic)
  }

  /// The noise of trees, one for each sample, or one for all samples.
  ///
  /// - Precondition: there is a seed, and the sigmas are in 0 ... 1e9, the last above the first.
  public init(seeds: [UInt64], sigmas: ClosedRange<Double>, arithmetic: TorchGenerator.Arithmetic = .avx2) {
    if let fault = Self.fault(seeds, sigmas) { preconditionFailure(fault) }
    (self.seeds, self.sigmas, self.arithmetic) = (seeds, sigmas, arithmetic)
    independent = TorchNoise(seeds: seeds, arithmetic: arithmetic)
  }

  private static func fault(_ seeds: [UInt64], _ sigmas: ClosedRange<Double>) -> String? {
    if seeds.isEmpty { return "noise without a tree; give one seed, or one for each sample" }
    let isRange =
      sigmas.lowerBound >= 0 && sigmas.upperBound <= 1e9 && Time(sigmas.lowerBound) < Time(sigmas.upperBound)
    return isRange ? nil : "a tree over the sigmas \(sigmas); they must be in 0 ... 1e9, a millionth apart or more"
  }

  /// Numbers of no interval, such as those a run starts from: those of `TorchNoise`.
  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor { independent.next(like: other) }

  /// The increment of the path over its deviation; 0 where the path ends before the interval.
  ///
  /// - Precondition: there is one tree, or one for each sample.
  public mutating func next<Tensor: ScalarTensor>(like other: Tensor, from start: Double, to end: Double) -> Tensor {
    precondition(
      seeds.count == 1 || seeds.count == other.sampleCount,
      "\(seeds.count) trees for \(other.sampleCount) samples; there must be one, or one for each sample")
    let count = other.sampleCount * other.sampleSize / seeds.count
    let (first, last) = (min(start, end), max(start, end))
    let deviation = Float(last - first).squareRoot() * (start > end ? -1 : 1)
    let values = seeds.flatMap { seed in
      let tree = Tree(seed: seed, count: count, arithmetic: arithmetic)
      let moved = tree.increment(over: sigmas, from: inside(first), to: inside(last))
      return moved?.map { $0 / deviation } ?? Array(repeating: 0, count: count)
    }
    return Tensor(scalars: Tensor.Scalar.rounding(values), like: other)
  }

  private func inside(_ time: Double) -> Double { min(max(time, sigmas.lowerBound), sigmas.upperBound) }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    seeds = try container.decode([UInt64].self, forKey: .seeds)
    sigmas = try container.decode(ClosedRange<Double>.self, forKey: .sigmas)
    arithmetic = try container.decode(TorchGenerator.Arithmetic.self, forKey: .arithmetic)
    independent = try container.decode(TorchNoise.self, forKey: .independent)
    if let fault = Self.fault(seeds, sigmas) { throw container.corrupted(.seeds, fault) }
  }
}

/// A time as torchsde has it: rounded to six decimals, as Python's `round` rounds.
private struct Time: Comparable {
  let value: Double

  init(_ exact: Double) {
    let millionths = exact * 1e6
    var whole = millionths.rounded(.toNearestOrEven)
    // Python looks at all digits of the number, and half a millionth is none in binary.
    let rest = (-millionths).addingProduct(exact, 1e6)
    if abs(millionths - whole) == 0.5, rest != 0 {
      whole = rest > 0 ? millionths.rounded(.up) : millionths.rounded(.down)
    }
    value = whole / 1e6
  }

  static func < (a: Time, b: Time) -> Bool { a.value < b.value }
}

/// An interval of the tree, and where it lies: which one it is of its depth.
private struct Node {
  let (start, end): (Time, Time)
  let (key, depth): (UInt64, UInt64)
}

private struct Tree {
  let seed: UInt64
  let count: Int
  let arithmetic: TorchGenerator.Arithmetic

  /// What a path over a range does between two times in it; nil where these are the same.
  func increment(over range: ClosedRange<Double>, from low: Double, to high: Double) -> [Float]? {
    let (low, high) = (Time(low), Time(high))
    guard low < high else { return nil }
    let deviation = Float((range.upperBound - range.lowerBound).squareRoot())
    let whole = normals(SeedSequence(seed, poolSize: 24)).map { $0 * deviation }
    var sum: [Float]?
    let node = Node(start: Time(range.lowerBound), end: Time(range.upperBound), key: 0, depth: 0)
    add(node, whole, from: low, to: high, to: &sum)
    return sum
  }

  private func normals(_ sequence: SeedSequence) -> [Float] {
    var generator = TorchGenerator(seed: UInt64(sequence.words32(1)[0]))
    return generator.normals(count, arithmetic: arithmetic)
  }

  /// Adds to a sum the increments of those nodes in a node that together are an interval.
  private func add(_ node: Node, _ increment: [Float], from low: Time, to high: Time, to sum: inout [Float]?) {
    if low == node.start, high == node.end {
      sum = sum.map { zip($0, increment).map { $0 + $1 } } ?? increment
      return
    }
    let (start, end) = (node.start.value, node.end.value)
    let middle = Time(0.5 * (end + start))
    let (before, after, share) = (middle.value - start, end - middle.value, 1 / (end - start))
    let (left, scale, deviation) = (Float(before), Float(share), Float((before * after * share).squareRoot()))
    let normals = normals(SeedSequence(seed, spawnKey: [node.key, node.depth], poolSize: 24))
    let first = zip(increment, normals).map { left * $0 * scale + deviation * $1 }
    if low < middle {
      let half = Node(start: node.start, end: middle, key: 2 * node.key, depth: node.depth + 1)
      add(half, first, from: low, to: min(high, middle), to: &sum)
    }
    if high > middle {
      let half = Node(start: middle, end: node.end, key: 2 * node.key + 1, depth: node.depth + 1)
      add(half, zip(increment, first).map { $0 - $1 }, from: max(low, middle), to: high, to: &sum)
    }
  }
}
