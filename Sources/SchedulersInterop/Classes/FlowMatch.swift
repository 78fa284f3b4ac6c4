import Schedulers

protocol FlowMatchClass: DiffusersClass { var times: FlowTimes { get } }

extension FlowMatchClass {
  static var roundsStrengthUp: Bool { true }
  var allowsAnySteps: Bool { true }
  var trainingTimesteps: TrainingTimesteps { times.timesteps }
  var takesMu: Bool { times.shifting.isDynamic != nil }
  func reading() throws -> any OutputReading { times.prediction }
  func grid(_ run: Run) throws -> SamplingGrid { try times.grid(run) }
  func setting(_ run: Run) throws -> Setting { try times.setting(run) }
}

/// `FlowMatchEulerDiscreteScheduler`, and `FlowMatchLCMScheduler`, whose steps are its stochastic
/// ones.
protocol FlowMatchEulerClass: FlowMatchClass {
  /// Whether a step draws all of its noise anew.
  var redraws: Bool { get }
}

extension FlowMatchEulerClass {
  static var takes: Set<RunArguments.Key> { [.timesteps, .sigmas] }

  func drawsAlways(_ run: Run) -> Bool { redraws }

  func sampler(_ run: Run) throws -> any Sampler {
    if redraws { return ConsistencyModel(leastSigma: 0) }
    let grid = try begunGrid(run)
    guard grid.points.dropLast().contains(where: { $0.level.noise == 0 }) else { return Euler() }
    // From clean data, which a given 0 means, by the velocity: there is no noise to scale.
    return FixedMoves(
      moves: grid.intervals.map { from, to in
        let next = LinearForm.sample + (to.level.noise - from.level.noise) * .output
        return Move(at: from, to: to.level, estimate: .x0, next: next)
      })
  }

  func faithful(_ run: Run) throws -> Recipe {
    let setting = try begun(run)
    let moves = setting.timesteps.indices.map { i -> Move in
      let (from, to) = (setting.sigmas[i], setting.sigmas[i + 1])
      var next = LinearForm.sample + Double(to - from) * .output
      if redraws {
        // Inverted sigmas are taken for those of the other direction here.
        next = Double(1 - to) * (LinearForm.sample - Double(from) * .output) + Double(to) * .noise
      }
      let point = SamplingGrid.Point(timestep: setting.timesteps[i], level: times.level(from))
      return Move(at: point, to: times.level(to), estimate: .x0, next: next)
    }
    return try recipe(moves, of: run)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    times.deviations(run, setting) + (redraws && times.invertsSigmas ? [.noiseForData] : [])
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { redraws ? nil : Euler() }
}

struct FlowMatchEulerDiscreteScheduler: FlowMatchEulerClass {
  let times: FlowTimes
  let redraws: Bool

  init(_ o: inout OptionReader) {
    times = FlowTimes(&o, choicesAreOptional: false)
    redraws = o.boolean("stochastic_sampling", false).value
  }
}

struct FlowMatchLCMScheduler: FlowMatchEulerClass {
  let times: FlowTimes
  let redraws = true
  private let scales: Given<[Double]?>

  init(_ o: inout OptionReader) {
    times = FlowTimes(&o, choicesAreOptional: true)
    scales = o.numbers("scale_factors")
    o.text("upscale_mode", "bicubic")
  }

  /// The times. Scaled up between steps, samples are no combination of those before.
  private func checkedTimes() throws -> FlowTimes {
    guard scales.value?.isEmpty ?? true else { throw scales.refused("use null; a sample keeps its size") }
    return times
  }

  func grid(_ run: Run) throws -> SamplingGrid { try checkedTimes().grid(run) }
  func setting(_ run: Run) throws -> Setting { try checkedTimes().setting(run) }
}

struct FlowMatchHeunDiscreteScheduler: FlowMatchClass {
  static let takes = Churning.takes
  static let callsPerStep = 2

  let times: FlowTimes

  init(_ o: inout OptionReader) { times = FlowTimes(fixed: &o) }

  func sampler(_ run: Run) throws -> any Sampler { Churning.sampler(StraightHeun(), run, isFlow: true) }
  func timesteps(_ run: Run) throws -> [Double] { try begun(run).heunTimesteps }

  /// Heun's steps from x̂ = x + s_noise·√(σ̂² − σ²)·z, each back from where it began. The noise
  /// that the second evaluation adds is subtracted again.
  func faithful(_ run: Run) throws -> Recipe {
    let setting = try begun(run)
    let grid = setting.grid { NoiseLevel(signal: 1 - Double($0), noise: Double($0)) }
    let moves = grid.intervals.enumerated().flatMap { i, interval -> [Move] in
      let (from, to, sigma) = (interval.from, interval.to, setting.sigmas[i])
      let (raised, noise) = Churning(run: run).raised(sigma, evaluations: 2 * run.steps - 1)
      let length = Double(setting.sigmas[i + 1] - raised)
      let first = LinearForm.sample + noise * .noise + length * Double(sigma / raised) * .output
      let start = Move(at: from, to: to.level, estimate: .x0, next: first)
      guard to.level.noise > 0 else { return [start] }
      let slope = (LinearForm.sample(ago: 1) - .estimate(ago: 1)) / Double(raised)
      let second = LinearForm.made + length / 2 * (LinearForm.output - slope)
      return [start, Move(at: to, to: to.level, estimate: .x0, next: second)]
    }
    return try recipe(moves, of: run, over: grid)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let churns = Churning(run: run).deviations(setting)
    return times.deviations(run, setting) + churns + (churns.isEmpty ? [] : [.churnOffTheLine])
  }
}

extension Deviation {
  public static let churnOffTheLine = Deviation(
    "churnOffTheLine",
    "Noise is added to a sample of rectified flow, (1 − σ)·x0 + σ·epsilon, as if it were x0 + σ·epsilon: it is at σ̂ "
      + "then, but has the signal of σ. On the straight line σ/(1 − σ) grows by 1 + γ and the sample is scaled to the "
      + "signal of σ̂; where there is no signal, none is added. N, by which `s_churn` is divided, counts evaluations.",
    place: "FlowMatchHeun, `s_churn` above 0",
    effect: "With N = 10 and `s_churn` 3 the first step begins at σ̂ = 1.16, where there is no level.")
  public static let noiseForData = Deviation(
    "noiseForData",
    "Inverted sigmas are those of the data; the step that draws all noise anew takes them for those of the noise, in "
      + "x̂0 = x − σ·v and in (1 − σ')·x̂0 + σ'·z.",
    place: "FlowMatchEuler with `stochastic_sampling` and FlowMatchLCM, `invert_sigmas`",
    effect: "The last step, at σ' = 1, makes noise alone.")
}
