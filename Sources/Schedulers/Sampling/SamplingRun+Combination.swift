extension SamplingRun {
  /// Takes a step with nothing but the operations of the tensor.
  mutating func combine(
    _ step: SamplingPlan.Step, _ output: Tensor, noise: Tensor?, guidance: ClassifierGuidance<Tensor>?,
    transform: ((Tensor) -> Tensor)?
  ) {
    let (output, variance) = plan.learnsVariance ? halves(output) : (output, nil)
    let limited = step.limited
    func terms(_ factors: SamplingPlan.Readout, _ value: Tensor) -> Terms {
      [(factors.sample, sample), (factors.output, value)]
    }
    var denoised = terms(step.denoising, output)
    var (estimate, next): (Terms, Terms)
    if plan.clipping == .none, transform == nil {
      (estimate, next) = (terms(step.foldedEstimate, output), terms(step.folded, output))
    } else {
      let predicted = transform?(.sum(denoised)) ?? .sum(denoised)
      let clipped = plan.clipping == .none ? predicted : Self.clip(predicted, by: plan.clipping)
      (denoised, estimate) = ([(1, clipped)], terms(limited.foldedEstimate, clipped))
      next = terms(limited.folded, clipped) + [(step.next.predicted, predicted), (step.next.output, output)]
    }
    if let made {
      next[0].coefficient -= step.next.made
      next.append((step.next.made, made))
    }
    switch guidance {
    case nil: break
    case .score(let gradient, let scale):
      let shift = scale * ClassifierGuidance<Tensor>.shift(at: step.query.level)
      denoised.append((shift, gradient))
      estimate.append((shift * limited.foldedEstimate.output, gradient))
      next.append((shift * (limited.folded.output + step.next.predicted), gradient))
    case .mean(let gradient, let scale):
      stop(
        unless: step.variance != nil || step.arrival.noise == 0,
        "evaluation \(evaluations) has no variance for guidance by the mean; use DDPM, or guide by the score")
      if let kind = step.variance { next.append((scale, Self.scaled(gradient, by: kind, power: 1, of: variance))) }
    }
    next += zip(step.next.estimates.dropFirst(), history.estimates).map { ($0, $1) }
    next += zip(step.next.samples.dropFirst(), history.samples).map { ($0, $1) }
    if let noise {
      // Where the variance is fixed, its root is the factor.
      let kind = step.variance.flatMap { $0.isLearned ? $0 : nil }
      next.append((step.next.noise, kind.map { Self.scaled(noise, by: $0, power: 0.5, of: variance) } ?? noise))
    }

    history.keep(retention[evaluations], sample: sample, estimate: .sum(estimate))
    prediction = keepsDenoised ? denoised : nil
    current = .sum(next)
  }

  // The initialiser has seen that the type conforms to what its plan asks for. It is looked up for
  // each value, as a type may conform under conditions, or by an extension in another module.

  private static func clip(_ tensor: Tensor, by clipping: Clipping) -> Tensor {
    (tensor as? any ClippableSpace)?.clipped(by: clipping) as? Tensor ?? tensor
  }

  private func halves(_ output: Tensor) -> (Tensor, Tensor?) {
    func pair(_ first: Any, _ second: Any) -> (Tensor, Tensor?)? {
      (first as? Tensor).map { ($0, second as? Tensor) }
    }
    let halves =
      if let output = output as? any ChannelSpace { output.halves().flatMap { pair($0.first, $0.second) } } else {
        (output as? any ContiguousTensor)?.halves(like: sample).flatMap { pair($0.first, $0.second) }
      }
    guard let halves else {
      stop("the network learns its variance, and its output has no even number of channels to cut in two")
    }
    return halves
  }

  /// A tensor times a power, 1 or ½, of a variance.
  private static func scaled(_ tensor: Tensor, by variance: StepVariance, power: Double, of values: Tensor?) -> Tensor {
    if case .fixed(let logarithm) = variance { return .combination([(Math.exp(power * logarithm), tensor)]) }
    return (values as? any ElementwiseSpace)?.scaling(tensor, by: variance, power: power) as? Tensor ?? tensor
  }
}

extension ElementwiseSpace {
  /// A tensor times a power, 1 or ½, of the variance that these values of a network's output give.
  fileprivate func scaling(_ tensor: some LinearSpace, by variance: StepVariance, power: Double) -> Self? {
    let factors =
      switch variance {
      case .learned(let logarithm): exponential(offset: power * logarithm.offset, slope: power * logarithm.slope)
      default: power == 1 ? self : squareRoot()
      }
    return (tensor as? Self).map { .product(factors, $0) }
  }
}

extension SamplingPlan.Step {
  /// The step where x̂0 is clipped, or changed in another way: over x and x̂0, which takes the
  /// place of the network's output. What `next` takes of the unclipped x̂0 and of F is left out.
  package var limited: SamplingPlan.Step {
    SamplingPlan.Step(
      query: query, arrival: arrival, denoising: SamplingPlan.Readout(sample: 0, output: 1), keeping: keeping,
      next: next - next.predicted * .predicted - next.output * .output, variance: variance)
  }
}

extension SamplingRun.History {
  /// Adds the newest sample and estimate if they will be needed, and lets go of what will not.
  fileprivate mutating func keep(_ kept: SamplingPlan.Retention, sample: Tensor, estimate: @autoclosure () -> Tensor) {
    if kept.estimates > 0 { estimates.insert(estimate(), at: 0) }
    estimates.removeLast(max(0, estimates.count - kept.estimates))
    if kept.samples > 0 { samples.insert(sample, at: 0) }
    samples.removeLast(max(0, samples.count - kept.samples))
  }
}

extension LinearSpace {
  /// The combination of the terms with factors, without work where it is one of the values.
  static func sum(_ terms: [(coefficient: Double, value: Self)]) -> Self {
    let present = terms.filter { $0.coefficient != 0 }
    if present.count == 1, present[0].coefficient == 1 { return present[0].value }
    return combination(present.isEmpty ? [terms[0]] : present)
  }
}
