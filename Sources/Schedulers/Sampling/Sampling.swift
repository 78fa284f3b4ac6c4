/// One run of a plan on one tensor: a value that can be copied, paused, edited, saved and continued.
///
/// ```swift
/// var run = Sampling(plan, from: xT)
/// while let query = run.query {
///   run.advance(output: unet(run.input, query.timestep), using: &noise)
/// }
/// let image = run.sample
/// ```
///
/// A run holds the sample, what the plan still needs of earlier ones, and, for `denoised`, the last sample and output.
public struct Sampling<Tensor: LinearSpace> {
  /// What is being run.
  public let plan: SamplingPlan
  /// The current sample. It may be replaced between steps, as inpainting does.
  public var sample: Tensor
  /// The number of evaluations made so far.
  public private(set) var evaluations = 0

  /// Earlier samples and estimates that the plan still needs, newest first.
  var history = History()
  let retention: [SamplingPlan.Retention]
  private var prediction: Denoised?

  struct History {
    var samples: [Tensor] = []
    var estimates: [Tensor] = []
  }

  /// x̂0 of the last evaluation, or what it is made of.
  enum Denoised {
    case made(Tensor)
    case deferred([(coefficient: Double, value: Tensor)])
  }

  /// A run of a plan from a sample at the plan's start level.
  ///
  /// - Precondition: the tensor type can clip, if the plan does.
  public init(_ plan: SamplingPlan, from sample: Tensor) {
    precondition(
      plan.clipping == .none || Tensor.self is any ClippableSpace.Type,
      "the plan clips with \(plan.clipping), and \(Tensor.self) does not conform to ClippableSpace")
    self.plan = plan
    self.sample = sample
    self.retention = plan.retention
  }

  /// A run in the middle of its plan.
  init(_ plan: SamplingPlan, sample: Tensor, evaluations: Int, history: History, denoised: Tensor?) {
    self.init(plan, from: sample)
    self.evaluations = evaluations
    self.history = history
    self.prediction = denoised.map { .made($0) }
  }

  /// What the network is to be asked now; `nil` at the end.
  public var query: SamplingPlan.Query? { step?.query }

  /// What the network is to be given: the sample, scaled where the network was trained on scaled ones.
  public var input: Tensor {
    guard let scale = query?.inputScale, scale != 1 else { return sample }
    return .combination([(scale, sample)])
  }

  /// The noise level of the current sample.
  public var level: NoiseLevel { evaluations == 0 ? plan.start : plan.steps[evaluations - 1].arrival }

  /// Whether the next step draws noise.
  public var needsNoise: Bool { step.map { $0.next.noise != 0 } ?? false }

  /// x̂0 of the last evaluation, after clipping; `nil` before the first.
  public var denoised: Tensor? {
    switch prediction {
    case nil: nil
    case .made(let tensor): tensor
    case .deferred(let terms): .sum(terms)
    }
  }

  private var step: SamplingPlan.Step? {
    evaluations < plan.steps.count ? plan.steps[evaluations] : nil
  }
}

extension Sampling {
  /// Takes the network's output for the current query and makes the next sample.
  ///
  /// - Parameters:
  ///   - output: in the shape of the sample.
  ///   - noise: standard normal noise in the shape of the sample; of no effect unless `needsNoise`.
  /// - Precondition: the run is not at its end, and there is noise if `needsNoise`.
  public mutating func advance(output: Tensor, noise: Tensor? = nil) {
    guard let step else {
      preconditionFailure("the run is at its end, after \(evaluations) evaluations; there is nothing to advance")
    }
    precondition(noise != nil || !needsNoise, "evaluation \(evaluations) draws noise; pass some, or a source of it")

    let denoising = [(coefficient: step.denoising.sample, value: sample), (step.denoising.output, output)]
    var estimate: [(coefficient: Double, value: Tensor)]
    var next: [(coefficient: Double, value: Tensor)]
    if plan.clipping == .none {
      estimate = [(step.foldedEstimate.sample, sample), (step.foldedEstimate.output, output)]
      next = [(step.folded.sample, sample), (step.folded.output, output)]
      prediction = .deferred(denoising)
    } else {
      let clipped = Self.clip(.sum(denoising), by: plan.clipping)
      let factor = step.next.estimates.first ?? 0
      let predicted = step.next.predicted
      let sampleFactor =
        (step.next.samples.first ?? 0) + factor * step.keeping.sample + predicted * step.denoising.sample
      estimate = [(step.keeping.sample, sample), (step.keeping.output, clipped)]
      next = [
        (sampleFactor, sample), (factor * step.keeping.output, clipped), (predicted * step.denoising.output, output),
      ]
      prediction = .made(clipped)
    }
    next += zip(step.next.estimates.dropFirst(), history.estimates).map { ($0, $1) }
    next += zip(step.next.samples.dropFirst(), history.samples).map { ($0, $1) }
    if let noise { next.append((step.next.noise, noise)) }

    history.keep(retention[evaluations], sample: sample, estimate: .sum(estimate))
    sample = .sum(next)
    evaluations += 1
  }

  /// Takes the network's output for the current query and makes the next sample, with noise from a source where it is needed.
  public mutating func advance(output: Tensor, using noise: inout some NoiseSource) where Tensor: ScalarTensor {
    advance(output: output, noise: needsNoise ? noise.next(like: sample) : nil)
  }

  private static func clip(_ tensor: Tensor, by clipping: Clipping) -> Tensor {
    (tensor as! any ClippableSpace).clipped(by: clipping) as! Tensor
  }
}

extension Sampling: Sendable where Tensor: Sendable {}
extension Sampling.History: Sendable where Tensor: Sendable {}
extension Sampling.Denoised: Sendable where Tensor: Sendable {}

extension Sampling.History {
  /// Adds the newest sample and estimate if they will be needed, and lets go of what will not.
  fileprivate mutating func keep(
    _ kept: SamplingPlan.Retention, sample: Tensor, estimate: @autoclosure () -> Tensor
  ) {
    if kept.estimates > 0 { estimates.insert(estimate(), at: 0) }
    estimates.removeLast(max(0, estimates.count - kept.estimates))
    if kept.samples > 0 { samples.insert(sample, at: 0) }
    samples.removeLast(max(0, samples.count - kept.samples))
  }
}

extension LinearSpace {
  /// The combination without the terms that have no part in it, and without work where it is one of the values.
  fileprivate static func sum(_ terms: [(coefficient: Double, value: Self)]) -> Self {
    let present = terms.filter { $0.coefficient != 0 }
    if present.count == 1, present[0].coefficient == 1 { return present[0].value }
    return combination(present.isEmpty ? [terms[0]] : present)
  }
}
