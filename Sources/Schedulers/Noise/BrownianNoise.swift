import SchedulersKernelInterface
import SchedulersKernels
import SchedulersKernelsBaseline

/// Noise from one Brownian path: a seed gives much the same image with 20 steps as with 200.
///
/// The path W is a function of seed, sample, element and time alone. Any interval can be asked for,
/// in any order; intervals that meet add up, W(a, c) = W(a, b) + W(b, c); and neither steps nor
/// batch matter. Time is sigma, 0 ... ∞, and needs no bounds: beyond 2⁴⁰ the path stands still.
///
/// W is Lévy's construction, in which independent normals z are the coefficients of ramps and
/// tents: from one power of 2 to the next the path rises by z·√(length); within, and below 2⁻⁴⁰,
/// the middle of each interval is off the line between its ends by z·√(length)/2, and so on in each
/// half. After `depth` halvings, a time t in (a, b) is off by z·√((t − a)(b − t)/(b − a)). A node's
/// normals are `GaussianNoise` under a key that Philox makes of the seed and its number.
///
/// - Accuracy: increments have their exact law, but between two times in the same smallest
///   interval, a 2^depth-th of an octave; those have their variance.
/// - Complexity: per number and interval at most 2·(depth + 2) normals and as many again for each
///   octave between the ends, none kept.
///
/// Source: Lévy 1948, *Processus stochastiques et mouvement brownien*, section 1; the tree of seeds
/// is that of [Li et al. 2020](https://arxiv.org/abs/2001.01328), section 4.
public struct BrownianNoise: NoiseSource, Hashable, Codable, Sendable {
  /// How often an octave of time is halved.
  public let depth: Int
  /// What is drawn without an interval, and the key and address of the path.
  private var independent: GaussianNoise

  /// The noise of a seed.
  ///
  /// - Parameters:
  ///   - seed: all that the path depends on, with the sample's address.
  ///   - firstSample: the address of a tensor's first sample.
  ///   - depth: 0 ... 40; 20 tells times apart that differ by a millionth.
  public init(seed: UInt64, firstSample: UInt64 = 0, depth: Int = 20) {
    stop(unless: (0...40).contains(depth), "an octave halved \(depth) times; the depth must be in 0 ... 40")
    self.depth = depth
    independent = GaussianNoise(seed: seed, firstSample: firstSample)
  }

  /// Numbers of no interval, such as those a run starts from: those of `GaussianNoise`.
  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor { independent.next(like: other) }

  /// The increment of the path over its deviation: standard normal, independent between steps.
  ///
  /// Where the path does not move, as between equal times, its smallest interval's normals.
  public mutating func next<Tensor: ScalarTensor>(like other: Tensor, from start: Double, to end: Double) -> Tensor {
    next(like: other, from: start, to: end, threads: nil)
  }

  /// The same on so many threads; `nil` for as many as pay.
  public func next<Tensor: ScalarTensor>(
    like other: Tensor, from start: Double, to end: Double, threads: Int?
  ) -> Tensor { sum(normal(from: start, to: end), like: other, threads) }

  /// W(end) − W(start) in the shape of another tensor, normal with variance |end − start|.
  ///
  /// - Precondition: the times, in any order, are in 0 ... ∞.
  public func increment<Tensor: ScalarTensor>(like other: Tensor, from start: Double, to end: Double) -> Tensor {
    sum(increment(from: start, to: end), like: other, nil)
  }

  private func sum<Tensor: ScalarTensor>(_ terms: [Term], like other: Tensor, _ threads: Int?) -> Tensor {
    let (samples, size) = (other.sampleCount, other.sampleSize)
    let count = samples * size
    let keys = terms.map { GaussianNoise(seed: key(of: $0.node), firstSample: independent.firstSample) }
    let sums = [Double](unsafeUninitializedCapacity: count) { sums, initialized in
      nonisolated(unsafe) let sums = sums.baseAddress
      let parts = threads ?? min(Kernels.processors, terms.count * count >> 16)
      Kernels.concurrently(samples: size, of: count, parts: parts) { n, part in
        let elements = part.lowerBound - n * size..<part.upperBound - n * size
        zip(terms, keys).map { NormalTerm($0.factor, $1.address(of: n)) }
          .withUnsafeBufferPointer { Kernels.table.sums($0, elements, sums! + n * size) }
      }
      initialized = count
    }
    return Tensor(scalars: Tensor.Scalar.rounding(sums), like: other)
  }
}

extension BrownianNoise {
  // The path on tensors that no source fills. All that it takes are normals that a key decides.

