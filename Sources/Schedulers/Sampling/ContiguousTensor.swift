import SchedulersKernelInterface
import SchedulersKernels

/// A tensor whose scalars lie in memory, one after another, sample after sample. Its runs take
/// their steps in place, in one pass over memory, without allocating.
///
/// A type says what it alone knows: how many samples it holds, of how many scalars, how a tensor is
/// made of scalars, and two loans. The rest follows, and may be written where it can be faster.
///
/// ```swift
/// extension Latents: ContiguousTensor {
///   var sampleCount: Int { shape[0] }
///   var sampleSize: Int { shape.dropFirst().reduce(1, *) }
///   init(scalars: [Float], like other: Latents) {
///     self.init(shape: other.shape, scalars)
///   }
///   func withScalars<Result>(_ body: (UnsafeBufferPointer<Float>) -> Result)
///     -> Result
///   {
///     storage.withUnsafeBufferPointer(body)
///   }
///   mutating func withMutableScalars<Result>(
///     _ body: (UnsafeMutableBufferPointer<Float>) -> Result
///   ) -> Result { storage.withUnsafeMutableBufferPointer { body($0) } }
/// }
/// ```
///
/// A tensor with gaps, such as a picture with padded rows or a part of another tensor, has nothing
/// to lend, as a loan holds the scalars and nothing else. Make it contiguous before a run, or
/// conform to `ScalarTensor`, whose `scalars` leave the gaps out. Where some tensors of a type have
/// gaps, these lend a copy of their scalars, and take it back after changes.
///
/// Where a variance is learned, each sample of the output is the prediction, then the variance.
///
/// A type that conforms under conditions takes its steps in place if it is a `LinearSpace` under
/// the same conditions; under others, its runs go by `combination`.
public protocol ContiguousTensor<Scalar>: ScalarTensor, ClippableSpace, ElementwiseSpace {
  /// Lends the scalars for reading: `sampleCount`·`sampleSize` of them, sample after sample.
  func withScalars<Result>(_ body: (UnsafeBufferPointer<Scalar>) -> Result) -> Result
  /// Lends as many for changes, which no copy of the tensor sees.
  mutating func withMutableScalars<Result>(_ body: (UnsafeMutableBufferPointer<Scalar>) -> Result) -> Result
}

extension ContiguousTensor {
  public var scalars: [Scalar] { withScalars { Array($0) } }

  public static func combination(_ terms: [(coefficient: Double, value: Self)]) -> Self {
    Self(scalars: Scalar.combination(terms.map { ($0.coefficient, $0.value.scalars) }), like: terms[0].value)
  }

  public static func product(_ a: Self, _ b: Self) -> Self {
    Self(scalars: .product(a.scalars, b.scalars), like: a)
  }

  /// The prediction and the variance of an output whose samples hold both; `nil` if they do not.
  func halves(like sample: some Any) -> (first: Self, second: Self)? {
    guard let sample = sample as? Self, sampleCount == sample.sampleCount, sampleSize == 2 * sample.sampleSize
    else { return nil }
    let (values, size) = (scalars, sample.sampleSize)
    func half(_ part: Int) -> Self {
      let parts = (0..<sampleCount).map { values[($0 * 2 + part) * size..<($0 * 2 + part + 1) * size] }
      return Self(scalars: Array(parts.joined()), like: sample)
    }
    return (half(0), half(1))
  }
}

extension ContiguousTensor {
  /// Lends the scalars of four tensors. Arrays of a tensor's scalars are tensors too.
  @inline(__always)
  static func withScalars<Result>(
    _ a: Self, _ b: Self, _ c: Self, _ d: Self,
    _ body: (
      UnsafeBufferPointer<Scalar>, UnsafeBufferPointer<Scalar>, UnsafeBufferPointer<Scalar>,
      UnsafeBufferPointer<Scalar>
    ) -> Result
  ) -> Result {
    a.withScalars { a in b.withScalars { b in c.withScalars { c in d.withScalars { d in body(a, b, c, d) } } } }
  }
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
        stop(unless: values.count == x.count, "a tensor lends \(values.count) scalars, and another \(x.count)")
        guard let values = values.baseAddress, let start = x.baseAddress else { return }
        // Two halves make a whole; the other factor being 0 would make NaN of an infinity.
        loops.combine(values, values, into: start, count: x.count, size: x.count, threads: threads) { _ in
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
