/// A scalar as it is stored, and the type in which it is computed with.
protocol Element {
  associatedtype Wide: BinaryFloatingPoint
  associatedtype Bits: FixedWidthInteger & UnsignedInteger
  var wide: Wide { get }
  var double: Double { get }
  /// The bits of the magnitude, which are in the order of the magnitudes, with NaN above infinity.
  var magnitudeBits: Bits { get }
  init(_ wide: Wide)
  init(rounding value: Double)
  init(normal: Float)
  init(magnitudeBits: Bits)
  static func factor(_ factor: Double) -> Wide
}

extension Float: Element {
  @inline(__always) var wide: Float { self }
  @inline(__always) var double: Double { Double(self) }
  @inline(__always) var magnitudeBits: UInt32 { bitPattern & 0x7fff_ffff }
  @inline(__always) init(rounding value: Double) { self.init(value) }
  @inline(__always) init(normal: Float) { self = normal }
  @inline(__always) init(magnitudeBits: UInt32) { self.init(bitPattern: magnitudeBits) }
  @inline(__always) static func factor(_ factor: Double) -> Float { Float(factor) }
}

extension Double: Element {
  @inline(__always) var wide: Double { self }
  @inline(__always) var double: Double { self }
  @inline(__always) var magnitudeBits: UInt64 { bitPattern & 0x7fff_ffff_ffff_ffff }
  @inline(__always) init(rounding value: Double) { self = value }
  @inline(__always) init(normal: Float) { self.init(normal) }
  @inline(__always) init(magnitudeBits: UInt64) { self.init(bitPattern: magnitudeBits) }
  @inline(__always) static func factor(_ factor: Double) -> Double { factor }
}

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  extension Float16: Element {
    @inline(__always) var wide: Float { Float(self) }
    @inline(__always) var double: Double { Double(Float(self)) }
    @inline(__always) var magnitudeBits: UInt16 { bitPattern & 0x7fff }
    @inline(__always) init(rounding value: Double) { self.init(value) }
    @inline(__always) init(normal: Float) { self.init(normal) }
    @inline(__always) init(magnitudeBits: UInt16) { self.init(bitPattern: magnitudeBits) }
    @inline(__always) static func factor(_ factor: Double) -> Float { Float(factor) }
  }
#endif
