import Schedulers

/// On the times that `FlowMatchEulerDiscreteScheduler` makes of the same file.
struct LTXEulerAncestralRFScheduler: FlowMatchClass {
  static let takes: Set<RunArguments.Key> = [.timesteps, .sigmas]
  static let holdingEnd = takes

  let times: FlowTimes
  private let eta: Given<Double>
  private let noise: Given<Double>

  init(_ o: inout OptionReader) {
    _ = TrainingTimesteps(&o)
    (eta, noise) = (o.number("eta", 1), o.number("s_noise", 1))
    // The options of the other class are kept in the file, and passed on to it.
    times = o.undeclared { FlowTimes(&$0, choicesAreOptional: false) }
  }

  /// Given times are taken as they are. At the last, where the run ends, the network is asked too,
  /// and the sample stays.
  func setting(_ run: Run) throws -> Setting {
    guard let given = try given(run) else { return try times.setting(run) }
    let (sigmas, total) = (given.map { Float($0) }, Float(try times.timesteps.count()))
    return Setting(timesteps: sigmas.map { Double($0 * total) }, sigmas: sigmas + sigmas.suffix(1))
  }

  func grid(_ run: Run) throws -> SamplingGrid {
    guard let given = try given(run) else { return try times.grid(run) }
    let total = Double(try times.timesteps.count())
    let points = given.map { SamplingGrid.Point(timestep: $0 * total, level: NoiseLevel(signal: 1 - $0, noise: $0)) }
    return SamplingGrid(unchecked: points + [.init(timestep: -1, level: points[points.count - 1].level)])
  }

  /// The class takes timesteps for sigmas.
  private func given(_ run: Run) throws -> [Double]? {
    var arguments = run.arguments
    arguments.sigmas = arguments.sigmas ?? arguments.timesteps
    return try arguments.flowSigmas()
  }

  private func checkedEta() throws -> Double {
    try require(eta.value >= 0 && eta.value <= 1, eta.refused("it must be in 0 ... 1"))
    return eta.value
  }

  func noiseFactor(_ run: Run) throws -> Double {
    let isAllowed = noise.value >= 0 && noise.value <= Double(Float.greatestFiniteMagnitude)
    try require(isAllowed, noise.refused("it must be 0 or more and finite"))
    return noise.value
  }

  func sampler(_ run: Run) throws -> any Sampler {
    let (sampler, grid) = (EulerAncestralRF(eta: try checkedEta()), try begunGrid(run))
    guard run.hasGivenTimes else { return sampler }
    let (moved, last) = (SamplingGrid(unchecked: Array(grid.points.dropLast())), grid.points[grid.steps - 1])
    return FixedMoves(
      moves: try sampler.moves(over: moved) + [Move(at: last, to: last.level, estimate: .x0, next: .sample)])
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (setting, eta, noise) = (try begun(run), Float(try checkedEta()), try noiseFactor(run))
    let moves = setting.timesteps.indices.map { i -> Move in
      let (from, to) = (setting.sigmas[i], setting.sigmas[i + 1])
      let point = SamplingGrid.Point(timestep: setting.timesteps[i], level: times.level(from))
      if run.hasGivenTimes, i + 1 == setting.timesteps.count {
        return Move(at: point, to: point.level, estimate: .x0, next: .sample)
      }
      let down = to * (1 + (to / from - 1) * eta)
      let (kept, keptDown, ratio) = (1 - to, 1 - down, down / from)
      let denoised = LinearForm.sample - Double(from) * .output
      var next = to < 1e-8 ? denoised : Double(ratio) * .sample + Double(1 - ratio) * denoised
      if to >= 1e-8, eta > 0, noise > 0 {
        let variance = to * to - down * down * (kept * kept) / (keptDown * keptDown + 1e-12)
        next = Double(kept / (keptDown + 1e-12)) * next + noise * Double(run.root(max(variance, 0))) * .noise
      }
      return Move(at: point, to: times.level(to), estimate: .x0, next: next)
    }
    return try recipe(moves, of: run)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] { times.deviations(run, setting) }
}
