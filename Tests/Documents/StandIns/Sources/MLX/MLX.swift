/// A stand-in for MLX's array, with the functions that the documents call. It computes at once.
public final class MLXArray: @unchecked Sendable {
  public enum DType: Sendable { case float16, float32 }

  public let shape: [Int]
  public let dtype: DType
  let values: [Float]

  init(_ values: [Float], _ shape: [Int], _ dtype: DType) {
    (self.values, self.shape, self.dtype) = (values, shape, dtype)
  }

  public convenience init(_ scalar: Float) { self.init([scalar], [], .float32) }
  public convenience init(_ values: [Float], _ shape: [Int]? = nil) {
    self.init(values, shape ?? [values.count], .float32)
  }

  public func asType(_ dtype: DType) -> MLXArray { MLXArray(values, shape, dtype) }
  public func asArray(_ type: Float.Type) -> [Float] { values }

  public func flattened(start: Int) -> MLXArray {
    MLXArray(values, Array(shape[..<start]) + [shape[start...].reduce(1, *)], dtype)
  }
  public func sum(axis: Int) -> MLXArray { rows { $0.reduce(0, +) } }
  func rows(_ body: (ArraySlice<Float>) -> Float) -> MLXArray {
    let size = shape[1]
    return MLXArray((0..<shape[0]).map { body(values[($0 * size)..<(($0 + 1) * size)]) }, [shape[0]], dtype)
  }

  public static func + (a: MLXArray, b: MLXArray) -> MLXArray { a.with(b, +) }
  public static func * (a: MLXArray, b: MLXArray) -> MLXArray { a.with(b, *) }
  private func with(_ other: MLXArray, _ body: (Float, Float) -> Float) -> MLXArray {
    let type: DType = dtype == .float32 || other.dtype == .float32 ? .float32 : .float16
    if other.shape.isEmpty { return MLXArray(values.map { body($0, other.values[0]) }, shape, type) }
    if shape.isEmpty { return MLXArray(other.values.map { body(values[0], $0) }, other.shape, type) }
    return MLXArray(zip(values, other.values).map(body), shape, type)
  }
}

public func std(_ array: MLXArray, axis: Int) -> MLXArray {
  array.rows { row in
    let mean = row.reduce(0, +) / Float(row.count)
    return (row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(row.count)).squareRoot()
  }
}

public enum MLXRandom {
  /// Numbers of deviation 1, of a generator without a seed.
  public static func normal(_ shape: [Int]) -> MLXArray {
    let count = shape.reduce(1, *)
    return MLXArray(
      (0..<count).map { _ in (0..<12).reduce(Float(-6)) { sum, _ in sum + Float.random(in: 0..<1) } }, shape)
  }
}
