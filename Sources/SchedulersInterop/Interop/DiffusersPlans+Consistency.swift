import Schedulers

// Consistency models, whose network says where the ODE ends from each of the sigmas that it was distilled at.

extension DiffusersConfiguration {
  /// The function with the file's scales.
  func consistencyFunction() throws(ConfigurationError) -> ConsistencyFunction {
    for name in ["sigma_min", "sigma_max", "sigma_data", "rho"] {
      guard let value = number(name), value > 0, value.isFinite else {
        throw unsupported(name, remedy: "it must be above 0 and finite")
      }
    }
    let most = number("sigma_max")!
    guard number("sigma_min")! < most else { throw unsupported("sigma_min", remedy: "it must be below sigma_max, \(most)") }
    return ConsistencyFunction(leastSigma: number("sigma_min")!, sigmaData: number("sigma_data")!)
  }

  /// What the noise of a step is multiplied by.
  func consistencyNoise() throws(ConfigurationError) -> Double {
    guard let factor = number("s_noise"), factor >= 0, factor <= Double(Float.greatestFiniteMagnitude) else {
      throw unsupported("s_noise", remedy: "it must be 0 or more and finite")
    }
    return factor
  }

  /// The sigmas in Double, and 250·ln σ for timesteps.
  func consistencyGrid(steps: Int) throws(ConfigurationError) -> SamplingGrid {
    let function = try consistencyFunction()
    return try naming {
      try SamplingGrid(
        consistency: function, steps: steps, levels: trainingTimesteps(), largestSigma: number("sigma_max")!,
        rho: number("rho")!)
    }
  }

  /// diffusers' sigmas, made in Double and rounded. Its timesteps are not rounded.
  func consistencySetting(steps: Int) throws(ConfigurationError) -> Setting {
    _ = try consistencyFunction()
    let (levels, rho) = (try trainingTimesteps(), number("rho")!)
    guard levels > 1 else { throw unsupported("num_train_timesteps", remedy: "diffusers divides by one less; use 2 or more") }
    let (start, end) = (Math.pow(number("sigma_max")!, 1 / rho), Math.pow(number("sigma_min")!, 1 / rho))
    let sigmas = (0..<steps).map { i in
      Math.pow(start + Double(i * (levels / steps)) / Double(levels - 1) * (end - start), rho)
    }
    let rounded = sigmas.map { Float($0) } + [Float(number("sigma_min")!)]
    guard rounded.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw unsupported("sigma_max", remedy: "in float32 the sigmas from sigma_min to it are 0 or infinite")
    }
    return Setting(timesteps: sigmas.map { 250 * Math.log($0) }, sigmas: rounded)
  }

  /// diffusers' steps, whose noise is the root of a difference of squares in float32.
  func consistencyMoves(_ setting: Setting) throws(ConfigurationError) -> Moves {
    let (factor, least) = (try consistencyNoise(), number("sigma_min")!)
    let data = number("sigma_data")!
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let (sigma, next) = (Double(setting.sigmas[i]), setting.sigmas[i + 1])
      let drawn = root(next * next - Float(least * least))
      guard !drawn.isNaN else {
        throw .notFinite(
          step: i, timestep: timestep, className: className,
          reason: "sigma_min \(least) is rounded to float32, and diffusers takes the root of a negative number")
      }
      moves.append(
        Move(
          at: SamplingGrid.Point(
            timestep: timestep, level: NoiseLevel(signal: 1, noise: sigma), inputScale: 1 / Math.hypot(sigma, data)),
          to: i + 1 < setting.timesteps.count ? NoiseLevel(signal: 1, noise: Double(next)) : .clean, estimate: .x0,
          next: .estimate() + factor * Double(drawn) * .noise))
    }
    return Moves(moves: moves, start: NoiseLevel(signal: 0, noise: number("sigma_max")!))
  }
}

/// A reading of a network that is asked what the moves say, whose timesteps another library rounded.
struct AskedAsGiven<Base: OutputReading>: OutputReading {
  var base: Base

  var name: String { base.name }
  func query(at point: SamplingGrid.Point) -> SamplingPlan.Query { point }
  func denoising(at query: SamplingPlan.Query, next: SamplingPlan.Query?) -> Readout? {
    base.denoising(at: query, next: next)
  }
}
