import Foundation
import Schedulers

/// Safetensors files with one tensor.
///
/// Source: the format's description, https://github.com/huggingface/safetensors#format.
enum SafetensorsFile {
  /// The bytes of a file with a tensor of Floats or Doubles.
  static func encode<Scalar: SampleScalar>(_ tensor: Batch<Scalar>, named name: String) -> Data {
    let size = Scalar.self == Double.self ? 8 : 4
    let shape = tensor.shape.map(String.init).joined(separator: ",")
    var header =
      #"{"\#(name)":{"dtype":"F\#(8 * size)","shape":[\#(shape)],"data_offsets":[0,\#(size * tensor.scalars.count)]}}"#
    // Spaces at the end keep the numbers aligned.
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    var data = Data()
    func append(_ word: some FixedWidthInteger) { withUnsafeBytes(of: word.littleEndian) { data.append(contentsOf: $0) } }
    append(UInt64(header.utf8.count))
    data.append(contentsOf: header.utf8)
    data.reserveCapacity(data.count + size * tensor.scalars.count)
    for scalar in tensor.scalars {
      if size == 8 { append(Double(scalar).bitPattern) } else { append(Float(scalar).bitPattern) }
    }
    return data
  }
}
