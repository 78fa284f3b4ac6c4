// The only file of this module that imports the C mathematical library.

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#elseif canImport(ucrt)
  import ucrt
#endif

/// The elementary functions of the C library, in Double.
enum Math {
  static func exp(_ x: Double) -> Double { _exp(x) }
  static func log(_ x: Double) -> Double { _log(x) }
  /// √(x² + y²), without overflow or underflow on the way.
  static func hypot(_ x: Double, _ y: Double) -> Double { _hypot(x, y) }
}

private func _exp(_ x: Double) -> Double { exp(x) }
private func _log(_ x: Double) -> Double { log(x) }
private func _hypot(_ x: Double, _ y: Double) -> Double { hypot(x, y) }
