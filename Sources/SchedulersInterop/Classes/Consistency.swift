import Schedulers

/// `CMStochasticIterativeScheduler`: consistency models, whose network says where the ODE ends from
/// each of the sigmas that it was distilled at.
struct CMStochasticIterativeScheduler: DiffusersClass {
  static let takes: Set<RunArguments.Key> = [.timesteps]

  let trainingTimesteps: TrainingTimesteps
  private let range: SigmaRange
  private let data: Given<Double>
  private let noise: Given<Double>
  private let clips: Given<Bool>

  init(_ o: inout OptionReader) {
    (trainingTimesteps, range) = (TrainingTimesteps(&o, 40), SigmaRange(&o))
    (data, noise) = (o.number("sigma_data", 0.5), o.number("s_noise", 1))
    clips = o.boolean("clip_denoised", true)
  }

  func clipping() throws -> Clipping { clips.value ? .range(-1...1) : .none }
  func reading() throws -> any OutputReading { try function() }
  func sampler(_ run: Run) throws -> any Sampler { ConsistencyModel(leastSigma: try function().leastSigma) }

  private func function() throws -> ConsistencyFunction {
    ConsistencyFunction(leastSigma: try range.checked().least, sigmaData: try data.positive())
  }

  func drawsAlways(_ run: Run) -> Bool { run.steps > 1 }

  func noiseFactor(_ run: Run) throws -> Double {
    try require(
      noise.value >= 0 && noise.value <= Double(Float.greatestFiniteMagnitude),
      noise.refused("it must be 0 or more and finite"))
    return noise.value
  }

  /// The sigmas in Double, and 250·ln σ for timesteps.
  func grid(_ run: Run) throws -> SamplingGrid {
    let (function, range, levels) = (try function(), try range.checked(), try trainingTimesteps.count())
    let given = try run.arguments.timesteps(of: levels)
    let grid = try SamplingGrid(
      consistency: function, steps: given == nil ? run.steps : levels, levels: levels, largestSigma: range.most,
      rho: range.rho)
    // Counted from the noise, they are the numbers of levels.
    return try given.map { given in
      try SamplingGrid(points: given.reversed().map { grid.points[Int($0)] } + grid.points.suffix(1))
    } ?? grid
  }

  /// diffusers' sigmas, made in Double and rounded. Its timesteps are not rounded.
  func setting(_ run: Run) throws -> Setting {
    let (levels, (least, most, rho), steps) = (try trainingTimesteps.count(), try range.checked(), run.steps)
    _ = try function()
    guard levels > 1 else { throw trainingTimesteps.given.refused("diffusers divides by one less; use 2 or more") }
    let (start, end) = (Math.pow(most, 1 / rho), Math.pow(least, 1 / rho))
    let given: [Double]? = try run.arguments.timesteps(of: levels)?.reversed()
    let numbers: [Double] = given ?? (0..<steps).map { Double($0 * (levels / steps)) }
    let sigmas = numbers.map { Math.pow(start + $0 / Double(levels - 1) * (end - start), rho) }
    let rounded = try range.rounded(sigmas.map { Float($0) } + [Float(least)])
    return Setting(timesteps: sigmas.map { 250 * Math.log($0) }, sigmas: rounded)
  }

  /// A network that is asked as the steps say, at timesteps of sigmas that were not rounded.
  private struct AskedAsGiven: OutputReading {
    let base: ConsistencyFunction
    var name: String { base.name }

    func query(at point: SamplingGrid.Point) -> SamplingGrid.Point { point }
    func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
      base.denoising(at: query, next: next)
    }
  }

  /// The noise of a step is the root of a difference of squares in float32.
  func faithful(_ run: Run) throws -> Recipe {
    let (setting, function, factor) = (try begun(run), try function(), try noiseFactor(run))
    let least = function.leastSigma
    let moves = try setting.timesteps.enumerated().map { i, timestep in
      let (sigma, next) = (Double(setting.sigmas[i]), setting.sigmas[i + 1])
      let drawn = setting.timesteps.count > 1 ? run.root(next * next - Float(least * least)) : 0
      try require(
        !drawn.isNaN, step: i, timestep: timestep,
        "sigma_min \(least) is rounded to float32, and diffusers takes the root of a negative number")
      let point = SamplingGrid.Point(
        timestep: timestep, level: NoiseLevel(signal: 1, noise: sigma),
        inputScale: 1 / Math.hypot(sigma, function.sigmaData))
      let end = i + 1 < setting.timesteps.count ? NoiseLevel(signal: 1, noise: Double(next)) : .clean
      return Move(at: point, to: end, estimate: .x0, next: .estimate() + factor * Double(drawn) * .noise)
    }
    let start = NoiseLevel(signal: 0, noise: range.most.value)
    return try recipe(moves, of: run, start: start, reading: AskedAsGiven(base: function))
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    [.float32Tables, .initialScaleWithoutData] + (isNotFinite(run) ? [.leastSigmaNotANumber] : [])
  }
}

extension Deviation {
  public static let leastSigmaNotANumber = Deviation(
    "leastSigmaNotANumber",
    "The noise of a step is √(σ'² − σ_min²), which is 0 at the last; σ' is rounded to float32 first, and the "
      + "difference may come out negative.",
    place: "Consistency models with a `sigma_min` whose float32 is below it, such as 0.0001",
    effect: "The result is NaN. `.diffusers` refuses the configuration.")
}
