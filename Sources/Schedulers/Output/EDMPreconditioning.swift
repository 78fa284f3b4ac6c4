/// How EDM wraps a network F, so that input, target and errors have the same size at every sigma.
///
///     x̂0 = c_skip·x̄ + c_out·F(c_in·x̄, c_noise),    x̄ = x/signal = x0 + σ·epsilon
///     c_skip = σ_data²/(σ² + σ_data²)     c_out = σ·σ_data/√(σ² + σ_data²)
///     c_in   = 1/√(σ² + σ_data²)          c_noise = ln(σ)/4
///
/// A plan for such a network has these in its queries and readouts, whatever the path of the grid:
///
/// ```swift
/// let edm = EDMPreconditioning()
/// let plan = try Heun().plan(
///   over: SamplingGrid(edm: edm, steps: 18), predicting: edm)
/// ```
///
/// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), equation 7 and table 1.
public struct EDMPreconditioning: OutputReading, Hashable, Codable {
  /// What the network is told of a sigma: c_noise.
  public enum Conditioning: String, Hashable, Codable, Sendable {
    /// ln(σ)/4, that of the paper.
    case logarithm
    /// 2·atan(σ)/π, between 0 and 1: that of networks of v on the circle signal² + noise² = 1,
    /// whose angle it is ([Crowson 2022](https://github.com/crowsonkb/k-diffusion), `VDenoiser`).
    case angle
  }

  /// σ_data, the deviation of the data; above 0.
  public var sigmaData: Double
  public var conditioning: Conditioning

  public init(sigmaData: Double = 0.5, conditioning: Conditioning = .logarithm) {
    (self.sigmaData, self.conditioning) = (sigmaData, conditioning)
  }

  public var name: String { "EDM's preconditioning" }

  /// The point with c_noise as timestep and c_in as scale of x̄; itself without signal or noise.
  public func query(at point: SamplingGrid.Point) -> SamplingGrid.Point {
    let level = point.level
    guard level.signal > 0, level.noise > 0 else { return point }
    let timestep =
      switch conditioning {
      case .logarithm: Math.log(level.sigma) / 4
      case .angle: Math.atan2(level.noise, level.signal) * 2 / Double.pi
      }
    return SamplingGrid.Point(
      timestep: timestep, level: level, inputScale: 1 / (level.signal * Math.hypot(level.sigma, sigmaData)))
  }

  /// x̂0 = sample·x + output·F, for x at the query's level, not for what the network is given.
  ///
  /// - Returns: `nil` where there is no signal or no noise.
  public func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
    guard query.level.signal > 0, query.level.noise > 0 else { return nil }
    let (level, data) = (query.level.exact, DoubleDouble(sigmaData))
    let sigma = level.sigma
    let square = sigma * sigma + data * data
    return Readout(
      sample: (data * data / square / level.signal).rounded, output: (sigma * data / square.squareRoot()).rounded)
  }

  public func validate() throws(PlanError) { try PlanError.check("sigmaData", sigmaData, .positive, of: Self.self) }
}

extension SamplingGrid {
  /// N sigmas for a network of EDM, on the exploding path x0 + σ·epsilon, then clean data.
  ///
  /// - `steps`: N, 1 or more.
  /// - `range`: the smallest and the largest sigma.
  /// - Throws: `GridError` if N is less than 1, or a number is out of its range.
  ///
  /// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), table 1.
  public init(
    edm preconditioning: EDMPreconditioning, steps: Int, spacing: SigmaSpacing = .karras(),
    range: ClosedRange<Double> = 0.002...80
  ) throws(GridError) {
    guard steps >= 1 else { throw .parameter("the number of steps", Double(steps), allowed: "1 or more") }
    try spacing.validate()
    for (name, sigma) in [("smallest", range.lowerBound), ("largest", range.upperBound)]
    where !(sigma > 0 && sigma.isFinite) { throw .parameter("the \(name) sigma", sigma, allowed: "above 0 and finite") }
    try self.init(
      edm: preconditioning,
      exact: spacing.sigmas(count: steps, from: DoubleDouble(range.upperBound), to: DoubleDouble(range.lowerBound)))
  }

  /// Given sigmas, largest first, for a network of EDM, on the exploding path, then clean data, for
  /// which a last 0 may stand.
  ///
  /// - Throws: `GridError` if there are none, or one is not finite, not above 0, or not below the
  ///   one before it, or σ_data is out of range.
  public init(edm preconditioning: EDMPreconditioning, sigmas: [Double]) throws(GridError) {
    try self.init(edm: preconditioning, exact: sigmas.map { DoubleDouble($0) })
  }

  /// The same of sigmas that are known beyond a Double.
  private init(edm preconditioning: EDMPreconditioning, exact sigmas: [DoubleDouble]) throws(GridError) {
    let data = preconditioning.sigmaData
    guard data > 0, data.isFinite else { throw .parameter("sigmaData", data, allowed: "above 0 and finite") }
    let sigmas = try Self.checked(sigmas)
    guard !sigmas.isEmpty else { throw .parameter("the number of steps", 0, allowed: "1 or more") }
    let points = sigmas.map { sigma in
      let level = NoiseLevel(.init(signal: DoubleDouble(1), noise: sigma))
      return preconditioning.query(at: Point(timestep: 0, level: level))
    }
    try self.init(points: points + [.clean])
  }
}
