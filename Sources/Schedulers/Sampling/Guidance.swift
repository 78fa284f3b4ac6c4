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
