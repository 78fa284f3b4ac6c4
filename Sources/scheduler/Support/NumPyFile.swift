import Foundation

/// A tensor as NumPy saves it.
///
/// Source: https://numpy.org/doc/2.3/reference/generated/numpy.lib.format.html, version 1.0.
enum NumPyFile {
  /// The bytes of a file of Floats, F4.
  static func data(shape: [Int], floats: [Float]) -> Data {
    var data = header(shape: shape, type: "<f4")
    data.reserveCapacity(data.count + 4 * floats.count)
    for float in floats { withUnsafeBytes(of: float.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    return data
  }

  /// The bytes of a file of Doubles, F8.
  static func data(shape: [Int], doubles: [Double]) -> Data {
    var data = header(shape: shape, type: "<f8")
    data.reserveCapacity(data.count + 8 * doubles.count)
    for double in doubles { withUnsafeBytes(of: double.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    return data
  }

  private static func header(shape: [Int], type: String) -> Data {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }"
    // Ten bytes come before it, and the numbers begin at a multiple of 64.
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var data = Data([0x93] + "NUMPY".utf8 + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    return data
  }
}
