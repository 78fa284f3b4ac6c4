/// Classifier guidance: a scale times ∇ ln p(y | x), the gradient of a classifier's answer.
///
/// ```swift
/// while let query = run.query {
///   let gradient = classifier.gradient(run.sample, query.timestep)
///   let output = unet(run.input, query.timestep)
///   run.advance(
///     output: output, using: &noise, guidance: .score(gradient, scale: 2))
/// }
/// ```
///
/// It is applied after clipping, and its result is not clipped again.
public enum ClassifierGuidance<Tensor: LinearSpace> {
  /// The mean of p(x' | x) moves by variance·gradient. For `DDPM`.
  ///
  /// Source: [Sohl-Dickstein et al. 2015](https://arxiv.org/abs/1503.03585), section 2.5; [Dhariwal
  /// and Nichol 2021](https://arxiv.org/abs/2105.05233), algorithm 1.
  case mean(Tensor, scale: Double = 1)
  /// The noise in the sample is taken to be epsilon − noise·gradient, so that x̂0 moves by
  /// noise²/signal·gradient. For every sampler.
  ///
  /// Source: [Song et al. 2021](https://arxiv.org/abs/2011.13456), section 5; Dhariwal and Nichol
  /// 2021, algorithm 2 and equation 14.
  case score(Tensor, scale: Double = 1)

  /// How far x̂0 moves for a gradient of the score.
  static func shift(at level: NoiseLevel) -> Double {
    stop(
      unless: level.signal > 0,
      "guidance by the score moves x0 infinitely far where there is no signal; start at a lower timestep")
    return level.noise * level.noise / level.signal
  }
}

extension ClassifierGuidance: Sendable where Tensor: Sendable {}
