import Foundation
import SchedulersSafetensors

/// The tensors of a safetensors file of `Fixtures/Data`.
package struct Safetensors: Sendable {
  private let name: String
  private let file: SafetensorsFile

  /// The names of the tensors, sorted.
  package var names: [String] { file.tensors.keys.sorted() }

  /// Reads a file of `Fixtures/Data`.
  ///
  /// - Throws: `Fixtures.Failure` that names the file if it is missing, truncated, or no
  ///   safetensors file.
  package init(_ name: String) throws(Fixtures.Failure) {
    try self.init(Array(Fixtures.data(name)), name: name)
  }

  /// Reads a file of another folder.
  ///
  /// - Throws: as that of `Fixtures/Data`.
  package init(contentsOf path: String) throws(Fixtures.Failure) {
    name = path
    do { file = try SafetensorsFile(contentsOf: path) } catch {
      throw Fixtures.Failure(description: "\(path): \(error)")
    }
  }

  /// Reads the bytes of a file with a given name.
  init(_ file: [UInt8], name: String) throws(Fixtures.Failure) {
    self.name = name
    do {
      self.file = try SafetensorsFile(file)
    } catch {
      throw Fixtures.Failure(
        description: "the data file \(name) is damaged: \(error); run Fixtures/regenerate.py --check --only \(name)")
    }
  }

  /// The lists of names in the file's metadata, separated by semicolons, and the names by commas.
  package func lists() throws(Fixtures.Failure) -> [[String]] {
    guard let text = file.metadata["lists"] else {
      throw Fixtures.Failure(
        description: "the data file \(name) has no lists of names; run Fixtures/regenerate.py --only \(name)")
    }
    return text.components(separatedBy: ";").map { $0.components(separatedBy: ",") }
  }

  /// The shape of a tensor.
  package func shape(_ tensor: String) throws(Fixtures.Failure) -> [Int] { try entry(tensor).shape }

  /// A tensor of Doubles (F64), row by row.
  package func doubles(_ tensor: String) throws(Fixtures.Failure) -> [Double] {
    try words(tensor, .float64).map { Double(bitPattern: $0) }
  }

  /// A tensor of Floats (F32), row by row.
  package func floats(_ tensor: String) throws(Fixtures.Failure) -> [Float] {
    try words(tensor, .float32).map { (word: UInt32) in Float(bitPattern: word) }
  }

  /// A tensor of whole numbers (I64, or I32 where space counts), row by row.
  package func integers(_ tensor: String) throws(Fixtures.Failure) -> [Int] {
    if try entry(tensor).type == .int32 {
      return try words(tensor, .int32).map { (word: UInt32) in Int(Int32(bitPattern: word)) }
    }
    return try words(tensor, .int64).map { (word: UInt64) in Int(Int64(bitPattern: word)) }
  }

  private func entry(_ tensor: String) throws(Fixtures.Failure) -> SafetensorsFile.Tensor {
    guard let entry = file.tensors[tensor] else {
      throw Fixtures.Failure(
        description: "the data file \(name) has no tensor \(tensor); run Fixtures/regenerate.py --only \(name)")
    }
    return entry
  }

  private func words<Word: FixedWidthInteger>(
    _ tensor: String, _ type: ElementType
  ) throws(Fixtures.Failure) -> [Word] {
    let entry = try entry(tensor)
    guard entry.type == type else {
      throw Fixtures.Failure(
        description: "the tensor \(tensor) of \(name) is \(entry.type.rawValue) \(entry.shape), not \(type.rawValue)")
    }
    return file.words(entry)
  }
}
