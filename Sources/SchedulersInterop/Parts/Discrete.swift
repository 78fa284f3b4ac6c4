import Schedulers

/// What the classes share that go by the timesteps of a table of ᾱ, in diffusers' float32.
struct Discrete {
  let tables: DiffusersConfiguration.Tables
  /// ⌊T/N⌋.
  let stride: Double
  let clipping: Clipping
  /// Whether epsilon is predicted, of which x̂0 is infinite where there is no signal.
  private let predictsEpsilon: Bool

  /// - Parameter tables: those of the class, if they are made already.
  init(_ room: some DiscreteClass, _ run: Run, tables: DiffusersConfiguration.Tables? = nil) throws {
    clipping = try room.clipping()
    predictsEpsilon = try room.prediction() == .epsilon
    self.tables = try tables ?? room.table.tables(in: run.torch)
    stride = Double(self.tables.betas.count / run.steps)
  }

  private func root(_ x: Float) -> Float { tables.torch.root(x) }

  /// ᾱ of a timestep as Python indexes it: −1 is the last.
  func alphaBar(_ timestep: Double, step: Int) throws -> Float {
    let count = Double(tables.alphaBars.count)
    try require(
      timestep >= -count && timestep < count, step: step, timestep: timestep,
      "the timestep is outside 0 ... \(tables.alphaBars.count - 1); lower steps_offset or the number of steps")
    let bar = tables.alphaBars[Int(timestep < 0 ? timestep + count : timestep)]
    try require(
      !bar.isNaN, step: step, timestep: timestep,
      "diffusers divides 0 by 0 where the rescaled betas leave no signal; use smaller betas")
    return bar
  }

  /// The level of a sample that is read.
  ///
  /// Where there is no signal, 2⁻¹⁰⁰ of it gives what clipping makes of diffusers' infinite x̂0.
  func level(_ alphaBar: Float) -> NoiseLevel {
    NoiseLevel(signal: max(Double(root(alphaBar)), 0x1p-100), noise: Double(root(1 - alphaBar)))
  }

  /// The level without float32's rounding of the roots, whose variance is 1.
  func unitLevel(_ alphaBar: Float) -> NoiseLevel {
    NoiseLevel(signal: Double(alphaBar).squareRoot(), noise: (1 - Double(alphaBar)).squareRoot())
  }

  func point(_ timestep: Double, _ alphaBar: Float) -> SamplingGrid.Point {
    SamplingGrid.Point(timestep: timestep, level: level(alphaBar))
  }

  /// Throws where x̂0 is infinite in diffusers and nothing brings it back.
  func checkSignal(_ alphaBar: Float, timestep: Double, step: Int) throws {
    guard alphaBar == 0, predictsEpsilon else { return }
    if case .range = clipping { return }
    throw Refusal.notFinite(
      step: step, timestep: timestep,
      "there is no signal, and diffusers divides by it; use v_prediction or sample, or clip_sample")
  }

  /// Throws where diffusers divides by the signal or the noise of a sample, and there is none.
  func check(_ alphaBar: Float, timestep: Double, step: Int) throws {
    try checkSignal(alphaBar, timestep: timestep, step: step)
    let reason = "there is no noise, and diffusers divides by it; use larger betas"
    try require(alphaBar < 1, step: step, timestep: timestep, reason)
  }

  /// ᾱ of a timestep that is checked so.
  func divisor(_ timestep: Double, step: Int) throws -> Float {
    let bar = try alphaBar(timestep, step: step)
    try check(bar, timestep: timestep, step: step)
    return bar
  }

  /// A step of DDIM whose factors are made in float32: 1 − ᾱ' − σ² cancels at eta near 1 and small
  /// ᾱ.
  func ddimMove(
    _ from: SamplingGrid.Point, _ bar: Float, to nextBar: Float, epsilon: LinearForm, eta: Double, step: Int
  ) throws -> Move {
    // NaN for every eta where there is no signal before and after.
    let deviation = Float(eta) * root((1 - nextBar) / (1 - bar) * (1 - bar / nextBar))
    let direction = root(1 - nextBar - deviation * deviation)
    try require(
      direction.isFinite, step: step, timestep: from.timestep,
      "the noise is more than the step leaves, and diffusers takes the root of a negative number; use a smaller eta")
    return Move(
      at: from, to: level(nextBar), estimate: .x0,
      next: Double(root(nextBar)) * .estimate() + Double(direction) * epsilon + Double(deviation) * .noise)
  }

  /// eta, if it is one of a method's.
  static func checked(_ eta: Double, of method: String) throws -> Double {
    guard eta >= 0, eta <= 1 else { throw PlanError.option("eta", eta, of: method, allowed: "0 ... 1") }
    return eta
  }
}

/// A class that goes by the timesteps of a table.
protocol DiscreteClass: TableClass {
  /// How it chooses them; nil for those that a network was distilled at.
  var spacing: Spacing? { get }
  var output: Output { get }
  /// Whether the run ends at timestep 0 instead of clean data.
  var endsAtLeastNoise: Bool { get }
}

