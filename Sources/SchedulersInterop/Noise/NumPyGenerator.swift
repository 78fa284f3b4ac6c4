import Schedulers

/// NumPy's generator: `numpy.random.default_rng(seed)`.
///
/// As a noise source it gives `standard_normal` in the tensor's shape: samples depend on their
/// batch.
///
/// - Accuracy: NumPy's bits. One normal in about 4,000 takes a logarithm of the C library, as NumPy
///   does: the same bits with the same library, within some units in the last place with another.
///
/// Source: NumPy 2.4, `distributions.c`, `_generator.pyx`.
public struct NumPyGenerator: NoiseSource, Hashable, Codable, Sendable {
  /// NumPy's `dtype`.
  public enum Precision: String, Hashable, Codable, Sendable, CaseIterable {
    /// One 64-bit word for nearly every number.
    case float64
    /// One 32-bit word for nearly every number, which is another stream of numbers.
    case float32
  }

  /// The type that NumPy draws in for a noise source, whatever the type of the tensor.
  public var precision: Precision
  private var words: PCG64

  /// The generator of a seed.
  public init(seed: UInt64, precision: Precision = .float64) {
    self.precision = precision
    words = PCG64(seed: seed)
  }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    Tensor(scalars: normals(other.sampleCount * other.sampleSize, precision: precision), like: other)
  }

  /// `count` standard normal numbers, as `standard_normal` draws them in a `dtype`, rounded where
  /// `Scalar` holds less.
  public mutating func normals<Scalar: SampleScalar>(_ count: Int, precision: Precision = .float64) -> [Scalar] {
    precision == .float64
      ? Scalar.rounding(Double.normals(count, &words)) : Scalar.rounding(Float.normals(count, &words))
  }

  /// `count` uniform numbers in [0, 1), as `random` draws them, rounded in the same way.
  public mutating func uniforms<Scalar: SampleScalar>(_ count: Int, precision: Precision = .float64) -> [Scalar] {
    precision == .float64
      ? Scalar.rounding((0..<count).map { _ in Double.uniform(&words) })
      : Scalar.rounding((0..<count).map { _ in Float.uniform(&words) })
  }

  /// `count` whole numbers of a range that is not empty, each equally likely: `integers`, as it
  /// draws its default type.
  public mutating func integers(in range: Range<Int>, count: Int) -> [Int] {
    precondition(!range.isEmpty, "there are no integers in \(range)")
    let largest = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) - 1
    return (0..<count).map { _ in range.lowerBound &+ Int(truncatingIfNeeded: words.bounded(upTo: largest)) }
  }

  /// The numbers below `count` in random order, as `permutation` draws them.
  public mutating func permutation(_ count: Int) -> [Int] { words.permutation(count) }
}

/// A type in which NumPy draws.
private protocol NumPyNumber: BinaryFloatingPoint {
  static var tables: (ki: [UInt64], wi: [Self], fi: [Self]) { get }
  /// A layer in the low eight bits, a sign, and a magnitude.
  static func word(_ words: inout PCG64) -> UInt64
  static func uniform(_ words: inout PCG64) -> Self
  static func log1p(_ x: Self) -> Self
}

extension Double: NumPyNumber {
  fileprivate static var tables: (ki: [UInt64], wi: [Double], fi: [Double]) { ZigguratTables.double }
  @inline(__always)
  fileprivate static func word(_ words: inout PCG64) -> UInt64 { words.next64() & 0x1fff_ffff_ffff_ffff }
  fileprivate static func uniform(_ words: inout PCG64) -> Double { Double(words.next64() >> 11) * 0x1p-53 }
  fileprivate static func log1p(_ x: Double) -> Double { Math.log1p(x) }
}

extension Float: NumPyNumber {
  fileprivate static var tables: (ki: [UInt64], wi: [Float], fi: [Float]) { ZigguratTables.float }
  @inline(__always)
  fileprivate static func word(_ words: inout PCG64) -> UInt64 { UInt64(words.next32()) }
  fileprivate static func uniform(_ words: inout PCG64) -> Float { Float(words.next32() >> 8) * 0x1p-24 }
  fileprivate static func log1p(_ x: Float) -> Float { Math.log1p(x) }
}

extension NumPyNumber {
  /// Normals, by the ziggurat.
  ///
  /// Source: [Marsaglia and Tsang 2000](https://doi.org/10.18637/jss.v005.i08).
  @_specialize(where Self == Float)
  @_specialize(where Self == Double)
  fileprivate static func normals(_ count: Int, _ words: inout PCG64) -> [Self] {
    let tables = tables
    // A copy of the state stays in registers.
    var own = words
    defer { words = own }
    return tables.ki.withUnsafeBufferPointer { ki in
      tables.wi.withUnsafeBufferPointer { wi in
        [Self](unsafeUninitializedCapacity: count) { normals, initialized in
          for k in 0..<count {
            let word = word(&own)
            let (i, magnitude) = (Int(word & 0xff), word >> 9)
            let size = Self(magnitude) * wi[i]
            let x = word & 0x100 == 0 ? size : -size
            let isInside = magnitude < ki[i]
            (normals.baseAddress! + k).initialize(to: isInside ? x : outside(x, i, magnitude, tables.fi, &own))
          }
          initialized = count
        }
      }
    }
  }

  /// What becomes of one in a hundred, which is not inside of its layer's rectangle: x, or another.
  @inline(never)
  private static func outside(
    _ x: Self, _ i: Int, _ magnitude: UInt64, _ edges: [Self], _ words: inout PCG64
  ) -> Self {
    if i == 0 { return tail(&words, isNegative: magnitude & 0x100 != 0) }
    // The exponential is that of Double, where C puts it.
    let density = Math.exp(-0.5 * Double(x) * Double(x))
    if Double((edges[i - 1] - edges[i]) * uniform(&words) + edges[i]) < density { return x }
    return normals(1, &words)[0]
  }

  /// Beyond the edge r = 3.65... of the last layer, which `ziggurat_tables.py` prints with its
  /// reciprocal.
  ///
  /// Source: [Marsaglia 1964](https://doi.org/10.1080/00401706.1964.10490150).
  private static func tail(_ words: inout PCG64, isNegative: Bool) -> Self {
    while true {
      let x = -0.27366123732975827388 * log1p(-uniform(&words))
      let y = -log1p(-uniform(&words))
      if y + y > x * x { return isNegative ? -(3.6541528853610087716 + x) : 3.6541528853610087716 + x }
    }
  }
}
