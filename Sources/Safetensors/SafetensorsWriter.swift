import Foundation

/// A safetensors file in the making, written tensor by tensor under a temporary name and renamed
/// when it is complete, so that a file of that name is whole or not there.
///
/// Source: the format's description, https://github.com/huggingface/safetensors#format.
public struct SafetensorsWriter {
  /// A tensor to be written.
  public struct Tensor: Sendable {
    let name: String
    let type: ElementType
    let shape: [Int]
    let bytes: Data

    /// A tensor of Floats, F32.
    ///
    /// - Precondition: the values fill the shape.
    public init(_ name: String, shape: [Int], floats values: [Float]) {
      self.init(name, .float32, shape, values.count, Self.bytes(values.map(\.bitPattern)))
    }

    /// A tensor of Doubles, F64.
    ///
    /// - Precondition: the values fill the shape.
    public init(_ name: String, shape: [Int], doubles values: [Double]) {
      self.init(name, .float64, shape, values.count, Self.bytes(values.map(\.bitPattern)))
    }

    /// A tensor of whole numbers, I64.
    ///
    /// - Precondition: the values fill the shape.
    public init(_ name: String, shape: [Int], integers values: [Int]) {
      self.init(name, .int64, shape, values.count, Self.bytes(values.map { Int64($0) }))
    }

    private init(_ name: String, _ type: ElementType, _ shape: [Int], _ count: Int, _ bytes: Data) {
      precondition(shape.reduce(1, *) == count, "\(count) values do not fill the shape \(shape) of \(name)")
      (self.name, self.type, self.shape, self.bytes) = (name, type, shape, bytes)
    }

    private static func bytes(_ words: [some FixedWidthInteger]) -> Data {
      words.map(\.littleEndian).withUnsafeBytes { Data($0) }
    }
  }

  /// Writes a file; one that has the name is replaced.
  ///
  /// - Parameters:
  ///   - path: where to.
  ///   - tensors: in the order in which they will lie in the file.
  ///   - metadata: text for `__metadata__`.
  /// - Throws: `SafetensorsError.file` if it cannot be written; nothing is left behind then.
  public static func write(
    to path: String, _ tensors: [Tensor], metadata: [String: String] = [:]
  ) throws(SafetensorsError) {
    do {
      // Foundation writes to a name of its own beside it, then renames.
      try data(tensors, metadata: metadata).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw .file(path, reason: "it cannot be written; check that its folder exists and has space")
    }
  }

  /// The bytes of a file.
  ///
  /// - Parameters:
  ///   - tensors: in the order in which they will lie in the file.
  ///   - metadata: text for `__metadata__`.
  public static func data(_ tensors: [Tensor], metadata: [String: String] = [:]) -> Data {
    var data = header(tensors, metadata: metadata)
    for tensor in tensors { data.append(tensor.bytes) }
    return data
  }

  /// The header's length and its JSON, filled up with spaces so that the tensors begin at a
  /// multiple of 8.
  private static func header(_ tensors: [Tensor], metadata: [String: String]) -> Data {
    var entries =
      metadata.isEmpty ? [] : ["\"__metadata__\":" + object(metadata.sorted { $0.key < $1.key }.map { ($0, text($1)) })]
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      entries.append(
        "\(text(tensor.name)):"
          + object([
            ("dtype", text(tensor.type.rawValue)), ("shape", "\(tensor.shape)"), ("data_offsets", "[\(offset),\(end)]"),
          ]))
      offset = end
    }
    var json = "{\(entries.joined(separator: ","))}"
    json += String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
    var data = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Data($0) }
    data.append(contentsOf: json.utf8)
    return data
  }

  private static func object(_ entries: [(String, String)]) -> String {
    "{" + entries.map { "\(text($0)):\($1)" }.joined(separator: ",") + "}"
  }

  /// JSON's form of a text, which every text has.
  private static func text(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try! encoder.encode(text), as: UTF8.self)
  }
}
