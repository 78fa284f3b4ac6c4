/// A tensor, as far as a run needs to know it: something that can form a linear combination.
///
/// This alone lets a type be sampled with any sampler, as long as the plan does not clip and the
/// variance is not learned. `ClippableSpace` adds clipping, `ChannelSpace` and `ElementwiseSpace`
/// add learned variance, `InnerProductSpace` adds guidance by norms and projections, and
/// `ScalarTensor` lets noise sources fill the tensor.
///
/// ```swift
/// extension MLXArray: @retroactive LinearSpace {
///   public static func combination(
///     _ terms: [(coefficient: Double, value: MLXArray)]
///   ) -> MLXArray {
///     let products = terms.map {
///       MLXArray(Float($0.coefficient)) * $0.value.asType(.float32)
///     }
///     return products.dropFirst().reduce(products[0], +)
///       .asType(terms[0].value.dtype)
///   }
/// }
/// ```
///
/// The sum is formed in Float, whatever the tensors hold: in half precision the terms of a step
/// cancel, and errors of every step add up.
public protocol LinearSpace {
  /// Σ coefficient·value.
  ///
  /// - Parameter terms: one or more. The values have one shape.
  static func combination(_ terms: [(coefficient: Double, value: Self)]) -> Self

  // How a run reaches the loops over memory. `ContiguousTensor` implements these requirements; no
  // other type should. A run is `some _Run` so that a class which is not final may conform.

  /// Whether there are loops over the scalars of this type.
  static var _hasLoops: Bool { get }
  /// Takes the next step of a run in place, with the given noise or the next draw of a source.
  static func _step(_ run: inout some _Run<Self>, output: Self, noise: Self?, source: GaussianNoise?)
  /// Becomes a multiple of another tensor of the same size.
  mutating func _become(_ factor: Double, times other: Self, threads: Int?)
}

extension LinearSpace {
  public static var _hasLoops: Bool { false }
  public static func _step(_ run: inout some _Run<Self>, output: Self, noise: Self?, source: GaussianNoise?) {}
  public mutating func _become(_ factor: Double, times other: Self, threads: Int?) {
    self = .combination([(factor, other)])
  }
}

/// A run on tensors of one type: `SamplingRun`, and nothing else.
public protocol _Run<Tensor> {
  associatedtype Tensor: LinearSpace
  var _sampling: SamplingRun<Tensor> { get set }
}

/// A tensor whose values can be limited.
public protocol ClippableSpace: LinearSpace {
  /// The tensor after clipping. NaN must stay NaN.
  func clipped(by clipping: Clipping) -> Self
}

/// A tensor that can be cut in two along its channels, as outputs with a learned variance are.
public protocol ChannelSpace: LinearSpace {
  /// The first half of the channels and the second; `nil` if their number is odd.
  func halves() -> (first: Self, second: Self)?
}

/// A tensor whose values can be multiplied one by one, for learned variance and for masks.
public protocol ElementwiseSpace: LinearSpace {
  /// The product of each value with the one at the same place.
  static func product(_ a: Self, _ b: Self) -> Self
  /// exp(offset + slope·value), value by value.
  func exponential(offset: Double, slope: Double) -> Self
  /// The square root of each value; NaN below 0. Only diffusers' `variance_type: learned` needs it.
  func squareRoot() -> Self
}

/// A tensor of samples, each of which may have factors of its own in a linear combination, as
/// batches have in training.
///
/// `ScalarTensor`s do it by themselves. Another type multiplies by a number for each sample:
///
/// ```swift
/// extension MLXArray: @retroactive BatchSpace {
///   public static func combination(
///     bySample terms: [(coefficients: [Double], value: MLXArray)]
///   ) -> MLXArray {
///     let products = terms.map { coefficients, value in
///       let shape = [-1] + Array(repeating: 1, count: value.ndim - 1)
///       return MLXArray(coefficients.map { Float($0) }).reshaped(shape) * value
///     }
///     return products.dropFirst().reduce(products[0], +)
///   }
/// }
/// ```
public protocol BatchSpace: LinearSpace {
  /// Σ coefficients[n]·value in each sample n.
  ///
  /// - Parameter terms: one or more, each with a coefficient for every sample. The values have one
  ///   shape.
  static func combination(bySample terms: [(coefficients: [Double], value: Self)]) -> Self
}

/// A tensor made of scalars: a number of samples, each of the same number of scalars.
public protocol ScalarTensor<Scalar>: InnerProductSpace {
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

extension ScalarTensor {
  public func clipped(by clipping: Clipping) -> Self {
    var scalars = scalars
    clipping.apply(to: &scalars, sampleSize: sampleSize)
    return Self(scalars: scalars, like: self)
  }

  public func exponential(offset: Double, slope: Double) -> Self {
    Self(scalars: scalars.map { Scalar(Math.exp(offset + slope * Double($0))) }, like: self)
  }

  public func squareRoot() -> Self { Self(scalars: scalars.map { $0.squareRoot() }, like: self) }
}
