/// The bytes of a safetensors file with any header and any body, right or wrong.
package func safetensors(_ header: String, body: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Array($0) } + header.utf8 + body
}

/// Little-endian bytes of Floats.
package func bytes(_ floats: [Float]) -> [UInt8] {
  floats.map { $0.bitPattern.littleEndian }.withUnsafeBytes { Array($0) }
}

/// Little-endian bytes of whole numbers.
package func bytes(_ integers: [Int]) -> [UInt8] {
  integers.map { Int64($0).littleEndian }.withUnsafeBytes { Array($0) }
}
