import Schedulers

/// NumPy's generator: `numpy.random.default_rng(seed)`.
///
/// As a noise source it gives `standard_normal` in the shape of the tensor. What a sample gets depends on the batch it sits in.
///
/// - Accuracy: NumPy's bits. One normal in about 4,000 takes a logarithm of the C library, as NumPy does: the same bits with the same
///   library, within some units in the last place with another.
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

  /// The type that NumPy draws in when this is used as a noise source, whatever the type of the tensor.
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

  /// Standard normal numbers, as `standard_normal` draws them.
  ///
  /// - Parameters:
  ///   - count: how many, 0 or more.
  ///   - precision: NumPy's `dtype`.
  /// - Returns: numbers of that precision, converted to the scalar type of the result, rounding where it holds less.
  public mutating func normals<Scalar: SampleScalar>(_ count: Int, precision: Precision = .float64) -> [Scalar] {
    switch precision {
    case .float64: Scalar.rounding((0..<count).map { _ in normal() })
    case .float32: Scalar.rounding((0..<count).map { _ in normalFloat() })
    }
  }

  /// Uniform numbers in [0, 1), as `random` draws them.
  ///
  /// - Parameters:
  ///   - count: how many, 0 or more.
  ///   - precision: NumPy's `dtype`.
  /// - Returns: numbers of that precision, converted to the scalar type of the result, rounding where it holds less.
  public mutating func uniforms<Scalar: SampleScalar>(_ count: Int, precision: Precision = .float64) -> [Scalar] {
    switch precision {
    case .float64: Scalar.rounding((0..<count).map { _ in uniform() })
    case .float32: Scalar.rounding((0..<count).map { _ in uniformFloat() })
    }
  }

  /// Whole numbers of a range, each as likely as any other, as `integers` draws them for its default type.
  ///
  /// - Parameters:
  ///   - range: not empty.
  ///   - count: how many, 0 or more.
  public mutating func integers(in range: Range<Int>, count: Int) -> [Int] {
    precondition(!range.isEmpty, "there are no integers in \(range)")
    let largest = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) - 1
    return (0..<count).map { _ in range.lowerBound &+ Int(truncatingIfNeeded: words.bounded(upTo: largest)) }
  }

  /// The numbers below `count` in random order, as `permutation` draws them.
  public mutating func permutation(_ count: Int) -> [Int] { words.permutation(count) }
}

// MARK: - The ziggurat: Marsaglia and Tsang 2000, https://doi.org/10.18637/jss.v005.i08

extension NumPyGenerator {
  private mutating func uniform() -> Double { Double(words.next64() >> 11) * 0x1p-53 }

  private mutating func uniformFloat() -> Float { Float(words.next32() >> 8) * 0x1p-24 }

  private mutating func normal() -> Double {
    while true {
      let word = words.next64()
      let layer = Int(word & 0xff)
      let magnitude = word >> 9 & 0xf_ffff_ffff_ffff
      let size = Double(magnitude) * Double(bitPattern: ZigguratTables.wiDouble[layer])
      let x = word & 0x100 == 0 ? size : -size
      if magnitude < ZigguratTables.kiDouble[layer] { return x }
      if layer == 0 { return tail(isNegative: magnitude & 0x100 != 0) }
      let (above, edge) = (ZigguratTables.fiDouble[layer - 1], ZigguratTables.fiDouble[layer])
      let height = Double(bitPattern: above) - Double(bitPattern: edge)
      if height * uniform() + Double(bitPattern: edge) < Math.exp(-0.5 * x * x) { return x }
    }
  }

  /// Beyond the edge r = 3.65... of the last layer, which `Fixtures/tables/ziggurat_tables.py` prints
  /// with its reciprocal.
  ///
  /// Source: Marsaglia 1964, https://doi.org/10.1080/00401706.1964.10490150.
  private mutating func tail(isNegative: Bool) -> Double {
    while true {
      let x = -0.27366123732975827388 * Math.log1p(-uniform())
      let y = -Math.log1p(-uniform())
      if y + y > x * x { return isNegative ? -(3.6541528853610087716 + x) : 3.6541528853610087716 + x }
    }
  }

  private mutating func normalFloat() -> Float {
    while true {
      let word = words.next32()
      let layer = Int(word & 0xff)
      let magnitude = word >> 9
      let size = Float(magnitude) * Float(bitPattern: ZigguratTables.wiFloat[layer])
      let x = word & 0x100 == 0 ? size : -size
      if magnitude < ZigguratTables.kiFloat[layer] { return x }
      if layer == 0 { return tailFloat(isNegative: magnitude & 0x100 != 0) }
      let (above, edge) = (ZigguratTables.fiFloat[layer - 1], ZigguratTables.fiFloat[layer])
      let height = Float(bitPattern: above) - Float(bitPattern: edge)
      // The exponential is that of Double, where C puts it.
      let density = Math.exp(-0.5 * Double(x) * Double(x))
      if Double(height * uniformFloat() + Float(bitPattern: edge)) < density { return x }
    }
  }

  private mutating func tailFloat(isNegative: Bool) -> Float {
    while true {
      let x = -0.27366123732975827388 * Math.log1p(-uniformFloat())
      let y = -Math.log1p(-uniformFloat())
      if y + y > x * x { return isNegative ? -(3.6541528853610087716 + x) : 3.6541528853610087716 + x }
    }
  }
}