extension DiscreteClass {
  static var looksForStart: Bool { false }
  var endsAtLeastNoise: Bool { false }
  func prediction() throws -> Prediction { try output.prediction() }
  func reading() throws -> any OutputReading { try prediction() }
  func clipping() throws -> Clipping { try output.clipping() }

  func grid(_ run: Run) throws -> SamplingGrid {
    let (schedule, spacing) = (try table.schedule(), spacing!)
    return try spacing.naming {
      let grid =
        try run.arguments.timesteps(of: schedule.timesteps).map {
          try SamplingGrid(schedule, timesteps: $0.map { Int($0) })
        }
        ?? SamplingGrid(schedule, steps: run.steps, spacing: spacing.exact())
      return try ended(grid, atLeastNoise: endsAtLeastNoise, schedule)
    }
  }

  func setting(_ run: Run) throws -> Setting {
    let total = try table.timesteps.count()
    return Setting(
      timesteps: try run.arguments.timesteps(of: total) ?? spacing!.timesteps(run.steps, of: total))
  }

  func recipe(_ moves: [Move], _ discrete: Discrete, of run: Run, start: NoiseLevel? = nil) throws -> Recipe {
    let first = try discrete.alphaBar(moves[0].query.timestep, step: 0)
    return try recipe(moves, of: run, start: start ?? discrete.unitLevel(first))
  }

  func timestepDeviations(_ run: Run, _ timesteps: [Double]) throws -> [Deviation] {
    let total = try table.tables(in: run.torch).betas.count
    var found: [Deviation] = [.float32Tables]
    if let spacing, run.timesteps == nil {
      found += try spacing.deviations(run.steps, of: total, timesteps: timesteps, fractions: .rounded)
      if run.steps == 1, try spacing.kind() == .linspace, total > 1 { found.append(.oneStepFromTheEnd) }
    }
    if timesteps.contains(where: { $0 >= Double(total) }) { found.append(.timestepPastTheEnd) }
    if table.isRescaled, (try? prediction()) == .epsilon, timesteps.contains(Double(total - 1)) {
      found.append(.infiniteX0)
    }
    return found
  }

  /// Those of a step that goes to t − ⌊T/N⌋.
  func strideDeviations(_ run: Run, _ timesteps: [Double]) throws -> [Deviation] {
    let (stride, end) = (Double(try table.timesteps.count() / run.steps), endsAtLeastNoise ? 0.0 : -1)
    let isOff = zip(timesteps, timesteps.dropFirst() + [end]).contains { max($0 - stride, end) != $1 }
    return (isOff ? [.stridedPrevious] : []) + (endsAtLeastNoise && timesteps.last == 0 ? [.idleLastStep] : [])
  }
}

/// The last point of a grid at the level of timestep 0, unless the run has been there already.
func ended(_ grid: SamplingGrid, atLeastNoise endsThere: Bool, _ schedule: NoiseSchedule) throws -> SamplingGrid {
  let (points, level) = (grid.points, schedule[0])
  // The same sigma through another spacing is off by its rounding.
  guard endsThere, points.count > 1, points[points.count - 2].level.sigma > level.sigma * (1 + 0x1p-40) else {
    return grid
  }
  let end = SamplingGrid.Point(timestep: 0, level: level)
  return try SamplingGrid(points: points.dropLast() + [end], schedule: schedule)
}

extension Deviation {
  public static let stridedPrevious = Deviation(
    "stridedPrevious",
    "The step goes from t to t − ⌊T/N⌋, whatever the next timestep is. The next call then tells the network a timestep "
      + "that is not that of the sample.",
    place: "DDIM and PNDM, `timestep_spacing: linspace` (998 of N = 1 ... 1000) and `trailing` (984, by one)",
    effect: "With linspace and N = 4 the steps lead to 749, 416, 83 where the network is told 666, 333, 0.",
    issue: 11347)
  public static let idleLastStep = Deviation(
    "idleLastStep",
    "The least sigma of the schedule is both the last of the spacing and the end, so that the last step goes nowhere "
      + "and what the network says is of no use. A run that has been at the least sigma goes to clean data.",
    place:
      "DEIS and SA-Solver, Euler, EDM, DPM-Solver and UniPC with `final_sigmas_type: sigma_min`, DDIM and PNDM with "
      + "`set_alpha_to_one: false`, where the last timestep is 0 or the last sigma of `use_karras_sigmas` or "
      + "another spacing is the schedule's least", effect: "The last call of the network is wasted.")
  public static let epsilonBeforeClipping = Deviation(
    "epsilonBeforeClipping",
    "x̂0 is clipped, and epsilon kept from before: the two no longer make up the sample. guided-diffusion makes "
      + "epsilon again from the clipped x̂0, as `use_clipped_model_output` does.",
    place: "DDIM with `clip_sample` or `thresholding`, unless `use_clipped_model_output`; RePaint with `clip_sample`",
    effect: "Every step that clips is different, by the part that was clipped.")
}
