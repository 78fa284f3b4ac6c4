// The only file of this module that imports the C mathematical library.

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#elseif canImport(WASILibc)
  import WASILibc
#elseif canImport(ucrt)
  import ucrt
#endif

/// The elementary functions of the C library, in Double. Glibc and Darwin keep each within 1 ulp.
package enum Math {
  package static func exp(_ x: Double) -> Double { _exp(x) }
  package static func log(_ x: Double) -> Double { _log(x) }
  package static func log1p(_ x: Double) -> Double { _log1p(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { _pow(x, y) }
  /// √(x² + y²), without overflow or underflow on the way.
  package static func hypot(_ x: Double, _ y: Double) -> Double { _hypot(x, y) }
}

private func _exp(_ x: Double) -> Double { exp(x) }
private func _log(_ x: Double) -> Double { log(x) }
private func _log1p(_ x: Double) -> Double { log1p(x) }
private func _pow(_ x: Double, _ y: Double) -> Double { pow(x, y) }
private func _hypot(_ x: Double, _ y: Double) -> Double { hypot(x, y) }
