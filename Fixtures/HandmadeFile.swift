import Foundation

/// The bytes of a safetensors file with any header and any body, right or wrong.
package func safetensors(_ header: String, body: Data = Data(), length: UInt64? = nil) -> Data {
  var data = withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Data($0) }
  data.append(contentsOf: header.utf8)
  return data + body
}

/// Little-endian bytes of Floats.
package func bytes(_ floats: [Float]) -> Data { floats.map { $0.bitPattern.littleEndian }.withUnsafeBytes { Data($0) } }

/// Little-endian bytes of whole numbers.
package func bytes(_ integers: [Int]) -> Data { integers.map { Int64($0).littleEndian }.withUnsafeBytes { Data($0) } }
