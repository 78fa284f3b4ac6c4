/// Where a run's standard normal noise comes from.
///
/// Generators are values with their state inside: a copy continues as the original would.
public protocol NoiseSource {
  /// Independent standard normal numbers in the shape of another tensor.
  mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor

  /// Standard normal numbers in another tensor's shape, for the step from one sigma to another.
  ///
  /// A source that does not know about time, as by default, draws the next independent ones.
  mutating func next<Tensor: ScalarTensor>(like other: Tensor, from start: Double, to end: Double) -> Tensor

  /// Passes over a draw that a step makes on the way, and returns the source as it was before.
  ///
  /// `GaussianNoise` implements this requirement; no other source should, and has nil.
  mutating func _skip() -> GaussianNoise?
}

extension NoiseSource {
  public mutating func _skip() -> GaussianNoise? { nil }

  public mutating func next<Tensor: ScalarTensor>(like other: Tensor, from start: Double, to end: Double) -> Tensor {
    next(like: other)
  }
}
