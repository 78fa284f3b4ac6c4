import Schedulers

/// `IPNDMScheduler`, whose network is told times between 0 and 1, and predicts v at the noise
/// sin(πt/2).
struct IPNDMScheduler: DiffusersClass {
  let trainingTimesteps: TrainingTimesteps
  private let trained: Given<[Double]?>

  init(_ o: inout OptionReader) { (trainingTimesteps, trained) = (TrainingTimesteps(&o), o.trainedBetas()) }

  var allowsAnySteps: Bool { true }

  /// diffusers' noises, that of the end last: sin²(πs/2) for s from 1 down to 0, or what the file
  /// gives.
  private func noises(_ steps: Int) throws -> [Float] {
    guard let given = trained.value else {
      return (Torch.linspace(1, 0, steps + 1).dropLast() + [0]).map { s in
        let sine = Float(Math.sin(Double(s * Float(Double.pi) / 2)))
        return sine * sine
      }
    }
    try require(
      given.count == steps + 1,
      trained.refused(given.count, "diffusers makes \(given.count - 1) steps of them; ask for as many"))
    let noises = given.map { Float($0) }
    for (t, noise) in noises.enumerated() where !(noise > 0 || noise == 0 && t == steps) || noise > 1 {
      throw Refusal.schedule(.beta(Double(noise), timestep: t), option: trained.name)
    }
    return noises
  }

  func setting(_ run: Run) throws -> Setting {
    Setting(
      timesteps: try noises(run.steps).dropLast().map { noise in
        let signal = run.root(1 - noise * noise)
        return Double(Float(Math.atan2(Double(noise), Double(signal))) / Float(Double.pi) * 2)
      })
  }

  func reading() throws -> any OutputReading { Prediction.v }

  func grid(_ run: Run) throws -> SamplingGrid {
    let (given, steps) = (try noises(run.steps), run.steps)
    return SamplingGrid(
      unchecked: (0...steps).map { i in
        let sine = Math.sin(Double.pi / 2 * Double(steps - i) / Double(steps))
        let noise = trained.isGiven ? Double(given[i]) : sine * sine
        let level = NoiseLevel(signal: ((1 - noise) * (1 + noise)).squareRoot(), noise: noise)
        let time = Math.atan2(level.noise, level.signal) / (Double.pi / 2)
        return SamplingGrid.Point(timestep: i == steps ? -1 : time, level: level)
      })
  }

  func sampler(_ run: Run) throws -> any Sampler { FixedMoves(moves: try moves(begunGrid(run), keepsSignal: true)) }

  func faithful(_ run: Run) throws -> Recipe {
    var setting = try setting(run)
    setting.sigmas = try noises(run.steps)
    try checkBegin(run, of: setting.timesteps.count)
    setting = setting.dropFirst(run.first)
    let grid = setting.grid { NoiseLevel(signal: Double(run.root(1 - $0 * $0)), noise: Double($0)) }
    return try recipe(moves(grid, keepsSignal: false), of: run, over: grid, reading: CircularV(isEpsilon: true))
  }

  /// The steps. For no signal diffusers takes 10⁻⁸, and the network says nothing of the data.
  private func moves(_ grid: SamplingGrid, keepsSignal: Bool) throws -> [Move] {
    var moves = try IPNDM().moves(over: grid)
    if grid.points[0].level.signal == 0 {
      let next = grid.points[1].level
      moves[0].next = (keepsSignal ? next.signal : 0) * .predicted + next.noise * .estimate()
    }
    return moves
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    [.float32Tables] + (try noises(run.steps)[0] == 1 ? [.firstOutputUnused] : [])
  }
}

extension Deviation {
  public static let firstOutputUnused = Deviation(
    "firstOutputUnused",
    "A run begins without signal, where x̂0 is all that the network can say. 10⁻⁸ is put for the signal, and 0 is "
      + "divided by it: x̂0 is 0, whatever the network says.", place: "IPNDM",
    effect:
      "The first call of the network is wasted, and the first step goes to x·noise' instead of signal'·x̂0 + x·noise'.")
}
