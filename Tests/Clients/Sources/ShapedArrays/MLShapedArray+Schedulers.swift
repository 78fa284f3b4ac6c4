import Schedulers

// The whole adapter. Its runs take their steps where the scalars lie.
extension MLShapedArray: LinearSpace, ClippableSpace, ElementwiseSpace, ScalarTensor, BatchSpace, InnerProductSpace,
  ContiguousTensor
where Scalar == Float {
  var sampleCount: Int { shape[0] }
  var sampleSize: Int { shape.dropFirst().reduce(1, *) }
  init(scalars: [Float], like other: Self) { self.init(scalars: scalars, shape: other.shape) }
  func withScalars<Result>(_ body: (UnsafeBufferPointer<Float>) -> Result) -> Result {
    withUnsafeShapedBufferPointer { scalars, _, _ in body(scalars) }
  }
  mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result {
    withUnsafeMutableShapedBufferPointer { scalars, _, _ in body(scalars) }
  }
}
