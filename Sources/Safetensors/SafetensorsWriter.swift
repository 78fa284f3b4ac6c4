import SchedulersJSON

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
    let bytes: [UInt8]

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

    private init(_ name: String, _ type: ElementType, _ shape: [Int], _ count: Int, _ bytes: [UInt8]) {
      precondition(shape.reduce(1, *) == count, "\(count) values do not fill the shape \(shape) of \(name)")
      (self.name, self.type, self.shape, self.bytes) = (name, type, shape, bytes)
    }

    private static func bytes(_ words: [some FixedWidthInteger]) -> [UInt8] {
      words.map(\.littleEndian).withUnsafeBytes { Array($0) }
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
    if Files.kind(path, followsLinks: false) == .other {
      throw .file(path, reason: "it cannot be written; something else than a file has the name")
    }
    guard !path.isEmpty, !path.utf8.contains(0), Files.replace(path, with: bytes(tensors, metadata: metadata)) else {
      throw .file(path, reason: "it cannot be written; check that its folder exists and has space")
    }
  }

  /// The bytes of a file.
  ///
  /// - Parameters:
  ///   - tensors: in the order in which they will lie in the file.
  ///   - metadata: text for `__metadata__`.
  public static func bytes(_ tensors: [Tensor], metadata: [String: String] = [:]) -> [UInt8] {
    var bytes = header(tensors, metadata: metadata)
    bytes.reserveCapacity(bytes.count + tensors.reduce(0) { $0 + $1.bytes.count })
    for tensor in tensors { bytes += tensor.bytes }
    return bytes
  }

  /// The header's length and its JSON, filled up with spaces so that the tensors begin at a
  /// multiple of 8.
  private static func header(_ tensors: [Tensor], metadata: [String: String]) -> [UInt8] {
    var entries =
      metadata.isEmpty
      ? [] : ["\"__metadata__\":" + object(metadata.sorted { $0.key < $1.key }.map { ($0, JSONText.quoted($1)) })]
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      entries.append(
        "\(JSONText.quoted(tensor.name)):"
          + object([
            ("dtype", JSONText.quoted(tensor.type.rawValue)), ("shape", "\(tensor.shape)"),
            ("data_offsets", "[\(offset),\(end)]"),
          ]))
      offset = end
    }
    var json = "{\(entries.joined(separator: ","))}"
    json += String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Array($0) } + json.utf8
  }

  private static func object(_ entries: [(String, String)]) -> String {
    "{" + entries.map { "\(JSONText.quoted($0)):\($1)" }.joined(separator: ",") + "}"
  }
}
