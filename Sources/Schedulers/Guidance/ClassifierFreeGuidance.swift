/// A network that is guided away from another: `ClassifierFreeGuide` as a `Denoiser`, in two calls,
/// or as an `AsyncDenoiser` where one of the two suspends.
///
/// A scale of 1 and a query outside of the interval take the conditional model alone, in one call;
/// a scale of 0 without rescaling takes the unconditional one.
public struct ClassifierFreeGuidance<Conditional: AsyncDenoiser, Unconditional: AsyncDenoiser>: AsyncDenoiser
where Conditional.Tensor == Unconditional.Tensor, Conditional.Failure == Unconditional.Failure {
  public typealias Tensor = Conditional.Tensor
  public typealias Failure = Conditional.Failure

  /// The model that knows the condition.
  public var conditional: Conditional
  /// The model that does not, or a weaker one.
  public var unconditional: Unconditional
  /// How far to go, and where.
  public var guide: ClassifierFreeGuide
  /// How much of the change in size is taken back, 0 ... 1.
  public let rescale: Double

  /// Guidance from one model towards another.
  ///
  /// - Precondition: both predict the same.
  public init(
    conditional: Conditional, unconditional: Unconditional, scale: Double, in interval: GuidanceInterval = .always
  ) {
    self.init(conditional, unconditional, ClassifierFreeGuide(scale: scale, in: interval), rescale: 0)
  }

  /// Guidance from one model towards another, whose answer is then rescaled.
  ///
  /// - Precondition: both predict the same, and `rescale` is in 0 ... 1.
  public init(
    conditional: Conditional, unconditional: Unconditional, scale: Double, rescale: Double,
    in interval: GuidanceInterval = .always
  ) where Tensor: InnerProductSpace {
    stop(unless: rescale >= 0 && rescale <= 1, "rescale must be in 0 ... 1; got \(rescale)")
    self.init(conditional, unconditional, ClassifierFreeGuide(scale: scale, in: interval), rescale: rescale)
  }

  private init(
    _ conditional: Conditional, _ unconditional: Unconditional, _ guide: ClassifierFreeGuide, rescale: Double
  ) {
    stop(
      unless: conditional.prediction == unconditional.prediction,
      "guidance needs two models of one prediction type; got \(conditional.prediction) and \(unconditional.prediction)")
    (self.conditional, self.unconditional, self.guide, self.rescale) = (conditional, unconditional, guide, rescale)
  }

  public var prediction: Prediction { conditional.prediction }

  public nonisolated(nonsending) func callAsFunction(
    _ input: Tensor, _ query: SamplingPlan.Query
  ) async throws(Failure) -> Tensor {
    let without = isConditionalAlone(at: query) ? nil : try await unconditional(input, query)
    let with = isUnconditionalAlone(at: query) ? nil : try await conditional(input, query)
    return output(with, without, at: query)
  }

  fileprivate func isConditionalAlone(at query: SamplingPlan.Query) -> Bool { !guide.isActive(at: query) }

  fileprivate func isUnconditionalAlone(at query: SamplingPlan.Query) -> Bool {
    guide.isActive(at: query) && guide.scale == 0 && rescale == 0
  }

  /// What is made of the answers that there are, one or two.
  fileprivate func output(_ with: Tensor?, _ without: Tensor?, at query: SamplingPlan.Query) -> Tensor {
    guard let with else { return without! }
    guard let without else { return with }
    let guided = guide(with, without, at: query)
    // Only a tensor with inner products is given a part other than 0.
    return rescale == 0 ? guided : (with as? any InnerProductSpace)?.rescaling(guided, by: rescale) ?? guided
  }
}

extension ClassifierFreeGuidance: Denoiser where Conditional: Denoiser, Unconditional: Denoiser {
  public func callAsFunction(_ input: Tensor, _ query: SamplingPlan.Query) throws(Failure) -> Tensor {
    let without = isConditionalAlone(at: query) ? nil : try unconditional(input, query)
    let with = isUnconditionalAlone(at: query) ? nil : try conditional(input, query)
    return output(with, without, at: query)
  }
}

extension InnerProductSpace {
  fileprivate func rescaling<Tensor>(_ guided: Tensor, by part: Double) -> Tensor? {
    (guided as? Self)?.rescaled(like: self, by: part) as? Tensor
  }
}

extension ClassifierFreeGuidance: Sendable where Conditional: Sendable, Unconditional: Sendable {}
