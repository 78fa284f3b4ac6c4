/// One run of a plan on one tensor: a value that can be copied, paused, edited and saved.
///
/// ```swift
/// var run = SamplingRun(plan, from: xT)
/// while let query = run.query {
///   run.advance(output: unet(run.input, query.timestep), using: &noise)
/// }
/// let image = run.sample
/// ```
///
/// A run holds the sample, what the plan still needs of earlier ones, and x̂0 if `keepsDenoised`.
/// With a `ContiguousTensor` it takes its steps in these buffers, in one pass over memory.
public struct SamplingRun<Tensor: LinearSpace> {
  /// What is being run.
  public let plan: SamplingPlan
  /// The current sample. It may be replaced before any evaluation, as inpainting does.
  ///
  /// A change stays. The run goes on from the changed sample, even between the evaluations of one
  /// step of `Heun`, or where a corrector remakes a sample, as in `UniPC`. k-diffusion and
  /// diffusers go back to where the step began, and keep only what the network saw of the change.
  /// Plans read with `.diffusers` go back too, and so does `DPMSolverPlusPlusSDE`.
  public var sample: Tensor {
    get { current }
    _modify {
      if made == nil, needsMade { made = current }
      yield &current
    }
  }
  var current: Tensor
  /// The current sample as it was made, where it was replaced and the next step needs to know.
  var made: Tensor?
  /// The number of evaluations made so far.
  public private(set) var evaluations = 0
  /// Whether x̂0 is kept for `denoised`, in one tensor more. It may be changed between steps.
  public var keepsDenoised = true
  /// The threads of a step of a `ContiguousTensor`; `nil` for as many as pay. Results are the same.
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
  var prediction: Terms?

  struct History {
    var samples: [Tensor] = []
    var estimates: [Tensor] = []
  }

  typealias Terms = [(coefficient: Double, value: Tensor)]

  /// A run of a plan from a sample at the plan's start level.
  ///
  /// - Precondition: the tensor type can clip, if the plan does, and conforms to `ChannelSpace` and
  ///   `ElementwiseSpace`, or to `ContiguousTensor`, if the network learns its variance.
  public init(_ plan: SamplingPlan, from sample: Tensor) {
    if let lack = Self.lack(for: plan) { stop(lack) }
    self.plan = plan
    self.current = sample
    self.retention = plan.retention
  }

  /// What the tensor type cannot do that a plan asks for; `nil` if it can do all.
  static func lack(for plan: SamplingPlan) -> String? {
    if plan.clipping != .none, !(Tensor.self is any ClippableSpace.Type) {
      return "the plan clips with \(plan.clipping), and \(Tensor.self) does not conform to ClippableSpace"
    }
    let canLearn = Tensor.self is any (ChannelSpace & ElementwiseSpace).Type || Tensor.self is any ContiguousTensor.Type
    return plan.learnsVariance && !canLearn
      ? "the network learns its variance, and \(Tensor.self) does not conform to ChannelSpace and ElementwiseSpace, "
        + "nor to ContiguousTensor" : nil
  }

  /// The numbers of samples and of scalars in each, as far as the type tells.
  static func size(of tensor: Tensor) -> [Int]? {
    (tensor as? any ScalarTensor).map { [$0.sampleCount, $0.sampleSize] }
  }

  /// A run in the middle of its plan.
  init(_ plan: SamplingPlan, sample: Tensor, made: Tensor?, evaluations: Int, history: History, denoised: Tensor?) {
    self.init(plan, from: sample)
    (self.made, self.evaluations, self.history) = (made, evaluations, history)
    self.prediction = denoised.map { [(1, $0)] }
  }

  /// What the network is to be asked now; `nil` at the end.
  public var query: SamplingPlan.Query? { plan.query(evaluations) }

  /// What the network is given: the sample, scaled where the network was trained on scaled ones.
  public var input: Tensor {
    guard let scale = query?.inputScale, scale != 1 else { return sample }
    return .combination([(scale, sample)])
  }

  /// The same, in a buffer that the run keeps where it can.
  mutating func nextInput() -> Tensor {
    guard let scale = query?.inputScale, scale != 1, canStepInPlace else { return input }
    if inputBuffer == nil { inputBuffer = sample }
    inputBuffer!._become(scale, times: current, threads: threads)
    return inputBuffer!
  }

  /// The noise level of the current sample.
  public var level: NoiseLevel { evaluations == 0 ? plan.start : plan.steps[evaluations - 1].arrival }
  /// Whether the next step draws noise.
  public var needsNoise: Bool { step.map { $0.next.noise != 0 } ?? false }
  /// x̂0 of the last evaluation, clipped and guided; `nil` before the first, and if it is not kept.
  public var denoised: Tensor? { denoisedBuffer ?? prediction.map { .sum($0) } }
  /// Whether the next step goes on from the sample as it was made.
  private var needsMade: Bool { step.map { $0.next.made != 0 } ?? false }

