import Schedulers
import SchedulersKernelInterface
import SchedulersKernels

/// torch's random number generator on a CPU: `torch.Generator`, and what torch 2.13 draws from it.
///
/// ```swift
/// var generator = TorchGenerator(seed: 0)
/// // torch.randint(0, 1000, (16,))
/// let timesteps = generator.integers(in: 0..<1000, count: 16)
/// ```
///
/// What is drawn depends on the number type; all draws take from one stream of words.
///
/// - Accuracy: the bits of torch 2.13 where its arithmetic is its own: float32, float16 and
///   bfloat16 normals of 16 or more under `.avx2`, and everything that is not normal. Other normals
///   use the logarithm, sine and cosine of the C library, as torch does: the same bits with the
///   same library, within 4e-7 (2⁻⁵⁰ in float64) with another.
///
/// Source: torch 2.13, `CPUGeneratorImpl`, `DistributionTemplates.h`, `DistributionsHelper.h`.
public struct TorchGenerator: Hashable, Codable, Sendable {
  /// A floating-point type of torch.
  public enum Precision: String, Hashable, Codable, Sendable, CaseIterable {
    /// 24 random bits for a uniform.
    case float32
    /// 53 random bits for a uniform, from twice as many words: other numbers than float32's.
    case float64
    /// Computed in float32 and rounded.
    case float16
    /// Computed in float32 and rounded.
    case bfloat16
  }

  /// How torch computes 16 or more normals in float32 and below. It goes by the processor.
  public enum Arithmetic: String, Hashable, Codable, Sendable, CaseIterable {
    /// On x86 processors with AVX2, among them all with AVX-512.
    case avx2
    /// On other processors, and with `ATEN_CPU_CAPABILITY=default`: the C library's functions.
    case standard
  }

  private var twister: MersenneTwister
  /// The second number of the last pair that was drawn alone.
  private var spare: Double?

  /// The generator after `manual_seed`.
  ///
  /// - Parameter seed: torch keeps its low 32 bits. `UInt64(bitPattern:)` gives a negative one.
  public init(seed: UInt64) { twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)) }

  /// `count` standard normal numbers, as `torch.randn` draws them in a `dtype`, rounded where
  /// `Scalar` holds less.
  ///
  /// Fewer than 16 are drawn one by one in double precision. 16 or more are made in blocks of 16;
  /// where these do not come out even, the last 16 are drawn again, and a tensor is no prefix of a
  /// larger one.
  public mutating func normals<Scalar: SampleScalar>(
    _ count: Int, precision: Precision = .float32, arithmetic: Arithmetic = .avx2
  ) -> [Scalar] {
    switch precision {
    case .float64: return Scalar.rounding(count < 16 ? singleNormals(count) : doubleBlocks(count))
    case .float32, .float16, .bfloat16:
      return Scalar.rounding(
        [Float](unsafeUninitializedCapacity: count) { values, initialized in
          fill(UnsafeMutableBufferPointer(rebasing: values[..<count]), precision: precision, arithmetic: arithmetic)
          initialized = count
        })
    }
  }

  /// The same in place, in a precision other than float64.
  mutating func fill(_ values: UnsafeMutableBufferPointer<Float>, precision: Precision, arithmetic: Arithmetic) {
    if values.count < 16 {
      for (i, normal) in singleNormals(values.count).enumerated() { values[i] = Float(normal) }
    } else {
      floatBlocks(values, precision: precision, arithmetic: arithmetic)
    }
    precision.round(values)
  }

  /// `count` uniform numbers in [0, 1), as `torch.rand` draws them in a `dtype`, where 0 stands for
  /// numbers that would be rounded to 1; rounded where `Scalar` holds less.
  public mutating func uniforms<Scalar: SampleScalar>(_ count: Int, precision: Precision = .float32) -> [Scalar] {
    if precision == .float64 { return Scalar.rounding((0..<count).map { _ in uniformDouble() }) }
    return Scalar.rounding(
      (0..<count).map { _ in
        let uniform = precision.rounding(uniform())
        return uniform == 1 ? 0 : uniform
      })
  }

  /// `count` whole numbers of a range that is not empty, each about as likely: `torch.randint`.
  public mutating func integers(in range: Range<Int>, count: Int) -> [Int] {
    precondition(!range.isEmpty, "there are no integers in \(range)")
    let size = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
    return (0..<count).map { _ in
      // Torch takes 64 bits where a remainder of 32 would be visibly uneven.
      let word = size < 1 << 28 ? UInt64(twister.next32()) : twister.next64()
      return range.lowerBound &+ Int(truncatingIfNeeded: word % size)
    }
  }

  /// The numbers below `count` in random order, as `torch.randperm` draws them.
  ///
  /// - Parameter count: 0 ... 214,748,363; torch has another method for more.
  public mutating func permutation(_ count: Int) -> [Int] {
    precondition(
      (0..<214_748_364).contains(count), "a permutation of \(count) numbers; torch's method holds for 0 ..< 214748364")
    var numbers = Array(0..<count)
    for i in numbers.indices.dropLast() { numbers.swapAt(i, i + Int(twister.next32()) % (count - i)) }
    return numbers
  }
}

