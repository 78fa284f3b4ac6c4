/// A number by its bits.
protocol Bits {
  /// The bits; the same for every NaN, as processors differ in its sign.
  var bits: UInt64 { get }
  init(_ value: Double)
}

extension Float: Bits { var bits: UInt64 { isNaN ? 0x7fc0_0000 : UInt64(bitPattern) } }
extension Double: Bits { var bits: UInt64 { isNaN ? 0x7ff8 << 48 : bitPattern } }
extension Float16: Bits { var bits: UInt64 { isNaN ? 0x7e00 : UInt64(bitPattern) } }

/// A hash of numbers in their order: FNV-1a over their bits.
struct Digest {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bits: UInt64) { hash = (hash ^ bits) &* 0x100_0000_01b3 }
  mutating func add(_ values: some Sequence<some Bits>) { for value in values { add(value.bits) } }

  var text: String { hexadecimal(hash) }
}

func hexadecimal(_ bits: UInt64) -> String { String(bits, radix: 16) }

// The lines that are compared, each with the name of what it is about.

/// Prints a line of what IEEE operations alone make: the same bits everywhere.
func same(_ name: String, _ body: (inout Digest) -> Void) {
  var digest = Digest()
  body(&digest)
  print("same/\(name)/\(digest.text)")
}

/// Prints a line of what has the same bits wherever these functions of the C library have.
func follows(_ functions: String, _ name: String, _ values: [Double]) {
  var digest = Digest()
  digest.add(values)
  print("follows \(functions)/\(name)/\(digest.text)")
}

/// Prints a line of what may differ by so many ulps.
func within(_ ulps: Int, _ name: String, _ values: [Double]) {
  print("within \(ulps)/\(name)/" + values.map { hexadecimal($0.bits) }.joined(separator: " "))
}

/// Uniform numbers: a linear congruential generator, its upper bits.
struct Uniforms {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func word() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 32
  }

  /// A number in [low, high).
  mutating func next(_ low: Double, _ high: Double) -> Double { low + Double(word()) * 0x1p-32 * (high - low) }
}

/// Memory for scalars, with uniform numbers.
final class Memory<Scalar: Bits> {
  let start: UnsafeMutablePointer<Scalar>

  /// - Parameter isSpecial: whether zeros, infinities, NaN, numbers near underflow and numbers near
  ///   overflow are among them.
  init(_ count: Int, seed: Int, low: Double = -3, high: Double = 3, isSpecial: Bool = false) {
    start = .allocate(capacity: count)
    var uniforms = Uniforms(seed: UInt64(seed))
    for i in 0..<count { start[i] = Scalar(uniforms.next(low, high)) }
    let special = [0, -0.0, .infinity, -.infinity, .nan, 6e-8, -3e-5, 6e4, 1e-40, 3e38, .leastNonzeroMagnitude, 1e308]
    if isSpecial { for i in stride(from: 0, to: count, by: 37) { start[i] = Scalar(special[i / 37 % special.count]) } }
  }

  deinit { start.deallocate() }

  subscript(range: Range<Int>) -> UnsafeBufferPointer<Scalar> {
    UnsafeBufferPointer(start: start + range.lowerBound, count: range.count)
  }
}
