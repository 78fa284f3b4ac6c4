/// A stand-in for MLX's array: a class that holds how it is made, and nothing until it is
/// evaluated. Its scalars cannot be set from outside.
final class MLXArray: @unchecked Sendable {
  enum DType { case float16, float32 }

  let shape: [Int]
  let dtype: DType
  private var make: (() -> [Float])?
  private var values: [Float]?
  /// How many arrays have been evaluated.
  nonisolated(unsafe) static var evaluations = 0

  private init(_ shape: [Int], _ dtype: DType, _ make: @escaping () -> [Float]) {
    (self.shape, self.dtype, self.make) = (shape, dtype, make)
  }

  convenience init(_ scalar: Float) { self.init([], .float32) { [scalar] } }

  /// A few numbers that look random, as a sum of others.
  static func normal(_ shape: [Int], key: UInt64, dtype: DType = .float16) -> MLXArray {
    MLXArray(shape, dtype) {
      var state = key &* 0x9e37_79b9_7f4a_7c15 &+ 1
      return (0..<shape.reduce(1, *)).map { _ in
        (0..<12).reduce(Float(-6)) { sum, _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return sum + Float(state >> 40) / Float(1 << 24)
        }
      }
    }
  }

  func asType(_ dtype: DType) -> MLXArray { MLXArray(shape, dtype) { self.eval() } }
  func map(_ body: @escaping (Float) -> Float) -> MLXArray { MLXArray(shape, dtype) { self.eval().map(body) } }

  static func + (a: MLXArray, b: MLXArray) -> MLXArray { binary(a, b, +) }
  static func * (a: MLXArray, b: MLXArray) -> MLXArray { binary(a, b, *) }

  private static func binary(_ a: MLXArray, _ b: MLXArray, _ f: @escaping (Float, Float) -> Float) -> MLXArray {
    let dtype = a.dtype == .float32 || b.dtype == .float32 ? DType.float32 : .float16
    return MLXArray(a.shape.isEmpty ? b.shape : a.shape, dtype) {
      let (x, y) = (a.eval(), b.eval())
      return x.count == 1 ? y.map { f(x[0], $0) } : y.count == 1 ? x.map { f($0, y[0]) } : zip(x, y).map(f)
    }
  }

  /// The numbers, which are rounded to the array's type.
  @discardableResult func eval() -> [Float] {
    if let values { return values }
    Self.evaluations += 1
    let made = make!().map { dtype == .float16 ? Self.rounded($0) : $0 }
    (values, make) = (made, nil)
    return made
  }

  /// To 11 bits, as half precision has them.
  private static func rounded(_ x: Float) -> Float {
    let big = x * 8193
    return big - (big - x)
  }
}
