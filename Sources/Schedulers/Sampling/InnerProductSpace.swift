/// A tensor of samples with sums over each of them: what guidance by norms and projections needs.
///
/// Every `ScalarTensor` conforms. A tensor that keeps its scalars to itself, as one on a GPU does,
/// conforms by giving these sums.
public protocol InnerProductSpace: BatchSpace {
  /// Σ a·b over the scalars of each sample, one number for each sample. Sum in Float at least.
  static func innerProducts(_ a: Self, _ b: Self) -> [Double]
  /// The standard deviation of the scalars of each sample. It may divide by their number or by one
  /// less, as only the ratio of two deviations matters.
  var standardDeviations: [Double] { get }
}

extension InnerProductSpace {
  /// √Σ a² of each sample.
  var norms: [Double] { Self.innerProducts(self, self).map { $0.squareRoot() } }

  /// ⟨a, b⟩/(‖b‖² + softening) of each sample: how much of b there is in a; 0 where b is 0.
  static func shares(of a: Self, along b: Self, softening: Double = 0) -> [Double] {
    zip(innerProducts(a, b), innerProducts(b, b)).map { $1 == 0 ? 0 : $0 / ($1 + softening) }
  }
}

extension ScalarTensor {
  public static func innerProducts(_ a: Self, _ b: Self) -> [Double] {
    stop(
      unless: a.sampleCount == b.sampleCount && a.sampleSize == b.sampleSize,
      "tensors of \(a.sampleCount) × \(a.sampleSize) and \(b.sampleCount) × \(b.sampleSize) scalars have no inner "
        + "products; give two of one shape")
    let (x, y) = (a.scalars, b.scalars)
    return a.samples.map { innerProduct(x, y, over: $0, less: 0) }
  }

  public var standardDeviations: [Double] {
    let values = scalars
    return samples.map { sample in
      let mean = total(values, over: sample) / Double(sampleSize)
      return (innerProduct(values, values, over: sample, less: mean) / Double(sampleSize)).squareRoot()
    }
  }

  /// The places of each sample's scalars.
  private var samples: [Range<Int>] { (0..<sampleCount).map { $0 * sampleSize..<($0 + 1) * sampleSize } }
}

@_specialize(where Scalar == Float)
@_specialize(where Scalar == Double)
private func total<Scalar: SampleScalar>(_ x: [Scalar], over sample: Range<Int>) -> Double {
  var sum = 0.0
  for i in sample { sum += Double(x[i]) }
  return sum
}

/// Σ (x − mean)·(y − mean).
@_specialize(where Scalar == Float)
@_specialize(where Scalar == Double)
private func innerProduct<Scalar: SampleScalar>(
  _ x: [Scalar], _ y: [Scalar], over sample: Range<Int>, less mean: Double
) -> Double {
  var sum = 0.0
  for i in sample { sum += (Double(x[i]) - mean) * (Double(y[i]) - mean) }
  return sum
}
