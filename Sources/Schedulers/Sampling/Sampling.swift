import Kernels

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
/// A run holds the sample, what the plan still needs of earlier ones, and x̂0 if `keepsDenoised`. With a `ContiguousTensor` it takes its
/// steps in these buffers, in one pass over memory, and allocates nothing once they are there.
public struct Sampling<Tensor: LinearSpace> {
  /// What is being run.
  public let plan: SamplingPlan
  /// The current sample. It may be replaced before any evaluation, as inpainting does.
  ///
  /// A change stays. Between the evaluations of one step too, as of `Heun`, and where a corrector remakes a sample, as in `UniPC`, the run
  /// goes on from the changed sample. k-diffusion and diffusers go back to where the step began, so that of the change nothing is left but
  /// what the network saw of it; plans of a configuration read with `.diffusers` do so too, and `DPMSolverSDE` does.
  public var sample: Tensor {
    get { current }
    _modify {
      if made == nil, needsMade { made = current }
      yield &current
    }
  }
  /// The current sample.
  var current: Tensor
  /// The current sample as it was made, where it was replaced and the next step needs to know.
  var made: Tensor?
  /// The number of evaluations made so far.
  public private(set) var evaluations = 0
  /// Whether x̂0 is kept for `denoised`: one tensor more to hold and to write. It may be changed between steps.
  public var keepsDenoised = true
  /// How many threads a step of a `ContiguousTensor` is spread over; `nil` for as many as pay. The results are the same.
  public var threads: Int?

  /// Earlier samples and estimates that the plan still needs, newest first.
  var history = History()
  let retention: [SamplingPlan.Retention]
  /// Buffers of estimates that are not in use.
  var spare: [Tensor] = []
  /// What the network was given last, where that is scaled.
  private var inputBuffer: Tensor?
  /// x̂0 of the last evaluation, or what it is made of.
  var denoisedBuffer: Tensor?
  private var prediction: Terms?

  struct History {
    var samples: [Tensor] = []
    var estimates: [Tensor] = []
  }

  typealias Terms = [(coefficient: Double, value: Tensor)]

  /// A run of a plan from a sample at the plan's start level.
  ///
  /// - Precondition: the tensor type can clip, if the plan does, and conforms to `ChannelSpace` and `ElementwiseSpace` if the network
  ///   learns its variance.
  public init(_ plan: SamplingPlan, from sample: Tensor) {
    precondition(
      plan.clipping == .none || Tensor.self is any ClippableSpace.Type,
      "the plan clips with \(plan.clipping), and \(Tensor.self) does not conform to ClippableSpace")
    precondition(
      !plan.learnsVariance || Tensor.self is any (ChannelSpace & ElementwiseSpace).Type,
      "the network learns its variance, and \(Tensor.self) does not conform to ChannelSpace and ElementwiseSpace")
    self.plan = plan
    self.current = sample
    self.retention = plan.retention
  }

  /// A run in the middle of its plan.
  init(_ plan: SamplingPlan, sample: Tensor, made: Tensor?, evaluations: Int, history: History, denoised: Tensor?) {
    self.init(plan, from: sample)
    self.made = made
    self.evaluations = evaluations
    self.history = history
    self.prediction = denoised.map { [(1, $0)] }
  }

  /// What the network is to be asked now; `nil` at the end.
  public var query: SamplingPlan.Query? { step?.query }

  /// What the network is to be given: the sample, scaled where the network was trained on scaled ones.
  public var input: Tensor {
    guard let scale = query?.inputScale, scale != 1 else { return sample }
    return .combination([(scale, sample)])
  }

  /// The same, in a buffer that the run keeps where it can.
  mutating func nextInput() -> Tensor {
    guard let scale = query?.inputScale, scale != 1, canStepInPlace else { return input }
    if inputBuffer == nil { inputBuffer = sample }
    scaleInPlace(scale)
    return inputBuffer!
  }

  /// The noise level of the current sample.
  public var level: NoiseLevel { evaluations == 0 ? plan.start : plan.steps[evaluations - 1].arrival }

  /// Whether the next step draws noise.
  public var needsNoise: Bool { step.map { $0.next.noise != 0 } ?? false }

  /// x̂0 of the last evaluation, after clipping and guidance; `nil` before the first, and where it is not kept.
  public var denoised: Tensor? { denoisedBuffer ?? prediction.map { .sum($0) } }

  /// Whether the next step goes on from the sample as it was made.
  private var needsMade: Bool { step.map { $0.next.made != 0 } ?? false }

  private var step: SamplingPlan.Step? {
    evaluations < plan.steps.count ? plan.steps[evaluations] : nil
  }
}

