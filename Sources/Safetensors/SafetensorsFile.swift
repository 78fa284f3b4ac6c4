import SchedulersJSON

/// A safetensors file that nobody vouches for, mapped into memory and read where it is asked for.
///
/// What the header says is checked against the file before anything is believed: its length, its
/// JSON (repeated keys and deep nesting too), types, shapes, and that tensors lie inside the file
/// and not over each other. Bytes between tensors are allowed.
///
/// Source: the format's description, https://github.com/huggingface/safetensors#format.
public struct SafetensorsFile: Sendable {
  /// One tensor's entry in the header.
  public struct Tensor: Hashable, Sendable {
    /// The name in the file.
    public let name: String
    /// What its elements are.
    public let type: ElementType
    /// Its extents; the last runs fastest.
    public let shape: [Int]
    /// The number of elements, the product of the extents.
    public let count: Int
    /// Where it lies, in bytes from the start of the file.
    let range: Range<Int>
  }

  /// The text under `__metadata__`.
  public let metadata: [String: String]
  /// The tensors by name.
  public let tensors: [String: Tensor]
  private let bytes: Bytes

  /// Where the file's bytes are.
  private enum Bytes: Sendable {
    case mapped(MappedFile)
    case given([UInt8])

    var count: Int {
      switch self {
      case .mapped(let file): file.count
      case .given(let bytes): bytes.count
      }
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
      switch self {
      case .mapped(let file): try file.withUnsafeBytes(body)
      case .given(let bytes): try bytes.withUnsafeBytes(body)
      }
    }

    /// Some of the bytes from an offset, as far as there are so many.
    func prefix(_ count: Int, from start: Int = 0) -> [UInt8] {
      withUnsafeBytes { Array($0.dropFirst(start).prefix(count)) }
    }
  }

  /// A header may be as long as this. The format allows 100 MB; what a decoder makes of that does
  /// not fit into small memories.
  static let longestHeader = 8 << 20

  /// Opens a file.
  ///
  /// - Throws: `SafetensorsError` if it is not a regular file, cannot be read, or is not a sound
  ///   safetensors file.
  public init(contentsOf path: String) throws(SafetensorsError) {
    try self.init(.mapped(MappedFile(path)))
  }

  /// Reads the bytes of a file.
  ///
  /// - Throws: `SafetensorsError` if they are not a sound safetensors file.
  public init(_ bytes: [UInt8]) throws(SafetensorsError) { try self.init(.given(bytes)) }

  private init(_ bytes: Bytes) throws(SafetensorsError) {
    do { try self.init(unexplained: bytes) } catch {
      let kind = FileKind(bytes.prefix(Self.telling))
      guard case .format = error, let kind, kind != .safetensors else { throw error }
      throw .format("\(kind)")
    }
  }

  /// How many bytes say what a file is.
  private static let telling = 4096

  private init(unexplained bytes: Bytes) throws(SafetensorsError) {
    self.bytes = bytes
    guard bytes.count >= 8 else { throw .format("it has \(bytes.count) bytes, and its header's length alone takes 8") }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(bytes.count - 8) else {
      throw .format(
        "its header should have \(length) bytes, and \(bytes.count - 8) are left; it is truncated or no safetensors "
          + "file")
    }
    guard length <= UInt64(Self.longestHeader) else {
      throw .format("its header has \(length) bytes; at most \(Self.longestHeader) are read")
    }
    let header = try Header(bytes.prefix(Int(length), from: 8), body: 8 + Int(length)..<bytes.count)
    metadata = header.metadata
    tensors = header.tensors
  }
}

extension SafetensorsFile {
  /// Some of a tensor's elements as Doubles; the file is read where they lie and nowhere else.
  ///
  /// - Parameters:
  ///   - tensor: one of this file.
  ///   - elements: counted from the tensor's first, the last dimension running fastest; all by
  ///     default.
  /// - Precondition: the elements are the tensor's.
  public func doubles(_ tensor: Tensor, _ elements: Range<Int>? = nil) -> [Double] {
    let elements = elements ?? 0..<tensor.count
    precondition(
      elements.lowerBound >= 0 && elements.upperBound <= tensor.count,
      "the elements \(elements) are outside the 0 ..< \(tensor.count) of \(tensor.name)")
    return bytes.withUnsafeBytes { buffer in
      if tensor.type == .float32 {
        // What nearly every file holds, without asking for the type at every element.
        return elements.map {
          let word = buffer.loadUnaligned(fromByteOffset: tensor.range.lowerBound + $0 * 4, as: UInt32.self)
          return Double(Float(bitPattern: UInt32(littleEndian: word)))
        }
      }
      return elements.map { tensor.type.double(buffer, at: tensor.range.lowerBound + $0 * tensor.type.size) }
    }
  }

  /// The little-endian words that a tensor's elements are, bit for bit.
  ///
  /// - Precondition: an element has the size of a word.
  package func words<Word: FixedWidthInteger>(_ tensor: Tensor) -> [Word] {
    let size = Word.bitWidth / 8
    precondition(tensor.type.size == size, "\(tensor.name) has elements of \(tensor.type.size) bytes, not \(size)")
    return bytes.withUnsafeBytes { buffer in
      (0..<tensor.count).map {
        Word(littleEndian: buffer.loadUnaligned(fromByteOffset: tensor.range.lowerBound + $0 * size, as: Word.self))
      }
    }
  }

  /// Single elements of a tensor, in any order.
  ///
  /// - Precondition: the indices are the tensor's.
  package func doubles(_ tensor: Tensor, at indices: [Int]) -> [Double] {
    bytes.withUnsafeBytes { buffer in
      indices.map { index in
        precondition(
          (0..<tensor.count).contains(index), "element \(index) is outside the 0 ..< \(tensor.count) of \(tensor.name)")
        return tensor.type.double(buffer, at: tensor.range.lowerBound + index * tensor.type.size)
      }
    }
  }
}
