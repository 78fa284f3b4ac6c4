import SchedulersJSON

/// The header of a safetensors file, after every check.
struct Header {
  private(set) var metadata: [String: String] = [:]
  private(set) var tensors: [String: SafetensorsFile.Tensor] = [:]

  private static let metadataKey = "__metadata__"

  /// - Parameters:
  ///   - json: the header's text.
  ///   - body: the bytes of the file that come after it.
  init(_ json: [UInt8], body: Range<Int>) throws(SafetensorsError) {
    let entries: [String: Entry]
    do {
      entries = try JSONText.decode([String: Entry].self, from: json)
    } catch let failure as JSONCheck.Failure {
      throw .format("its header has \(failure)")
    } catch {
      throw .format("its header does not have the form of one\(Self.place(of: error))")
    }
    for (name, entry) in entries {
      switch entry {
      case .metadata(let text): metadata = text
      case .tensor(let tensor): tensors[name] = try Self.tensor(name, tensor, body: body)
      }
    }
    try Self.checkOverlaps(
      tensors.values.sorted { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) })
  }

  private static func tensor(
    _ name: String, _ entry: TensorEntry, body: Range<Int>
  ) throws(SafetensorsError) -> SafetensorsFile.Tensor {
    guard let type = ElementType(rawValue: entry.dtype) else {
      throw .tensor(name, reason: "has the unknown type \(entry.dtype.quoted)")
    }
    var count = 1
    for extent in entry.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw .tensor(name, reason: "has the impossible shape \(shown(entry.shape))")
      }
      count = product
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: type.size)
    guard !overflow else { throw .tensor(name, reason: "has the impossible shape \(shown(entry.shape))") }
    guard entry.offsets.count == 2, 0 <= entry.offsets[0], entry.offsets[0] <= entry.offsets[1],
      entry.offsets[1] <= body.count
    else {
      throw .tensor(name, reason: "lies at \(shown(entry.offsets)), outside the \(body.count) bytes after the header")
    }
    guard entry.offsets[1] - entry.offsets[0] == size else {
      throw .tensor(
        name,
        reason:
          "has \(entry.offsets[1] - entry.offsets[0]) bytes, where \(entry.dtype) \(shown(entry.shape)) takes \(size)")
    }
    return SafetensorsFile.Tensor(
      name: name, type: type, shape: entry.shape, count: count,
      range: body.lowerBound + entry.offsets[0]..<body.lowerBound + entry.offsets[1])
  }

  private static func checkOverlaps(_ tensors: [SafetensorsFile.Tensor]) throws(SafetensorsError) {
    for (a, b) in zip(tensors, tensors.dropFirst()) where b.range.lowerBound < a.range.upperBound {
      throw .tensor(b.name, reason: "lies over the tensor \(a.name.quoted)")
    }
  }

  /// Shapes come from the file and may be of any length.
  private static func shown(_ numbers: [Int]) -> String {
    numbers.count <= 8 ? "\(numbers)" : "[" + numbers.prefix(8).map { "\($0)" }.joined(separator: ", ") + ", ...]"
  }

  private static func place(of error: any Error) -> String {
    let path: [any CodingKey]
    switch error as? DecodingError {
    case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?, .dataCorrupted(let context)?:
      path = context.codingPath
    case .keyNotFound(let key, let context)?: path = context.codingPath + [key]
    default: path = []
    }
    return path.isEmpty
      ? "" : ", at \(path.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".").quoted)"
  }

  private struct TensorEntry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  private enum Entry: Decodable {
    case metadata([String: String])
    case tensor(TensorEntry)

    init(from decoder: any Decoder) throws {
      self =
        decoder.codingPath.last?.stringValue == Header.metadataKey
        ? .metadata(try [String: String](from: decoder)) : .tensor(try TensorEntry(from: decoder))
    }
  }
}
