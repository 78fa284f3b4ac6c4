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
  /// Source: [Guttenberg 2023](https://www.crosslabs.org/blog/diffusion-with-offset-noise).
  public mutating func next<Scalar>(like other: SampleBatch<Scalar>, offsetBy strength: Double) -> SampleBatch<Scalar> {
    stop(unless: other.shape.count >= 2, "offset noise needs samples and channels; the shape is \(other.shape)")
    let epsilon = next(like: other)
    let perChannel = next(like: SampleBatch<Scalar>(zeros: Array(other.shape.prefix(2))))
    let size = other.shape.dropFirst(2).reduce(1, *)
    let offsets = perChannel.scalars.flatMap { repeatElement($0, count: size) }
    return epsilon.offset(by: strength, perChannel: SampleBatch(shape: other.shape, scalars: offsets))
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
  /// Source: [Ning et al. 2023](https://arxiv.org/abs/2301.11706), DDPM-IP.
  public mutating func perturbing<Tensor: ScalarTensor>(_ epsilon: Tensor, by strength: Double) -> Tensor {
    epsilon.perturbed(by: strength, with: next(like: epsilon))
  }
}

extension LinearSpace {
  // The same two, of noise in tensors that no source fills.

  /// Offset noise: this noise, epsilon, and strength·z.
  ///
  /// ```swift
  /// let epsilon = MLXRandom.normal(x0.shape)
  /// let z = MLXRandom.normal([x0.dim(0), x0.dim(1), 1, 1])
  /// let offset = epsilon.offset(by: 0.1, perChannel: z)
  /// ```
  ///
  /// - `perChannel`: z, one standard normal number for each sample and channel, in the shape of
  ///   epsilon, or in one that the sums of this type of tensor spread over it.
  public func offset(by strength: Double, perChannel: Self) -> Self {
    .combination([(1, self), (strength, perChannel)])
  }

  /// Input perturbation: this noise, epsilon, and strength·z, for the noisy sample alone.
  ///
  /// - `other`: z, as many standard normal numbers as epsilon has.
  public func perturbed(by strength: Double, with other: Self) -> Self {
    .combination([(1, self), (strength, other)])
  }
}
