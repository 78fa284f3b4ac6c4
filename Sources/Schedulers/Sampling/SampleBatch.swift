/// A small tensor: samples of one shape, their scalars one after another.
///
/// `shape[0]` counts the samples; the rest is the shape of each, such as channels, height, width.
public struct SampleBatch<Scalar: SampleScalar>: Hashable, Sendable {
  /// The number of samples, then the shape of each.
  public let shape: [Int]
  /// All scalars, the last dimension running fastest. They may be changed, but not their number.
  public var scalars: [Scalar] {
    get { storage }
    // An observer would have other modules copy all scalars to change one.
    _modify {
      defer {
        stop(unless: Self.count(of: shape) == storage.count, "\(storage.count) scalars do not fill the shape \(shape)")
      }
      yield &storage
    }
  }
  private var storage: [Scalar]

  /// A batch of given scalars.
  ///
  /// - Precondition: no dimension is less than 1, and their product is the number of scalars.
  public init(shape: [Int], scalars: [Scalar]) {
    stop(unless: Self.count(of: shape) == scalars.count, "\(scalars.count) scalars do not fill the shape \(shape)")
    self.shape = shape
    storage = scalars
  }

  /// A batch of zeros.
  public init(zeros shape: [Int]) {
    guard let count = Self.count(of: shape) else { stop("the shape \(shape) holds nothing") }
    self.init(shape: shape, scalars: Array(repeating: 0, count: count))
  }

  /// The number of scalars that a shape holds; `nil` if it holds none or more than can be counted.
  private static func count(of shape: [Int]) -> Int? {
    guard !shape.isEmpty else { return nil }
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 1, !overflow else { return nil }
      count = product
    }
    return count
  }
}

extension SampleBatch: ScalarTensor, ClippableSpace, ChannelSpace, ElementwiseSpace {
  public var sampleCount: Int { shape[0] }
  public var sampleSize: Int { scalars.count / shape[0] }

  public init(scalars: [Scalar], like other: SampleBatch) { self.init(shape: other.shape, scalars: scalars) }

  public static func combination(_ terms: [(coefficient: Double, value: SampleBatch)]) -> SampleBatch {
    let shape = terms[0].value.shape
    for term in terms {
      stop(unless: term.value.shape == shape, "tensors of shapes \(shape) and \(term.value.shape) do not combine")
    }
    return SampleBatch(
      shape: shape, scalars: Scalar.combination(terms.map { (coefficient: $0.coefficient, values: $0.value.scalars) }))
  }

  public static func product(_ a: SampleBatch, _ b: SampleBatch) -> SampleBatch {
    stop(unless: a.shape == b.shape, "tensors of shapes \(a.shape) and \(b.shape) do not multiply")
    return SampleBatch(shape: a.shape, scalars: .product(a.scalars, b.scalars))
  }

  /// The channels are the dimension after the number of samples.
  public func halves() -> (first: SampleBatch, second: SampleBatch)? {
    guard shape.count > 1, shape[1].isMultiple(of: 2) else { return nil }
    return (channels(..<(shape[1] / 2)), channels((shape[1] / 2)...))
  }
}

extension SampleBatch: Codable {
  private enum CodingKeys: String, CodingKey {
    case shape
    case storage = "scalars"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let shape = try container.decode([Int].self, forKey: .shape)
    let scalars = try container.decode([Scalar].self, forKey: .storage)
    guard Self.count(of: shape) == scalars.count else {
      throw container.error(.storage, "\(scalars.count) scalars do not fill the shape \(shape)")
    }
    self.init(shape: shape, scalars: scalars)
  }
}
