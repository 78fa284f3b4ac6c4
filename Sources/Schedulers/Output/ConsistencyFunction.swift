/// The function of a consistency model with network F: the ODE's end, and x̄ itself at σ_min.
///
///     f(x, σ) = skip·x̄ + out·F(x̄/√(σ² + σ_data²), 250·ln σ),    x̄ = x/signal
///     skip = σ_data²/((σ − σ_min)² + σ_data²)
///     out  = σ_data·(σ − σ_min)/√(σ² + σ_data²)
///
/// ```swift
/// let function = ConsistencyFunction()
/// let grid = try SamplingGrid(consistency: function, steps: 2)
/// let plan = try ConsistencyModel().plan(over: grid, predicting: function)
/// ```
///
/// Source: [Song et al. 2023](https://arxiv.org/abs/2303.01469), equation 5 and appendix C.
public struct ConsistencyFunction: OutputReading, Hashable, Codable {
  /// σ_min, where the function is the sample: 0 or more.
  public var leastSigma: Double
  /// σ_data, the deviation of the data: above 0.
  public var sigmaData: Double

  /// The function of a model with these parameters, those of the paper by default.
  public init(leastSigma: Double = 0.002, sigmaData: Double = 0.5) {
    (self.leastSigma, self.sigmaData) = (leastSigma, sigmaData)
  }

  public var name: String { "a consistency function" }

  /// The point with 250·ln σ for a timestep and 1/√(σ² + σ_data²) for the scale of x̄; as it was
  /// where there is no signal or no noise.
  public func query(at point: SamplingGrid.Point) -> SamplingGrid.Point {
    let level = point.level
    guard level.signal > 0, level.noise > 0 else { return point }
    return SamplingGrid.Point(
      timestep: 250 * Math.log(level.sigma), level: level,
      inputScale: 1 / (level.signal * Math.hypot(level.sigma, sigmaData)))
  }

  public func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
    guard query.level.signal > 0, query.level.noise > 0 else { return nil }
    let (level, spread) = (query.level.exact, DoubleDouble(product: sigmaData, sigmaData))
    let sigma = level.sigma
    let run = sigma - leastSigma
    return Readout(
      sample: (spread / (run * run + spread) / level.signal).rounded,
      output: (sigmaData * run / (sigma * sigma + spread).squareRoot()).rounded)
  }

  public func validate() throws(PlanError) {
    try PlanError.check("leastSigma", leastSigma, .notNegative, of: Self.self)
    try PlanError.check("sigmaData", sigmaData, .positive, of: Self.self)
  }
}

extension SamplingGrid {
  /// The points of a consistency model that was trained on `levels` sigmas in Karras' spacing:
  /// every ⌊levels/steps⌋-th, largest first, then clean data. Samples are x0 + σ·epsilon.
  ///
  /// - `steps`: the number of calls, 1 ... `levels`.
  /// - `levels`: the number of sigmas that the model was trained on.
  /// - `largestSigma`: the first of them.
  /// - `rho`: the exponent of their spacing.
  /// - Throws: `GridError` if a number is out of its range.
  public init(
    consistency function: ConsistencyFunction, steps: Int, levels: Int = 40, largestSigma: Double = 80, rho: Double = 7
  ) throws(GridError) {
    guard steps >= 1, steps <= levels else { throw .steps(steps, timesteps: levels) }
    let least = function.leastSigma
    guard least > 0, least < largestSigma, largestSigma.isFinite else {
      throw .parameter("the largest sigma", largestSigma, allowed: "finite and above \(least), which must be above 0")
    }
    let spacing = SigmaSpacing.karras(rho: rho)
    try spacing.validate()
    let sigmas = spacing.sigmas(count: levels, from: DoubleDouble(largestSigma), to: DoubleDouble(least))
    let points = try (0..<steps).map { i throws(GridError) in
      let sigma = sigmas[i * (levels / steps)]
      guard sigma.high > 0, sigma.high.isFinite else {
        throw .parameter("rho", rho, allowed: "such that every sigma is above 0 and finite")
      }
      let level = NoiseLevel(.init(signal: DoubleDouble(1), noise: sigma))
      return function.query(at: Point(timestep: 0, level: level))
    }
    try self.init(points: points + [.clean])
  }
}
