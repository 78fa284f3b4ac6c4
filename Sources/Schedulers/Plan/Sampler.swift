/// A sampling method: for a grid of points, one line of algebra per evaluation of the network.
///
/// A sampler knows levels and symbols. It never sees a tensor, a network or a kind of prediction.
public protocol Sampler: Hashable, Codable, Sendable {
  /// What to do at each evaluation, in order.
  ///
  /// - Throws: `PlanError` if an option is out of its range.
  func moves(over grid: SamplingGrid) throws(PlanError) -> [Move]

  /// The level that a run starts from; the grid's first unless the sampler runs another way.
  func start(of grid: SamplingGrid) -> NoiseLevel
}

extension Sampler {
  // The words of a sampler's file.
  public typealias Move = SamplingPlan.Move
  public typealias Estimate = SamplingPlan.Estimate

  /// Throws, in the name of this sampler, unless one of its options is allowed.
  func check(_ name: String, _ value: Double, _ allowed: PlanError.Allowed) throws(PlanError) {
    try PlanError.check(name, value, allowed, of: Self.self)
  }

  public func start(of grid: SamplingGrid) -> NoiseLevel { grid.points[0].level }
}

/// A sampler whose amount of fresh noise can be set.
public protocol EtaSampler: Sampler {
  /// 0 draws none and solves the probability-flow ODE; 1 draws as much as the reverse process.
  var eta: Double { get set }
}

extension EtaSampler {
  /// Throws if `eta` is NaN or outside [0, 1].
  public func validateEta() throws(PlanError) { try check("eta", eta, .closed(0...1)) }
}

extension SamplingPlan {
  /// What a sampler extrapolates from: made from a sample and x̂0 at the level of the evaluation.
  public enum Estimate: String, Hashable, Codable, Sendable {
    /// The data, x̂0.
    case x0
    /// The noise that goes with it, (x − signal·x̂0)/noise.
    case epsilon
  }

  /// One evaluation of the network and the line of algebra that follows it.
  public struct Move: Hashable, Codable, Sendable {
    /// Where the network is asked.
    public var query: SamplingGrid.Point
    /// The level of the sample that the line makes.
    public var arrival: NoiseLevel
    /// What the symbol `.estimate()` stands for.
    public var estimate: Estimate
    /// The next sample, with its factors rounded; a learned variance multiplies its noise by the
    /// deviation.
    public var next: LinearForm
    /// The variance of p(x' | x), for samplers that draw from one.
    public var variance: StepVariance?

    /// A move from an evaluation at `query` to a sample at `arrival`.
    public init(
      at query: SamplingGrid.Point, to arrival: NoiseLevel, estimate: Estimate, next: LinearForm,
      variance: StepVariance? = nil
    ) {
      (self.query, self.arrival, self.estimate) = (query, arrival, estimate)
      (self.next, self.variance) = (next.rounded(), variance)
    }
  }
}
