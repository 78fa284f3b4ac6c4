/// A tensor, as far as a run needs to know it: something that can form a linear combination.
///
/// This alone lets a type be sampled with any sampler, as long as the plan does not clip and the variance is not learned.
/// `ClippableSpace` adds clipping, `ChannelSpace` and `ElementwiseSpace` learned variance, and `ScalarTensor` lets noise sources fill it.
///
/// ```swift
/// extension MLXArray: @retroactive LinearSpace {
///   public static func combination(_ terms: [(coefficient: Double, value: MLXArray)]) -> MLXArray {
///     terms.dropFirst().reduce(terms[0].coefficient * terms[0].value) { $0 + $1.coefficient * $1.value }
///   }
/// }
/// ```
public protocol LinearSpace {
  /// Σ coefficient·value.
  ///
  /// - Parameter terms: one or more. The values have one shape.
  static func combination(_ terms: [(coefficient: Double, value: Self)]) -> Self
}

/// A tensor whose values can be limited.
public protocol ClippableSpace: LinearSpace {
  /// The tensor after clipping. NaN must stay NaN.
  func clipped(by clipping: Clipping) -> Self
}

/// A tensor that can be cut in two along its channels, as the output of a network that learns its variance is.
public protocol ChannelSpace: LinearSpace {
  /// The first half of the channels and the second; `nil` if their number is odd.
  func halves() -> (first: Self, second: Self)?
}

/// A tensor whose values can be multiplied one by one, and taken to the exponential: for learned variance, and for masks.
public protocol ElementwiseSpace: LinearSpace {
  /// The product of each value with the one at the same place.
  static func product(_ a: Self, _ b: Self) -> Self
  /// exp(offset + slope·value), value by value.
  func exponential(offset: Double, slope: Double) -> Self
  /// The square root of each value; NaN below 0. Only diffusers' `variance_type: learned` needs it.
  func squareRoot() -> Self
}

/// A tensor made of scalars: a number of samples, each of the same number of scalars.
public protocol ScalarTensor<Scalar>: LinearSpace {
  associatedtype Scalar: SampleScalar
  /// The number of samples.
  var sampleCount: Int { get }
  /// The number of scalars in each sample.
  var sampleSize: Int { get }
  /// All of them, sample after sample.
  var scalars: [Scalar] { get }
  /// A tensor in the shape of another, sample after sample.
  init(scalars: [Scalar], like other: Self)
}