  /// The increment of the path over its deviation, of normals that a closure makes.
  ///
  /// ```swift
  /// let noise = brownian.next(from: from, to: to) { key in
  ///   MLXRandom.normal(x.shape, key: MLXRandom.key(key))
  /// }
  /// ```
  ///
  /// - `normals`: makes standard normal numbers in the sample's shape, which follow from the key.
  public func next<Tensor: LinearSpace, Failure: Error>(
    from start: Double, to end: Double, normals: (_ key: UInt64) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor { try sum(normal(from: start, to: end), normals) }

  /// W(end) − W(start), of normals that a closure makes.
  ///
  /// - Precondition: the times, in any order, are in 0 ... ∞.
  public func increment<Tensor: LinearSpace, Failure: Error>(
    from start: Double, to end: Double, normals: (_ key: UInt64) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor {
    let terms = increment(from: start, to: end)
    return try sum(terms.isEmpty ? [(path(to: start).last!.node, 0)] : terms, normals)
  }

  /// One term after another, so that two tensors are held at a time.
  private func sum<Tensor: LinearSpace, Failure: Error>(
    _ terms: [Term], _ normals: (UInt64) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor {
    var sum = Tensor.combination([(terms[0].factor, try normals(key(of: terms[0].node)))])
    for term in terms.dropFirst() {
      sum = .combination([(1, sum), (term.factor, try normals(key(of: term.node)))])
    }
    return sum
  }

  /// The seed of a node's normals.
  private func key(of node: UInt64) -> UInt64 {
    let words = Philox.words(
      counter: (UInt32(truncatingIfNeeded: node), UInt32(node >> 32), 0, 0x4272_6f77), key: independent.seed)
    return UInt64(words.1) << 32 | UInt64(words.0)
  }
}

extension BrownianNoise {
  /// What the normals of a node are multiplied by.
  typealias Term = (node: UInt64, factor: Double)

  /// The terms of W(end) − W(start), without those that are in both alike.
  func increment(from start: Double, to end: Double) -> [Term] {
    var factors: [UInt64: Double] = [:]
    for term in path(to: end) { factors[term.node, default: 0] += term.factor }
    for term in path(to: start) { factors[term.node, default: 0] -= term.factor }
    // In order, so that sums have the same rounding errors in every process.
    return factors.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The terms of the increment over its deviation; where the path does not move, of its smallest
  /// interval.
  private func normal(from start: Double, to end: Double) -> [Term] {
    var terms = increment(from: start, to: end)
    if terms.isEmpty { terms = [(path(to: start).last!.node, 1)] }
    // Scaled, as the squares of factors near time 0 are no numbers.
    let largest = terms.reduce(0) { max($0, abs($1.factor)) }
    let scaled = terms.map { Term($0.node, $0.factor / largest) }
    let deviation = scaled.reduce(0) { $0 + $1.factor * $1.factor }.squareRoot()
    return scaled.map { ($0.node, $0.factor / deviation) }
  }

  /// The terms of W(time), the last of them that of the smallest interval.
  func path(to time: Double) -> [Term] {
    stop(unless: time >= 0, "the time \(time) of a Brownian path; it must be in 0 ... infinity")
    var terms: [Term] = []
    // The ramps: octave 0 ends at 2⁻⁴⁰, each of the others at twice the last's end.
    var (low, high, octave) = (0.0, 0x1p-40, UInt64(0))
    let time = min(time, 0x1p40)
    while time > high {
      terms.append((octave << 48, (high - low).squareRoot()))
      (low, high, octave) = (high, 2 * high, octave + 1)
    }
    terms.append((octave << 48, (time - low) / (high - low).squareRoot()))
    // The tents: the node of an interval has those of its halves at twice its number.
    var number: UInt64 = 1
    for _ in 0..<depth {
      let middle = low + (high - low) / 2
      let slope = 1 / (high - low).squareRoot()
      terms.append((octave << 48 | number, slope * (time < middle ? time - low : high - time)))
      if time < middle { high = middle } else { low = middle }
      number = 2 * number + (time < middle ? 0 : 1)
    }
    terms.append((octave << 48 | number, ((time - low) / (high - low) * (high - time)).squareRoot()))
    return terms
  }
}

extension BrownianNoise {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    depth = try container.decode(Int.self, forKey: .depth)
    independent = try container.decode(GaussianNoise.self, forKey: .independent)
    guard (0...40).contains(depth) else { throw container.error(.depth, "the depth \(depth) must be in 0 ... 40") }
  }
}
