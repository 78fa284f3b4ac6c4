// The only file of this module that imports the C library.

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

/// A number with at most so many significant digits and no zeros at the end, as C's `%g` writes it.
func brief(_ x: Double, digits: Int = 3) -> String {
  guard x.isFinite else { return "\(x)" }
  // A sign, the digits, a point and an exponent.
  var text = [CChar](repeating: 0, count: digits + 16)
  let count = withVaList([Int32(digits), x]) { vsnprintf(&text, text.count, "%.*g", $0) }
  // A program may have told the C library of another decimal point.
  let known = Set("+-0123456789e".utf8)
  let parts = text.prefix(Int(count)).map { UInt8(bitPattern: $0) }.split { !known.contains($0) }
  return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
}
