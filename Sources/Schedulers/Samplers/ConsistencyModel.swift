/// Consistency models: the network says where the ODE ends from any level, at σ_min, and fresh noise leads from there to each next level.
///
///     x' = signal'·x̂0 + √(noise'² − (signal'·σ_min)²)·z
///
/// The x̂0 of this sampler is the consistency function f(x, σ) = skip·x + out·F, which `readout(at:)` makes of the output F of a network
/// that was trained with these factors. With a network that is not distilled, the error does not fall with the number of steps.
///
/// Source: Song et al. 2023, https://arxiv.org/abs/2303.01469, algorithm 1, and equation 5 with appendix C.
public struct ConsistencyModel: Sampler {
  /// The least sigma of the process, ε in the paper: 0 or more.
  public var leastSigma: Double
  /// The deviation of the data that skip and out are made for: above 0.
  public var dataDeviation: Double

  /// The sampler of a model with these parameters, those of the paper by default.
  public init(leastSigma: Double = 0.002, dataDeviation: Double = 0.5) {
    self.leastSigma = leastSigma
    self.dataDeviation = dataDeviation
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    guard leastSigma >= 0, leastSigma.isFinite else {
      throw .option("leastSigma", leastSigma, sampler: "ConsistencyModel", allowed: "[0, ∞)")
    }
    guard dataDeviation > 0, dataDeviation.isFinite else {
      throw .option("dataDeviation", dataDeviation, sampler: "ConsistencyModel", allowed: "(0, ∞)")
    }
    return grid.intervals.map { from, to in
      let least = to.level.signal * leastSigma
      let drawn = max(0, (to.level.noise - least) * (to.level.noise + least)).squareRoot()
      return Move(at: from, to: to.level, estimate: .x0, next: to.level.signal * LinearForm.estimate() + drawn * .noise)
    }
  }

  /// The consistency function of a sample and the network's output F there: skip·x̄ + out·F with x̄ = x/signal,
  /// skip = σ_data²/((σ − σ_min)² + σ_data²) and out = σ_data·(σ − σ_min)/√(σ² + σ_data²).
  ///
  /// The network is given x̄/√(σ² + σ_data²), as the points of `grid(steps:levels:largestSigma:)` say.
  ///
  /// - Parameter level: a level with signal.
  public func readout(at level: NoiseLevel) -> Readout {
    let (run, spread) = (level.sigma - leastSigma, dataDeviation * dataDeviation)
    return Readout(
      sample: spread / (run * run + spread) / level.signal,
      output: dataDeviation * run / Math.hypot(level.sigma, dataDeviation))
  }

  /// The points of a model that was trained on `levels` sigmas in Karras's spacing: every ⌊levels/steps⌋-th, largest first, then clean data.
  ///
  /// Samples are x0 + σ·epsilon; the network is told 250·ln σ.
  ///
  /// - Throws: `GridError` if `steps` is outside 1 ... `levels`, the sigmas are no range above 0, or `rho` is not above 0.
  public func grid(
    steps: Int, levels: Int = 40, largestSigma: Double = 80, rho: Double = 7
  ) throws(GridError) -> SamplingGrid {
    guard steps >= 1, steps <= levels else { throw .steps(steps, timesteps: levels) }
    guard leastSigma > 0, leastSigma < largestSigma, largestSigma.isFinite else {
      throw .parameter("the largest sigma", largestSigma, allowed: "finite and above \(leastSigma), which must be above 0")
    }
    let spacing = SigmaSpacing.karras(rho: rho)
    try spacing.validate()
    let sigmas = spacing.sigmas(count: levels, from: largestSigma, to: leastSigma)
    let points = try (0..<steps).map { i throws(GridError) in
      let sigma = sigmas[i * (levels / steps)]
      guard sigma > 0, sigma.isFinite else {
        throw .parameter("rho", rho, allowed: "such that every sigma is above 0 and finite")
      }
      return SamplingGrid.Point(
        timestep: 250 * Math.log(sigma), level: NoiseLevel(signal: 1, noise: sigma),
        inputScale: 1 / Math.hypot(sigma, dataDeviation))
    }
    return try SamplingGrid(points: points + [.clean])
  }
}
