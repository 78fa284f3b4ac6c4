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

/// The C library's functions for the algebra, and for other libraries' noise. Glibc and Darwin keep
/// each within 1 ulp, but `expm1` and `tanh` within 2, and `erfc` within 5.
package enum Math {
  package static func exp(_ x: Double) -> Double { _exp(x) }
  package static func log(_ x: Double) -> Double { _log(x) }
  package static func log1p(_ x: Double) -> Double { _log1p(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { _pow(x, y) }
  /// exp(x) − 1, without the cancellation for small x.
  package static func expm1(_ x: Double) -> Double { _expm1(x) }
  package static func tanh(_ x: Double) -> Double { _tanh(x) }
  /// 2/√π times the integral of exp(−t²) from 0 to x.
  package static func erf(_ x: Double) -> Double { _erf(x) }
  /// 1 − erf(x), without the cancellation for large x.
  package static func erfc(_ x: Double) -> Double { _erfc(x) }
  /// √(x² + y²), without overflow or underflow on the way.
  package static func hypot(_ x: Double, _ y: Double) -> Double { _hypot(x, y) }
  package static func sin(_ x: Double) -> Double { _sin(x) }
  package static func cos(_ x: Double) -> Double { _cos(x) }
  /// The angle of the point (x, y) from the x axis.
  package static func atan2(_ y: Double, _ x: Double) -> Double { _atan2(y, x) }

  package static func log(_ x: Float) -> Float { _log(x) }
  package static func log1p(_ x: Float) -> Float { _log1p(x) }
  package static func sin(_ x: Float) -> Float { _sin(x) }
  package static func cos(_ x: Float) -> Float { _cos(x) }

  /// A polynomial by Horner's rule with fused multiply-adds, the highest power first.
  package static func fusedPolynomial(_ coefficients: [Float], at x: Float) -> Float {
    coefficients.dropFirst().reduce(coefficients[0]) { $1.addingProduct($0, x) }
  }
}

private func _exp(_ x: Double) -> Double { exp(x) }
private func _log(_ x: Double) -> Double { log(x) }
private func _log1p(_ x: Double) -> Double { log1p(x) }
private func _pow(_ x: Double, _ y: Double) -> Double { pow(x, y) }
private func _expm1(_ x: Double) -> Double { expm1(x) }
private func _tanh(_ x: Double) -> Double { tanh(x) }
private func _erf(_ x: Double) -> Double { erf(x) }
private func _erfc(_ x: Double) -> Double { erfc(x) }
private func _hypot(_ x: Double, _ y: Double) -> Double { hypot(x, y) }
private func _sin(_ x: Double) -> Double { sin(x) }
private func _cos(_ x: Double) -> Double { cos(x) }
private func _atan2(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
private func _log(_ x: Float) -> Float { logf(x) }
private func _log1p(_ x: Float) -> Float { log1pf(x) }
private func _sin(_ x: Float) -> Float { sinf(x) }
private func _cos(_ x: Float) -> Float { cosf(x) }