// MARK: - The parts

extension TorchGenerator {
  private mutating func uniform() -> Float { Float(twister.next32() & 0xff_ffff) * 0x1p-24 }

  private mutating func uniformDouble() -> Double { Double(twister.next64() & 0x1f_ffff_ffff_ffff) * 0x1p-53 }

  /// Box and Muller's pairs, of which the second numbers wait for the next call.
  private mutating func singleNormals(_ count: Int) -> [Double] {
    (0..<count).map { _ in
      if let second = spare {
        spare = nil
        return second
      }
      let angle = 2 * Double.pi * uniformDouble()
      let radius = (-2 * Math.log1p(-uniformDouble())).squareRoot()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    }
  }

  /// Only float32 draws a uniform also for the numbers that are drawn again.
  private mutating func floatBlocks(
    _ values: UnsafeMutableBufferPointer<Float>, precision: Precision, arithmetic: Arithmetic
  ) {
    let count = values.count
    fill(values, precision == .float32 ? 0..<count : 0..<count & ~15, arithmetic)
    if count % 16 != 0 { fill(values, count - 16..<count, arithmetic) }
  }

  /// Draws uniforms for a range and makes normals of complete blocks, while they are in the cache.
  private mutating func fill(
    _ values: UnsafeMutableBufferPointer<Float>, _ range: Range<Int>, _ arithmetic: Arithmetic
  ) {
    let values = values.baseAddress! + range.lowerBound
    var (drawn, done) = (0, 0)
    while drawn < range.count {
      drawn += twister.uniforms(values + drawn, atMost: range.count - drawn)
      if drawn - done < 2048, drawn < range.count { continue }
      let blocks = (drawn - done) & ~15
      Self.transform(values + done, blocks, arithmetic)
      done += blocks
    }
  }

  private static func transform(_ values: UnsafeMutablePointer<Float>, _ count: Int, _ arithmetic: Arithmetic) {
    switch arithmetic {
    case .avx2: Kernels.table.torch.normals(values, count)
    case .standard:
      for block in stride(from: 0, to: count, by: 16) {
        for j in block..<block + 8 {
          let radius = (-2 * Math.log(1 - values[j])).squareRoot()
          let angle = Float(2 * Double.pi * Double(values[j + 8]))
          values[j] = radius * Math.cos(angle) + 0
          values[j + 8] = radius * Math.sin(angle) + 0
        }
      }
    }
  }

  private mutating func doubleBlocks(_ count: Int) -> [Double] {
    func transform(_ values: inout [Double], _ range: Range<Int>) {
      for block in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
        for j in block..<block + 8 {
          let radius = (-2 * Math.log(1 - values[j])).squareRoot()
          let angle = 2 * Double.pi * values[j + 8]
          values[j] = radius * Math.cos(angle) + 0
          values[j + 8] = radius * Math.sin(angle) + 0
        }
      }
    }
    var values = (0..<count).map { _ in uniformDouble() }
    transform(&values, 0..<count & ~15)
    if count % 16 != 0 {
      for i in count - 16..<count { values[i] = uniformDouble() }
      transform(&values, count - 16..<count)
    }
    return values
  }
}

extension TorchGenerator.Precision {
  /// The nearest number of this precision, halves to even; no change for float32 and float64.
  func rounding(_ value: Float) -> Float {
    switch self {
    case .float32, .float64: return value
    case .float16:
      // Not by Float16, which not every platform has. The quotient is exact.
      let quantum = max(0x1p-24, value.ulp * 0x1p13)
      return (value / quantum).rounded(.toNearestOrEven) * quantum
    case .bfloat16:
      let bits = value.bitPattern
      return Float(bitPattern: (bits + 0x7fff + bits >> 16 & 1) & 0xffff_0000)
    }
  }

  func round(_ values: UnsafeMutableBufferPointer<Float>) {
    guard self == .float16 || self == .bfloat16 else { return }
    for i in values.indices { values[i] = rounding(values[i]) }
  }
}