  /// The numbers of the next step: the levels it goes between, and its algebra; `nil` at the end.
  public var step: SamplingPlan.Step? { evaluations < plan.steps.count ? plan.steps[evaluations] : nil }
}

extension SamplingRun {
  /// Takes the network's output for the current query and makes the next sample.
  ///
  /// - Parameters:
  ///   - output: in the sample's shape, or with twice its channels for a learned variance.
  ///   - noise: standard normal noise in the shape of the sample; of no effect unless `needsNoise`.
  ///   - guidance: a classifier's gradient, in the shape of the sample.
  ///   - transform: what is done to x̂0 before it is clipped.
  /// - Precondition: a step is left, there is noise if `needsNoise`, and a variance for `.mean`.
  public mutating func advance(
    output: Tensor, noise: Tensor? = nil, guidance: ClassifierGuidance<Tensor>? = nil,
    transform: ((Tensor) -> Tensor)? = nil
  ) {
    take(output, noise: noise, source: nil, guidance: guidance, transform: transform)
  }

  /// Takes the network's output and makes the next sample, with noise from a source where needed.
  ///
  /// The source is told the sigmas between which the step goes.
  @_specialize(where Tensor == [Float], Source == GaussianNoise)
  @_specialize(where Tensor == [Double], Source == GaussianNoise)
  @_specialize(where Tensor == SampleBatch<Float>, Source == GaussianNoise)
  @_specialize(where Tensor == SampleBatch<Double>, Source == GaussianNoise)
  public mutating func advance<Source: NoiseSource>(
    output: Tensor, using noise: inout Source, guidance: ClassifierGuidance<Tensor>? = nil,
    transform: ((Tensor) -> Tensor)? = nil
  ) where Tensor: ScalarTensor {
    var (drawn, source) = (nil as Tensor?, nil as GaussianNoise?)
    if let step, step.next.noise != 0 {
      if guidance == nil, transform == nil, canStepInPlace { source = noise._skip() }
      if source == nil { drawn = noise.next(like: sample, from: step.query.level.sigma, to: step.arrival.sigma) }
    }
    take(output, noise: drawn, source: source, guidance: guidance, transform: transform)
  }

  @_specialize(where Tensor == [Float])
  @_specialize(where Tensor == [Double])
  @_specialize(where Tensor == SampleBatch<Float>)
  @_specialize(where Tensor == SampleBatch<Double>)
  private mutating func take(
    _ output: Tensor, noise: Tensor?, source: GaussianNoise?, guidance: ClassifierGuidance<Tensor>?,
    transform: ((Tensor) -> Tensor)?
  ) {
    guard let step else {
      stop("the run is at its end, after \(evaluations) evaluations; there is nothing to advance")
    }
    stop(
      unless: !needsNoise || noise != nil || source != nil,
      "evaluation \(evaluations) draws noise; pass some, or a source of it")
    let noise = needsNoise ? noise : nil
    if let noise { checkShape(of: noise) }
    if guidance == nil, transform == nil, canStepInPlace {
      Tensor._step(&self, output: output, noise: noise, source: source)
      prediction = nil
    } else {
      combine(step, output, noise: noise, guidance: guidance, transform: transform)
      denoisedBuffer = nil
    }
    made = nil
    evaluations += 1
  }

  /// Ends the program if noise does not have the sample's shape, as far as the type knows its own.
  private func checkShape(of noise: Tensor) {
    guard let drawn = Self.size(of: noise), let size = Self.size(of: sample), drawn != size else { return }
    stop(
      "the noise of evaluation \(evaluations) has \(drawn[0]) × \(drawn[1]) scalars, where the sample has "
        + "\(size[0]) × \(size[1]); make it in the shape of the sample")
  }

  /// Replaces the sample, and says how it was made.
  package mutating func replace(_ sample: Tensor, made: Tensor) {
    (current, self.made) = (sample, needsMade ? made : nil)
  }

  /// Whether the tensor lends its scalars, and a step in place deals with all of the step.
  private var canStepInPlace: Bool {
    guard Tensor._hasLoops, let step else { return false }
    return step.next.samples.count <= 1 && retention[evaluations].samples == 0 && made == nil
  }
}

extension SamplingRun: _Run {
  public var _sampling: SamplingRun {
    get { self }
    _modify { yield &self }
  }
}

extension SamplingRun: Sendable where Tensor: Sendable {}
extension SamplingRun.History: Sendable where Tensor: Sendable {}