extension Sampling {
  /// Takes the network's output for the current query and makes the next sample.
  ///
  /// - Parameters:
  ///   - output: in the shape of the sample, or with twice its channels if the network learns its variance.
  ///   - noise: standard normal noise in the shape of the sample; of no effect unless `needsNoise`.
  ///   - guidance: a classifier's gradient, in the shape of the sample.
  ///   - transform: what is done to x̂0 before it is clipped.
  /// - Precondition: the run is not at its end, there is noise if `needsNoise`, and guidance by the mean has a variance to go by.
  public mutating func advance(
    output: Tensor, noise: Tensor? = nil, guidance: ClassifierGuidance<Tensor>? = nil, transform: ((Tensor) -> Tensor)? = nil
  ) {
    take(output, noise: noise.map { .given($0) } ?? .none, guidance: guidance, transform: transform)
  }

  /// Takes the network's output for the current query and makes the next sample, with noise from a source where it is needed.
  ///
  /// The source is told the sigmas between which the step goes.
  @_specialize(where Tensor == [Float], Source == GaussianNoise)
  @_specialize(where Tensor == [Double], Source == GaussianNoise)
  @_specialize(where Tensor == Batch<Float>, Source == GaussianNoise)
  @_specialize(where Tensor == Batch<Double>, Source == GaussianNoise)
  public mutating func advance<Source: NoiseSource>(
    output: Tensor, using noise: inout Source, guidance: ClassifierGuidance<Tensor>? = nil,
    transform: ((Tensor) -> Tensor)? = nil
  ) where Tensor: ScalarTensor {
    var drawn = StepNoise<Tensor>.none
    if let step, step.next.noise != 0 {
      if guidance == nil, transform == nil, canStepInPlace, var gaussian = noise as? GaussianNoise {
        drawn = .made(gaussian.skip())
        noise = gaussian as! Source
      } else {
        drawn = .given(noise.next(like: sample, from: step.query.level.sigma, to: step.arrival.sigma))
      }
    }
    take(output, noise: drawn, guidance: guidance, transform: transform)
  }

  @_specialize(where Tensor == [Float])
  @_specialize(where Tensor == [Double])
  @_specialize(where Tensor == Batch<Float>)
  @_specialize(where Tensor == Batch<Double>)
  private mutating func take(
    _ output: Tensor, noise: StepNoise<Tensor>, guidance: ClassifierGuidance<Tensor>?, transform: ((Tensor) -> Tensor)?
  ) {
    guard let step else {
      preconditionFailure("the run is at its end, after \(evaluations) evaluations; there is nothing to advance")
    }
    let noise = needsNoise ? noise : .none
    if case .none = noise { precondition(!needsNoise, "evaluation \(evaluations) draws noise; pass some, or a source of it") }
    if guidance == nil, transform == nil, canStepInPlace {
      stepInPlace(step, output, noise)
      prediction = nil
    } else {
      let given: Tensor? = if case .given(let noise) = noise { noise } else { nil }
      combine(step, output, noise: given, guidance: guidance, transform: transform)
      denoisedBuffer = nil
    }
    made = nil
    evaluations += 1
  }

  /// Replaces the sample, and says how it was made.
  package mutating func replace(_ sample: Tensor, made: Tensor) { (current, self.made) = (sample, needsMade ? made : nil) }

  /// Whether the tensor lends its scalars, and the step has a part in nothing but what a step in place deals with.
  private var canStepInPlace: Bool {
    guard let type = Tensor.self as? any ContiguousTensor.Type, let step else { return false }
    func hasLoops<Contiguous: ContiguousTensor>(_: Contiguous.Type) -> Bool {
      Kernels.table.loops(over: Contiguous.Scalar.self) != nil
    }
    return hasLoops(type) && step.next.samples.count <= 1 && retention[evaluations].samples == 0 && made == nil
  }

  private mutating func stepInPlace(_ step: SamplingPlan.Step, _ output: Tensor, _ noise: StepNoise<Tensor>) {
    func open<Contiguous: ContiguousTensor>(_: Contiguous.Type) {
      // The two types are one; only the compiler does not know.
      withUnsafeMutablePointer(to: &self) {
        $0.withMemoryRebound(to: Sampling<Contiguous>.self, capacity: 1) {
          $0.pointee.stepInPlace(
            step, output: unsafeBitCast(output, to: Contiguous.self),
            noise: unsafeBitCast(noise, to: StepNoise<Contiguous>.self),
            loops: Kernels.table.loops(over: Contiguous.Scalar.self)!)
        }
      }
    }
    let type = Tensor.self as! any ContiguousTensor.Type
    open(type)
  }

  private mutating func scaleInPlace(_ scale: Double) {
    func open<Contiguous: ContiguousTensor>(_: Contiguous.Type) {
      withUnsafeMutablePointer(to: &inputBuffer!) { buffer in
        buffer.withMemoryRebound(to: Contiguous.self, capacity: 1) {
          $0.pointee.become(scale, times: unsafeBitCast(current, to: Contiguous.self), threads: threads)
        }
      }
    }
    let type = Tensor.self as! any ContiguousTensor.Type
    open(type)
  }

