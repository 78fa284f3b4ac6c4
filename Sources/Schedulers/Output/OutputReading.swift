/// What a network is told and given, and how x̂0 is read from its output.
///
/// ```swift
/// let plan = try Heun().plan(over: grid, predicting: EDMPreconditioning())
/// ```
///
/// `Prediction`, `EDMPreconditioning` and `ConsistencyFunction` conform. A plan holds the numbers
/// of a reading, not the reading itself, so that a network of any kind runs with any sampler.
public protocol OutputReading: Sendable {
  /// The name in messages.
  var name: String { get }

  /// What the network is asked where a sampler asks it: the timestep, and the scale of its input.
  ///
  /// - Returns: a point with the same level.
  func query(at point: SamplingGrid.Point) -> SamplingGrid.Point

  /// How the sample and the network's output give the data: x̂0 = sample·x + output·F.
  ///
  /// - Parameters:
  ///   - query: what `query(at:)` gave.
  ///   - next: the point that follows on the grid, if `needsNext`.
  /// - Returns: `nil` where the two do not determine x̂0.
  func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout?

  /// Whether the output is about the point that follows as well.
  var needsNext: Bool { get }

  /// Throws if a parameter is out of its range.
  func validate() throws(PlanError)
}

extension OutputReading {
  public typealias Readout = SamplingPlan.Readout
  public var needsNext: Bool { false }
  public func validate() throws(PlanError) {}
}

extension Sampler {
  /// The plan of this sampler on a grid, for a network with the given kind of output.
  ///
  /// - `learnsVariance`: whether outputs have twice a sample's channels, the second half
  ///   about the variance, which only `DDPM` uses. A sampler with learned variance implies it.
  /// - Throws: `PlanError` where a coefficient does not exist, as for epsilon prediction at zero
  ///   terminal SNR, or an option is out of its range.
  public func plan(
    over grid: SamplingGrid, predicting reading: some OutputReading, clipping: Clipping = .none,
    learnsVariance: Bool = false
  ) throws(PlanError) -> SamplingPlan {
    try reading.validate()
    let moves = try moves(over: grid)
    var steps: [SamplingPlan.Step] = []
    steps.reserveCapacity(moves.count)
    for i in moves.indices {
      let query = reading.query(at: moves[i].query)
      // Looked for where it is needed alone: a search for every point of a long grid takes long.
      let index = reading.needsNext ? grid.points.firstIndex(of: moves[i].query) : nil
      let next = index.flatMap { $0 < grid.steps ? grid.points[$0 + 1] : nil }
      guard let denoising = reading.denoising(at: query, next: next) else {
        throw reading.needsNext
          ? .noNext(timestep: query.timestep)
          : .singular(reading.name, timestep: query.timestep, sigma: query.level.sigma)
      }
      steps.append(moves[i].step(asking: query, denoising: denoising))
    }
    return try SamplingPlan(steps: steps, start: start(of: grid), clipping: clipping, learnsVariance: learnsVariance)
  }

  /// The same plan, with the names of `Prediction` at hand.
  ///
  /// ```swift
  /// let plan = try DDIM().plan(over: grid, predicting: .v)
  /// ```
  public func plan(
    over grid: SamplingGrid, predicting prediction: Prediction, clipping: Clipping = .none, learnsVariance: Bool = false
  ) throws(PlanError) -> SamplingPlan {
    let reading: any OutputReading = prediction
    return try plan(over: grid, predicting: reading, clipping: clipping, learnsVariance: learnsVariance)
  }
}
