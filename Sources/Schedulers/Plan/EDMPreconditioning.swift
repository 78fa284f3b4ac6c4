/// How EDM wraps a network F, so that its input, its target and the effect of its errors have the same size at every sigma.
///
///     x̂0 = c_skip·x̄ + c_out·F(c_in·x̄, c_noise),    x̄ = x/signal = x0 + σ·epsilon
///     c_skip = σ_data²/(σ² + σ_data²)     c_out = σ·σ_data/√(σ² + σ_data²)
///     c_in   = 1/√(σ² + σ_data²)          c_noise = ln(σ)/4
///
/// A plan for such a network has these in its queries and readouts, whatever the path of the grid:
///
/// ```swift
/// let edm = EDMPreconditioning()
/// let plan = try Heun().plan(over: SamplingGrid(edm: edm, steps: 18), predicting: edm)
/// ```
///
/// Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 7 and table 1.
public struct EDMPreconditioning: Hashable, Codable, Sendable {
  /// σ_data, the deviation of the data; above 0.
  public var sigmaData: Double
  /// Whether c_out is negative, as diffusers has it for networks of `v_prediction`.
  public var isNegated: Bool

  /// The preconditioning for data of a given deviation.
  public init(sigmaData: Double = 0.5, isNegated: Bool = false) {
    self.sigmaData = sigmaData
    self.isNegated = isNegated
  }

  /// The point at a level: what the network is told is c_noise, and what it is given is c_in·x̄.
  ///
  /// - Precondition: the level has noise and signal.
  public func point(at level: NoiseLevel) -> SamplingGrid.Point {
    precondition(level.noise > 0 && level.signal > 0, "EDM's network is asked at a finite sigma above 0; got \(level)")
    let sigma = level.sigma
    return SamplingGrid.Point(
      timestep: Math.log(sigma) / 4, level: level, inputScale: 1 / (level.signal * Math.hypot(sigma, sigmaData)))
  }

  /// How to read the data from a sample at `level`, not from what the network is given: x̂0 = sample·x + output·F.
  ///
  /// - Returns: `nil` where there is no signal.
  public func denoising(at level: NoiseLevel) -> Readout? {
    guard level.signal > 0 else { return nil }
    let spread = Math.hypot(level.sigma, sigmaData)
    let share = sigmaData / spread
    return Readout(sample: share * share / level.signal, output: (isNegated ? -1 : 1) * level.sigma * share)
  }

  func validate() throws(GridError) {
    guard sigmaData > 0, sigmaData.isFinite else { throw .parameter("sigmaData", sigmaData, allowed: "above 0 and finite") }
  }
}

extension SamplingGrid {
  /// N sigmas in a given spacing for a network of EDM, on the exploding path x0 + σ·epsilon, then clean data.
  ///
  /// - Parameters:
  ///   - preconditioning: says what the network is told and given.
  ///   - steps: N, 1 or more.
  ///   - spacing: how the sigmas lie between the ends.
  ///   - range: the smallest and the largest sigma.
  /// - Throws: `GridError` if N is less than 1, or a number is out of its range.
  ///
  /// Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, table 1.
  public init(
    edm preconditioning: EDMPreconditioning, steps: Int, spacing: SigmaSpacing = .karras(),
    range: ClosedRange<Double> = 0.002...80
  ) throws(GridError) {
    guard steps >= 1 else { throw .parameter("the number of steps", Double(steps), allowed: "1 or more") }
    try spacing.validate()
    for (name, sigma) in [("smallest", range.lowerBound), ("largest", range.upperBound)] where !(sigma > 0 && sigma.isFinite) {
      throw .parameter("the \(name) sigma", sigma, allowed: "above 0 and finite")
    }
    try self.init(
      edm: preconditioning, sigmas: spacing.sigmas(count: steps, from: range.upperBound, to: range.lowerBound))
  }

  /// Given sigmas, largest first, for a network of EDM, on the exploding path, then clean data, for which a last 0 may stand.
  ///
  /// - Throws: `GridError` if there are none, or one is not finite, not above 0, or not below the one before it, or σ_data is out of range.
  public init(edm preconditioning: EDMPreconditioning, sigmas: [Double]) throws(GridError) {
    try preconditioning.validate()
    let sigmas = try Self.checked(sigmas)
    guard !sigmas.isEmpty else { throw .parameter("the number of steps", 0, allowed: "1 or more") }
    try self.init(points: sigmas.map { preconditioning.point(at: NoiseLevel(signal: 1, noise: $0)) } + [.clean])
  }
}

extension Sampler {
  /// The plan of this sampler on a grid, for a network of EDM.
  ///
  /// The levels are the grid's, whatever its path; what the network is told and given follows from them, so that a grid's timesteps and
  /// input scales have no part in it.
  ///
  /// - Throws: `PlanError` where a coefficient does not exist, as where there is no signal, or an option is out of its range.
  public func plan(
    over grid: SamplingGrid, predicting preconditioning: EDMPreconditioning, clipping: Clipping = .none
  ) throws(PlanError) -> SamplingPlan {
    guard preconditioning.sigmaData > 0, preconditioning.sigmaData.isFinite else {
      throw .option("sigmaData", preconditioning.sigmaData, sampler: "EDMPreconditioning", allowed: "(0, ∞)")
    }
    var steps: [SamplingPlan.Step] = []
    for move in try moves(over: grid) {
      let level = move.query.level
      guard level.noise > 0, let denoising = preconditioning.denoising(at: level) else {
        throw .coefficient(step: steps.count, timestep: move.query.timestep, sigma: level.sigma)
      }
      steps.append(move.step(asking: preconditioning.point(at: level), denoising: denoising))
    }
    return try SamplingPlan(steps: steps, start: start(of: grid), clipping: clipping)
  }
}
