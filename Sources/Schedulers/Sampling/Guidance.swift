/// Classifier-free guidance: two denoisers as one, that leans from what the second says towards, and past, what the first says.
///
///     F = F_unconditional + scale·(F_conditional − F_unconditional)
///
/// `scale` 1 is the conditional model alone, which then costs one evaluation instead of two; 0 the unconditional.
///
/// Source: Ho and Salimans 2022, https://arxiv.org/abs/2207.12598, equation 6 with w = scale − 1.
public struct ClassifierFreeGuidance<Conditional: Denoiser, Unconditional: Denoiser>: Denoiser
where Conditional.Tensor == Unconditional.Tensor, Conditional.Failure == Unconditional.Failure {
  public typealias Tensor = Conditional.Tensor
  public typealias Failure = Conditional.Failure

  /// The model that knows the condition.
  public var conditional: Conditional
  /// The model that does not.
  public var unconditional: Unconditional
  /// How far to go: 1 is the conditional model, more exaggerates the condition.
  public var scale: Double

  /// Guidance from one model towards another.
  ///
  /// - Precondition: both predict the same.
  public init(conditional: Conditional, unconditional: Unconditional, scale: Double) {
    precondition(
      conditional.prediction == unconditional.prediction,
      "guidance needs two models of one prediction type; got \(conditional.prediction) and \(unconditional.prediction)")
    self.conditional = conditional
    self.unconditional = unconditional
    self.scale = scale
  }

  public var prediction: Prediction { conditional.prediction }

  public func callAsFunction(_ input: Tensor, _ query: SamplingPlan.Query) throws(Failure) -> Tensor {
    if scale == 1 { return try conditional(input, query) }
    let without = try unconditional(input, query)
    if scale == 0 { return without }
    return .combination([(scale, try conditional(input, query)), (1 - scale, without)])
  }
}

extension ClassifierFreeGuidance: Sendable where Conditional: Sendable, Unconditional: Sendable {}

/// Classifier guidance: the gradient of ln p(y | x), the classifier's answer, with respect to the sample x, times a scale.
///
/// ```swift
/// while let query = run.query {
///   let gradient = classifier.gradient(run.sample, query.timestep)
///   run.advance(output: unet(run.input, query.timestep), using: &noise, guidance: .score(gradient, scale: 2))
/// }
/// ```
///
/// It is applied after clipping, and its result is not clipped again.
public enum ClassifierGuidance<Tensor: LinearSpace> {
  /// The mean of p(x' | x) moves by variance·gradient. For `DDPM`.
  ///
  /// Source: Sohl-Dickstein et al. 2015, https://arxiv.org/abs/1503.03585, section 2.5; Dhariwal and Nichol 2021,
  /// https://arxiv.org/abs/2105.05233, algorithm 1.
  case mean(Tensor, scale: Double = 1)
  /// The noise in the sample is taken to be epsilon − noise·gradient, so that x̂0 moves by noise²/signal·gradient. For every sampler.
  ///
  /// Source: Song et al. 2021, https://arxiv.org/abs/2011.13456, section 5; Dhariwal and Nichol 2021, algorithm 2 and equation 14.
  case score(Tensor, scale: Double = 1)

  /// How far x̂0 moves for a gradient of the score.
  static func shift(at level: NoiseLevel) -> Double {
    precondition(
      level.signal > 0, "guidance by the score moves x0 infinitely far where there is no signal; start at a lower timestep")
    return level.noise * level.noise / level.signal
  }
}

extension ClassifierGuidance: Sendable where Tensor: Sendable {}
