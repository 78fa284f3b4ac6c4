import Schedulers
import SchedulersCHeader
import SchedulersKernelInterface
import SchedulersKernels

/// The type of a tensor's scalars.
enum ScalarType {
  case float32, float64, float16

  init(_ code: Int32) throws(Refusal) {
    switch Int(code) {
    case SCHEDULERS_FLOAT32: self = .float32
    case SCHEDULERS_FLOAT64: self = .float64
    case SCHEDULERS_FLOAT16: self = .float16
    default:
      throw .argument(
        "type \(code) is none; known are \(SCHEDULERS_FLOAT32) for float, \(SCHEDULERS_FLOAT64) for double and "
          + "\(SCHEDULERS_FLOAT16) for half")
    }
  }

  /// Does something that is written for any scalar.
  func with<Result>(_ body: (any SampleScalar.Type) throws -> Result) throws -> Result {
    switch self {
    case .float32: return try body(Float.self)
    case .float64: return try body(Double.self)
    case .float16:
      #if (os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64)
        throw Refusal.argument("there is no half precision on this platform; use float")
      #else
        return try body(Float16.self)
      #endif
    }
  }
}

/// The size of a tensor: samples, one after another, of so many scalars.
struct Extent: Equatable {
  let (samples, size): (Int, Int)
  var count: Int { samples * size }

  init(_ samples: Int64, _ size: Int64) throws(Refusal) {
    let (count, overflow) = samples.multipliedReportingOverflow(by: size)
    // So that no number of bytes comes near to what a word holds, whatever it is multiplied by.
    guard samples >= 1, size >= 1, !overflow, count <= 1 << 40 else {
      throw .argument("\(samples) samples of \(size) scalars; both must be 1 or more, and their product at most 2^40")
    }
    (self.samples, self.size) = (Int(samples), Int(size))
  }
}

/// A tensor in the caller's memory.
struct Place {
  let start: UnsafeMutableRawPointer
  let byteCount: Int
  let name: StaticString

  /// - Throws: `Refusal` for NULL, and for an address at which no such scalar can lie.
  init<Scalar>(_ pointer: UnsafeRawPointer?, _ name: StaticString, count: Int, of type: Scalar.Type) throws(Refusal) {
    let pointer = try required(pointer, name)
    let (address, size) = (UInt(bitPattern: pointer), MemoryLayout<Scalar>.size)
    guard address % UInt(size) == 0, address <= UInt.max - UInt(count * size) else {
      throw .argument("\(name) lies at an address that is no multiple of \(size), the bytes of a scalar")
    }
    start = UnsafeMutableRawPointer(mutating: pointer)
    (byteCount, self.name) = (count * size, name)
  }

  func scalars<Scalar>(_: Scalar.Type) -> UnsafeMutablePointer<Scalar> { start.assumingMemoryBound(to: Scalar.self) }

  /// Throws if it overlaps one of some others.
  func checkApart(from b: Place, _ c: Place? = nil, _ d: Place? = nil, _ e: Place? = nil) throws(Refusal) {
    try check(b)
    if let c { try check(c) }
    if let d { try check(d) }
    if let e { try check(e) }
  }

  private func check(_ other: Place) throws(Refusal) {
    guard start < other.start + other.byteCount, other.start < start + byteCount else { return }
    throw .argument("\(name) and \(other.name) overlap; give each memory of its own")
  }
}

/// A tensor that lies in the caller's memory, for sources of noise. One that is made like it is
/// made in its place.
struct Lent<Scalar: SampleScalar>: ContiguousTensor {
  let start: UnsafeMutablePointer<Scalar>
  let extent: Extent

  var sampleCount: Int { extent.samples }
  var sampleSize: Int { extent.size }

  init(_ start: UnsafeMutablePointer<Scalar>, _ extent: Extent) { (self.start, self.extent) = (start, extent) }

  init(scalars: [Scalar], like other: Lent) {
    self = other
    scalars.withUnsafeBufferPointer { start.update(from: $0.baseAddress!, count: extent.count) }
  }

  func withScalars<Result>(_ body: (UnsafeBufferPointer<Scalar>) -> Result) -> Result {
    body(UnsafeBufferPointer(start: start, count: extent.count))
  }

  mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Scalar>) -> Result) -> Result {
    body(UnsafeMutableBufferPointer(start: start, count: extent.count))
  }
}
