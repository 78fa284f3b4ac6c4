import Foundation

/// The tensors of a safetensors file, read whole.
///
/// Source: the format's description, https://github.com/huggingface/safetensors#format.
public struct Safetensors: Sendable {
  private struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  private let name: String
  private let entries: [String: Entry]
  private let bytes: Data

  /// The names of the tensors, sorted.
  public var names: [String] { entries.keys.sorted() }

  /// Reads a file of `Fixtures/Data`.
  ///
  /// - Throws: `Fixtures.Failure` that names the file if it is missing, truncated, or no safetensors file.
  public init(_ name: String) throws(Fixtures.Failure) {
    try self.init(Fixtures.data(name), name: name)
  }

  /// Reads the bytes of a file with a given name.
  init(_ file: Data, name: String) throws(Fixtures.Failure) {
    let damaged = Fixtures.Failure(
      description: "the data file \(name) is damaged; run Fixtures/regenerate.py --check --only \(name)")
    guard file.count >= 8 else { throw damaged }
    let length = file.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    guard length <= UInt64(file.count - 8) else { throw damaged }
    let header = Data(file.dropFirst(8).prefix(Int(length)))
    guard let entries = try? JSONDecoder().decode([String: Entry].self, from: header) else { throw damaged }
    let bytes = Data(file.dropFirst(8 + Int(length)))
    for entry in entries.values {
      guard entry.offsets.count == 2, (0...bytes.count).contains(entry.offsets[0]),
        (entry.offsets[0]...bytes.count).contains(entry.offsets[1])
      else { throw damaged }
    }
    self.name = name
    self.entries = entries
    self.bytes = bytes
  }

  /// The shape of a tensor.
  public func shape(_ tensor: String) throws(Fixtures.Failure) -> [Int] { try entry(tensor).shape }

  /// A tensor of Doubles (F64), row by row.
  public func doubles(_ tensor: String) throws(Fixtures.Failure) -> [Double] {
    try words(tensor, dtype: "F64").map { Double(bitPattern: $0) }
  }

  /// A tensor of Floats (F32), row by row.
  public func floats(_ tensor: String) throws(Fixtures.Failure) -> [Float] {
    try words(tensor, dtype: "F32").map { (word: UInt32) in Float(bitPattern: word) }
  }

  /// A tensor of whole numbers (I64), row by row.
  public func integers(_ tensor: String) throws(Fixtures.Failure) -> [Int] {
    try words(tensor, dtype: "I64").map { (word: UInt64) in Int(Int64(bitPattern: word)) }
  }

  private func entry(_ tensor: String) throws(Fixtures.Failure) -> Entry {
    guard let entry = entries[tensor] else {
      throw Fixtures.Failure(
        description: "the data file \(name) has no tensor \(tensor); run Fixtures/regenerate.py --only \(name)")
    }
    return entry
  }

  private func words<Word: FixedWidthInteger>(_ tensor: String, dtype: String) throws(Fixtures.Failure) -> [Word] {
    let entry = try entry(tensor)
    let size = Word.bitWidth / 8
    let range = entry.offsets[0]..<entry.offsets[1]
    let count = entry.shape.reduce(1) { $0.multipliedReportingOverflow(by: max($1, 0)).partialValue }
    guard entry.dtype == dtype, range.count.isMultiple(of: size), range.count / size == count else {
      throw Fixtures.Failure(
        description: "the tensor \(tensor) of \(name) is \(entry.dtype) \(entry.shape) in \(range.count) bytes, not \(dtype)")
    }
    return bytes.withUnsafeBytes { buffer in
      (0..<count).map { Word(littleEndian: buffer.loadUnaligned(fromByteOffset: range.lowerBound + $0 * size, as: Word.self)) }
    }
  }
}
