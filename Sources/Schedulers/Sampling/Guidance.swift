/// Classifier-free guidance: from the unconditional answer towards, and past, the conditional one.
///
///     F = F_unconditional + scale·(F_conditional − F_unconditional)
///
/// `scale` 1 is the conditional model alone, in one evaluation, not two; 0 is the unconditional.
///
/// A large scale makes F too large, and pictures too bright. `rescale` brings its standard
/// deviation over each sample, by that part of the way, back to that of F_conditional.
///
/// Source: Ho and Salimans 2022, https://arxiv.org/abs/2207.12598, equation 6, w = scale − 1; for
/// `rescale` Lin et al. 2023, https://arxiv.org/abs/2305.08891, equations 15 and 16, φ = rescale.
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
  /// How much of the change in size is taken back, 0 ... 1; usually 0.7 for zero terminal SNR.
  public let rescale: Double

  /// Guidance from one model towards another.
  ///
  /// - Precondition: both predict the same. `rescale` is in 0 ... 1, and 0 but for `ScalarTensor`s.
  public init(conditional: Conditional, unconditional: Unconditional, scale: Double, rescale: Double = 0) {
    precondition(rescale >= 0 && rescale <= 1, "rescale must be in 0 ... 1; got \(rescale)")
    precondition(
      rescale == 0 || Tensor.self is any ScalarTensor.Type,
      "rescaled guidance needs the scalars of \(Tensor.self), which does not conform to ScalarTensor")
    precondition(
      conditional.prediction == unconditional.prediction,
      "guidance needs two models of one prediction type; got \(conditional.prediction) and \(unconditional.prediction)")
    (self.conditional, self.unconditional) = (conditional, unconditional)
    (self.scale, self.rescale) = (scale, rescale)
  }

  public var prediction: Prediction { conditional.prediction }

  public func callAsFunction(_ input: Tensor, _ query: SamplingPlan.Query) throws(Failure) -> Tensor {
    if scale == 1 { return try conditional(input, query) }
    let without = try unconditional(input, query)
    if scale == 0 { return without }
    let with = try conditional(input, query)
    let guided = Tensor.combination([(scale, with), (1 - scale, without)])
    guard rescale > 0, let goal = (with as? any ScalarTensor)?.standardDeviations else { return guided }
    return (guided as? any ScalarTensor)?.rescaled(to: goal, by: rescale) as? Tensor ?? guided
  }
}

extension ScalarTensor {
  /// The standard deviation of the scalars of each sample.
  fileprivate var standardDeviations: [Double] {
    let values = scalars
    return (0..<sampleCount).map { n in
      let sample = values[n * sampleSize..<(n + 1) * sampleSize].map(Double.init)
      let mean = sample.reduce(0, +) / Double(sampleSize)
      return (sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sampleSize)).squareRoot()
    }
  }

  /// The tensor with the deviation of each sample brought closer to a goal, by a part of the way.
  fileprivate func rescaled(to goal: [Double], by part: Double) -> Self {
    let factors = zip(goal, standardDeviations).map { $1 > 0 ? 1 - part + part * $0 / $1 : 1 }
    let values = scalars
    return mapped { n, i in factors[n] * Double(values[i]) }
  }
}

extension ClassifierFreeGuidance: Sendable where Conditional: Sendable, Unconditional: Sendable {}

/// Classifier guidance: a scale times ∇ ln p(y | x), the gradient of a classifier's answer.
///
/// ```swift
/// while let query = run.query {
///   let gradient = classifier.gradient(run.sample, query.timestep)
///   let output = unet(run.input, query.timestep)
///   run.advance(output: output, using: &noise, guidance: .score(gradient, scale: 2))
/// }
/// ```
///
/// It is applied after clipping, and its result is not clipped again.
public enum ClassifierGuidance<Tensor: LinearSpace> {
  /// The mean of p(x' | x) moves by variance·gradient. For `DDPM`.
  ///
  /// Source: Sohl-Dickstein et al. 2015, https://arxiv.org/abs/1503.03585, section 2.5; Dhariwal
  /// and Nichol 2021, https://arxiv.org/abs/2105.05233, algorithm 1.
  case mean(Tensor, scale: Double = 1)
  /// The noise in the sample is taken to be epsilon − noise·gradient, so that x̂0 moves by
  /// noise²/signal·gradient. For every sampler.
  ///
  /// Source: Song et al. 2021, https://arxiv.org/abs/2011.13456, section 5; Dhariwal and Nichol
  /// 2021, algorithm 2 and equation 14.
  case score(Tensor, scale: Double = 1)

  /// How far x̂0 moves for a gradient of the score.
  static func shift(at level: NoiseLevel) -> Double {
    precondition(
      level.signal > 0,
      "guidance by the score moves x0 infinitely far where there is no signal; start at a lower timestep")
    return level.noise * level.noise / level.signal
  }
}

extension ClassifierGuidance: Sendable where Tensor: Sendable {}