  /// Takes a step with nothing but the operations of the tensor.
  private mutating func combine(
    _ step: SamplingPlan.Step, _ output: Tensor, noise: Tensor?, guidance: ClassifierGuidance<Tensor>?,
    transform: ((Tensor) -> Tensor)?
  ) {
    let (output, variance) = plan.learnsVariance ? Self.halves(output) : (output, nil)
    let factor = step.next.estimates.first ?? 0
    let predicted = step.next.predicted
    var denoised: Terms = [(step.denoising.sample, sample), (step.denoising.output, output)]
    var estimate: Terms
    var next: Terms
    if plan.clipping == .none, transform == nil {
      estimate = [(step.foldedEstimate.sample, sample), (step.foldedEstimate.output, output)]
      next = [(step.folded.sample, sample), (step.folded.output, output)]
    } else {
      let unclipped = transform?(.sum(denoised)) ?? .sum(denoised)
      let clipped = plan.clipping == .none ? unclipped : Self.clip(unclipped, by: plan.clipping)
      denoised = [(1, clipped)]
      estimate = [(step.keeping.sample, sample), (step.keeping.output, clipped)]
      let sampleFactor = (step.next.samples.first ?? 0) + step.next.made + factor * step.keeping.sample
      next = [
        (sampleFactor, sample), (factor * step.keeping.output, clipped), (predicted, unclipped), (step.next.output, output),
      ]
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
      estimate.append((shift * step.keeping.output, gradient))
      next.append((shift * (factor * step.keeping.output + predicted), gradient))
    case .mean(let gradient, let scale):
      precondition(
        step.variance != nil || step.arrival.noise == 0,
        "evaluation \(evaluations) has no variance for guidance by the mean; use DDPM, or guide by the score")
      if let kind = step.variance { next.append((scale, Self.scaled(gradient, by: kind, of: variance))) }
    }
    next += zip(step.next.estimates.dropFirst(), history.estimates).map { ($0, $1) }
    next += zip(step.next.samples.dropFirst(), history.samples).map { ($0, $1) }
    if let noise, needsNoise {
      // Where the variance is fixed, its root is the factor.
      let kind = step.variance.flatMap { $0.isLearned ? $0 : nil }
      next.append((step.next.noise, kind.map { Self.scaled(noise, byRootOf: $0, of: variance) } ?? noise))
    }

    history.keep(retention[evaluations], sample: sample, estimate: .sum(estimate))
    prediction = keepsDenoised ? denoised : nil
    current = .sum(next)
  }

  private static func clip(_ tensor: Tensor, by clipping: Clipping) -> Tensor {
    (tensor as! any ClippableSpace).clipped(by: clipping) as! Tensor
  }

  private static func halves(_ output: Tensor) -> (Tensor, Tensor?) {
    func halves<Output: ChannelSpace>(_ output: Output) -> (Tensor, Tensor?) {
      guard let (first, second) = output.halves() else {
        preconditionFailure("the network learns its variance, and its output has no even number of channels to cut in two")
      }
      return (first as! Tensor, second as? Tensor)
    }
    let opened = output as! any ChannelSpace
    return halves(opened)
  }

  /// A tensor times a variance.
  private static func scaled(_ tensor: Tensor, by variance: StepVariance, of values: Tensor?) -> Tensor {
    switch variance {
    case .fixed(let logarithm): .combination([(Math.exp(logarithm), tensor)])
    case .learned(let logarithm): product(tensor, values) { $0.exponential(offset: logarithm.offset, slope: logarithm.slope) }
    case .output: product(tensor, values) { $0 }
    }
  }

  /// A tensor times the root of a variance that the network gives.
  private static func scaled(_ tensor: Tensor, byRootOf variance: StepVariance, of values: Tensor?) -> Tensor {
    switch variance {
    case .fixed(let logarithm): .combination([(Math.exp(logarithm / 2), tensor)])
    case .learned(let logarithm):
      product(tensor, values) { $0.exponential(offset: logarithm.offset / 2, slope: logarithm.slope / 2) }
    case .output: product(tensor, values) { $0.squareRoot() }
    }
  }

  private static func product(
    _ tensor: Tensor, _ values: Tensor?, _ factors: (any ElementwiseSpace) -> any ElementwiseSpace
  ) -> Tensor {
    func product<Values: ElementwiseSpace>(with factors: Values) -> Tensor {
      Values.product(factors, tensor as! Values) as! Tensor
    }
    let opened = factors(values as! any ElementwiseSpace)
    return product(with: opened)
  }
}

extension Sampling: Sendable where Tensor: Sendable {}
extension Sampling.History: Sendable where Tensor: Sendable {}

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
