/// A stand-in for Core ML's array, with the functions that the documents call.
public struct MLShapedArray<Scalar: Sendable>: Sendable {
  public let shape: [Int]
  public private(set) var scalars: [Scalar]

  public init(scalars: [Scalar], shape: [Int]) { (self.scalars, self.shape) = (scalars, shape) }

  public func withUnsafeShapedBufferPointer<R>(
    _ body: (UnsafeBufferPointer<Scalar>, [Int], [Int]) throws -> R
  ) rethrows -> R {
    try scalars.withUnsafeBufferPointer { try body($0, shape, strides) }
  }

  public mutating func withUnsafeMutableShapedBufferPointer<R>(
    _ body: (UnsafeMutableBufferPointer<Scalar>, [Int], [Int]) throws -> R
  ) rethrows -> R {
    let (shape, strides) = (shape, strides)
    return try scalars.withUnsafeMutableBufferPointer { try body($0, shape, strides) }
  }

  private var strides: [Int] { shape.indices.map { shape[($0 + 1)...].reduce(1, *) } }
}
