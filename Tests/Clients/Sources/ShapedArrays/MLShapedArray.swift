/// A stand-in for Core ML's array: a shape and scalars, lent by closures with strides.
struct MLShapedArray<Scalar: Sendable>: Sendable {
  let shape: [Int]
  private(set) var scalars: [Scalar]

  init(scalars: [Scalar], shape: [Int]) { (self.scalars, self.shape) = (scalars, shape) }

  func withUnsafeShapedBufferPointer<R>(_ body: (UnsafeBufferPointer<Scalar>, [Int], [Int]) throws -> R) rethrows -> R {
    try scalars.withUnsafeBufferPointer { try body($0, shape, strides) }
  }

  mutating func withUnsafeMutableShapedBufferPointer<R>(
    _ body: (UnsafeMutableBufferPointer<Scalar>, [Int], [Int]) throws -> R
  ) rethrows -> R {
    let (shape, strides) = (shape, strides)
    return try scalars.withUnsafeMutableBufferPointer { try body($0, shape, strides) }
  }

  private var strides: [Int] { shape.indices.map { shape[($0 + 1)...].reduce(1, *) } }
}
