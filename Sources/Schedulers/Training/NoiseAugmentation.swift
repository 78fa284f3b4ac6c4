extension NoiseSource {
  /// Offset noise: epsilon + strength·z, with one z for each sample and channel. A model learns
  /// from it to change the mean of a picture, which almost no noise without it hides.
  ///
  /// It takes the place of epsilon in the sample and in the target. The variance is not brought
  /// back to 1: it is 1 + strength².
  ///
  /// - Parameters:
  ///   - other: gives the shape: samples, channels, and any number of further dimensions.
  ///   - strength: 0.1 in the source; `--noise_offset` of diffusers' training scripts.
  /// - Precondition: the shape has two dimensions or more.
  ///
  /// Source: Guttenberg 2023, https://www.crosslabs.org/blog/diffusion-with-offset-noise.
  public mutating func next<Scalar>(like other: SampleBatch<Scalar>, offsetBy strength: Double) -> SampleBatch<Scalar> {
    precondition(other.shape.count >= 2, "offset noise needs samples and channels; the shape is \(other.shape)")
    let epsilon = next(like: other)
    let perChannel = next(like: SampleBatch<Scalar>(zeros: Array(other.shape.prefix(2))))
    let size = other.shape.dropFirst(2).reduce(1, *)
    let offsets = perChannel.scalars.flatMap { repeatElement($0, count: size) }
    return .combination([(1, epsilon), (strength, SampleBatch(shape: other.shape, scalars: offsets))])
  }

  /// Input perturbation: epsilon + strength·z, for the noisy sample alone. The target keeps
  /// epsilon, so that a model learns to go on from samples that are a little off, as its own are.
  ///
  /// ```swift
  /// let epsilon = noise.next(like: x0)
  /// let noisy = level.mix(x0, with: noise.perturbing(epsilon, by: 0.1))
  /// let target = Prediction.epsilon.target(x0: x0, epsilon: epsilon, at: level)
  /// ```
  ///
  /// The variance is not brought back to 1: it is 1 + strength².
  ///
  /// - Parameters:
  ///   - epsilon: the noise of the target, offset or not.
  ///   - strength: γ, 0.1 in the source; `--input_perturbation` of diffusers' training scripts.
  ///
  /// Source: Ning et al. 2023, https://arxiv.org/abs/2301.11706, DDPM-IP.
  public mutating func perturbing<Tensor: ScalarTensor>(_ epsilon: Tensor, by strength: Double) -> Tensor {
    .combination([(1, epsilon), (strength, next(like: epsilon))])
  }
}
