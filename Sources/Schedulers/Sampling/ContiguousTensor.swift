import SchedulersKernelInterface
import SchedulersKernels

/// A tensor whose scalars lie in memory, one after another, sample after sample. Its runs take
/// their steps in place, in one pass over memory, without allocating.
///
/// Where a variance is learned, each sample of the output is the prediction, then the variance.
///
/// A type that conforms under conditions takes its steps in place if it is a `LinearSpace` under
/// the same conditions; under others, its runs go by `combination`.
public protocol ContiguousTensor<Scalar>: ScalarTensor, ClippableSpace, ChannelSpace, ElementwiseSpace {
  /// Lends the scalars for reading.
  func withScalars<Result>(_ body: (UnsafeBufferPointer<Scalar>) -> Result) -> Result
  /// Lends the scalars for changes, which no copy of the tensor sees.
  mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Scalar>) -> Result) -> Result
}

extension ContiguousTensor {
  public static var _hasLoops: Bool { Scalar._loops(of: Kernels.table) != nil }

  public static func _step(_ run: inout some _Run<Self>, output: Self, noise: Self?, source: GaussianNoise?) {
    run._sampling.stepInPlace(output: output, noise: noise, source: source)
  }

  public mutating func _become(_ factor: Double, times other: Self, threads: Int?) {
    guard let loops = Scalar._loops(of: Kernels.table) else { return self = .combination([(factor, other)]) }
    other.withScalars { values in
      withMutableScalars { x in
        guard let values = values.baseAddress, let start = x.baseAddress else { return }
        start.update(from: values, count: x.count)
        // Two halves make a whole; the other factor being 0 would make NaN of an infinity.
        loops.combine(start, values, count: x.count, size: x.count, threads: threads) { _ in
          SamplingPlan.Readout(sample: factor / 2, output: factor / 2)
        }
      }
    }
  }
}

extension Array: ContiguousTensor where Element: SampleScalar {
  public func withScalars<Result>(_ body: (UnsafeBufferPointer<Element>) -> Result) -> Result {
    withUnsafeBufferPointer(body)
  }

  public mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Element>) -> Result) -> Result {
    withUnsafeMutableBufferPointer { body($0) }
  }
}

extension SampleBatch: ContiguousTensor {
  public func withScalars<Result>(_ body: (UnsafeBufferPointer<Scalar>) -> Result) -> Result {
    scalars.withUnsafeBufferPointer(body)
  }

  public mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Scalar>) -> Result) -> Result {
    scalars.withUnsafeMutableBufferPointer { body($0) }
  }
}
