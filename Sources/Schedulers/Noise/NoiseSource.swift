/// Where a run's standard normal noise comes from.
///
/// Generators are values with their state inside: a copy continues as the original would.
public protocol NoiseSource {
  /// Independent standard normal numbers in the shape of another tensor.
  mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor
}
