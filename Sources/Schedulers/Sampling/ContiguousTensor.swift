/// A tensor whose scalars lie in memory, one after another, sample after sample. Its runs take their steps in place, in one pass over
/// memory, without allocating.
///
/// Where a network learns its variance, the first half of each sample of its output is the prediction and the second the variance.
public protocol ContiguousTensor<Scalar>: ScalarTensor, ClippableSpace, ChannelSpace, ElementwiseSpace {
  /// Lends the scalars for reading.
  func withScalars<Result>(_ body: (UnsafeBufferPointer<Scalar>) -> Result) -> Result
  /// Lends the scalars for changes, which no copy of the tensor sees.
  mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Scalar>) -> Result) -> Result
}

extension Array: ContiguousTensor where Element: SampleScalar {
  public func withScalars<Result>(_ body: (UnsafeBufferPointer<Element>) -> Result) -> Result {
    withUnsafeBufferPointer(body)
  }

  public mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Element>) -> Result) -> Result {
    withUnsafeMutableBufferPointer { body($0) }
  }
}

extension Batch: ContiguousTensor {
  public func withScalars<Result>(_ body: (UnsafeBufferPointer<Scalar>) -> Result) -> Result {
    scalars.withUnsafeBufferPointer(body)
  }

  public mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Scalar>) -> Result) -> Result {
    scalars.withUnsafeMutableBufferPointer { body($0) }
  }
}
