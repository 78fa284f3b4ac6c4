/// The numbers of a run: what each evaluation asks the network, and what makes the next sample.
///
/// A plan is immutable, and can be printed, compared, hashed, saved and run on any tensor type.
///
/// ```swift
/// let plan = try DDIM().plan(
///   over: grid, predicting: .epsilon, clipping: .range(-1...1))
/// ```
public struct SamplingPlan: Hashable, Sendable {
  /// One evaluation and what follows it.
  ///
  ///     x̂0 = denoising.sample·x + denoising.output·F    then clipped, if the plan clips
  ///     E  = keeping.sample·x + keeping.output·x̂0
  ///     x' = next, over x, E, earlier ones, the unclipped x̂0, F, and z
  ///
  /// where z is multiplied by the deviation if it is learned.
  public struct Step: Hashable, Codable, Sendable {
    /// What the network is told and given.
    public let query: SamplingGrid.Point
    /// The level of x'.
    public let arrival: NoiseLevel
    /// How the sample and the network's output F give x̂0.
    public let denoising: SamplingPlan.Readout
    /// How the sample and x̂0 give the estimate E that `next` speaks of.
    public let keeping: SamplingPlan.Readout
    public let next: LinearForm
    /// The variance of p(x' | x), where the sampler draws from one: `next` holds its root as the
    /// factor of z, or 1 where it is learned. For the last step, which draws nothing, what guidance
    /// by the mean takes for it.
    public let variance: StepVariance?

    package init(
      query: SamplingGrid.Point, arrival: NoiseLevel, denoising: SamplingPlan.Readout, keeping: SamplingPlan.Readout,
      next: LinearForm, variance: StepVariance?
    ) {
      // A plan holds Doubles alone.
      (self.query, self.arrival, self.denoising) = (query.rounded, arrival.rounded, denoising)
      (self.keeping, self.next, self.variance) = (keeping, next.rounded(), variance)
    }

    fileprivate var isFinite: Bool {
      denoising.isFinite && keeping.isFinite && next.isFinite && variance?.isFinite ?? true
    }

    /// E over x and F, where nothing is clipped.
    public var foldedEstimate: SamplingPlan.Readout {
      SamplingPlan.Readout(
        sample: keeping.sample + keeping.output * denoising.sample, output: keeping.output * denoising.output)
    }

    /// What x' holds of x and F, where nothing is clipped and x is as it was made.
    public var folded: SamplingPlan.Readout {
      let factor = next.estimates.first ?? 0
      let estimate = foldedEstimate
      return SamplingPlan.Readout(
        sample: (next.samples.first ?? 0) + next.made + factor * estimate.sample + next.predicted * denoising.sample,
        output: factor * estimate.output + next.predicted * denoising.output + next.output)
    }
  }

  /// One entry for each evaluation of the network, in order.
  public let steps: [Step]
  /// The level of the sample that a run starts from.
  public let start: NoiseLevel
  public let clipping: Clipping
  /// Whether outputs have twice a sample's channels: the prediction, then the variance.
  public let learnsVariance: Bool

  /// x_T = initialScale·z: the deviation of a sample at the start level, for data of unit variance.
  ///
  /// 1 for a variance-preserving process, √(1 + σ²) for an exploding one.
  public var initialScale: Double { (start.signal * start.signal + start.noise * start.noise).squareRoot() }
  /// Whether any step draws fresh noise.
  public var isStochastic: Bool { steps.contains { $0.next.noise != 0 } }

  package init(steps: [Step], start: NoiseLevel, clipping: Clipping, learnsVariance: Bool = false) throws(PlanError) {
    try clipping.validate()
    try steps.withUnsafeBufferPointer { steps throws(PlanError) in
      for i in steps.indices {
        guard steps[i].isFinite else {
          throw .coefficient(step: i, timestep: steps[i].query.timestep, sigma: steps[i].query.level.sigma)
        }
        guard steps[i].next.reach <= i + 1 else { throw .reach(step: i) }
      }
    }
    (self.steps, self.start, self.clipping) = (steps, start.rounded, clipping)
    self.learnsVariance = learnsVariance || steps.contains { $0.variance?.isLearned ?? false }
  }

  /// How many of the newest samples and estimates a run still needs after a step.
  package struct Retention: Hashable, Sendable {
    package var samples = 0
    package var estimates = 0

    package init() {}
  }

  /// What to keep after each step. One that reaches k evaluations back needs k kept before it.
  package var retention: [Retention] {
    var kept = Retention()
    var result: [Retention] = []
    for step in steps.reversed() {
      result.append(kept)
      kept.samples = max(kept.samples, step.next.samples.count, 1) - 1
      kept.estimates = max(kept.estimates, step.next.estimates.count, 1) - 1
    }
    return result.reversed()
  }
}

extension SamplingPlan.Move {
  /// The step of a plan that asks the network at `query`, a point with the level of the move's.
  func step(asking query: SamplingGrid.Point, denoising: SamplingPlan.Readout) -> SamplingPlan.Step {
    SamplingPlan.Step(
      query: query, arrival: arrival, denoising: denoising, keeping: estimate.readout(at: query.level), next: next,
      variance: variance)
  }
}

extension SamplingPlan.Estimate {
  /// How a sample at `level` and x̂0 give the estimate; not finite where they do not determine it.
  fileprivate func readout(at level: NoiseLevel) -> SamplingPlan.Readout {
    switch self {
    case .x0: SamplingPlan.Readout(sample: 0, output: 1)
    case .epsilon:
      SamplingPlan.Readout(
        sample: (1 / level.exact.noise).rounded, output: (-level.exact.signal / level.exact.noise).rounded)
    }
  }
}
