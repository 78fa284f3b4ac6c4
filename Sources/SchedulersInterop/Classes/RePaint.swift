import Schedulers

/// `RePaintScheduler`: DDIM's steps, and jumps back to noise, each drawn with the step before it.
struct RePaintScheduler: DiscreteClass {
  static let takes: Set<RunArguments.Key> = [.jumpLength, .resamplings]
  static let addsTimesteps = true

  /// A run's evaluations at most, about, lest arguments ask for more time and memory than there is.
  private static let largestRun = 100_000

  let table: Betas
  private let eta: Given<Double>
  let output: Output
  let spacing: Spacing? = Spacing(fixed: .leading)

  init(_ o: inout OptionReader) {
    table = Betas(&o, more: ["sigmoid": .sigmoid])
    eta = o.number("eta", 0)
    output = Output(epsilonWithClipping: &o)
  }

  /// The sampler with the file's eta and the arguments' jumps.
  private func rePaint(_ run: Run) throws -> RePaint {
    guard eta.value >= 0, eta.value <= 1 else { throw eta.refused("it must be in 0 ... 1") }
    for (key, value) in [(RunArguments.Key.jumpLength, run.jumpLength), (.resamplings, run.resamplings)] {
      try require((1...1000).contains(value), .argument(key.rawValue, Double(value), "it must be in 1 ... 1000"))
    }
    try require(
      run.steps * run.resamplings <= Self.largestRun,
      .argument(
        RunArguments.Key.resamplings.rawValue, Double(run.resamplings),
        "times the number of steps, \(run.steps), it must be at most \(Self.largestRun)"))
    return RePaint(eta: eta.value, jumpLength: run.jumpLength, resamplings: run.resamplings)
  }

  func sampler(_ run: Run) throws -> any Sampler { try rePaint(run) }

  func firstStep(ofCall call: Int, isFaithful: Bool) throws -> Int {
    let remedy = "leave it out; the jumps of a run are counted from its beginning"
    try require(call == 0, .argument(RunArguments.Key.begin.rawValue, Double(call), remedy))
    return 0
  }

  /// A jump follows the step from the timestep where the authors' begins, and has the betas that
  /// come after those of the way that it goes.
  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, sampler, steps) = (try Discrete(self, run), try rePaint(run), run.steps)
    let (tables, stride) = (discrete.tables, Int(discrete.stride))
    try require(
      !table.trained.isGiven, table.trained.refused("diffusers takes an array of NumPy alone; read it with .corrected"))
    var (moves, left): ([Move], [Int: Int]) = ([], [:])
    var index = steps
    while index > 0 {
      index -= 1
      var move = try step(Double(index * stride), discrete, step: moves.count)
      let jumps = left[index, default: sampler.resamplings - 1]
      if index.isMultiple(of: sampler.jumpLength), index < steps - sampler.jumpLength, jumps > 0 {
        left[index] = jumps - 1
        let end = index + sampler.jumpLength
        var (factor, variance) = (1.0, 0.0)
        for beta in tables.betas[index * stride..<end * stride] {
          factor *= Double(run.root(1 - beta))
          variance = variance * Double(1 - beta) + Double(beta)
        }
        let drawn = factor * move.next.noise
        move.next = factor * move.next + ((drawn * drawn + variance).squareRoot() - drawn) * .noise
        move.arrival = discrete.level(tables.alphaBars[(end - 1) * stride])
        index = end
      }
      moves.append(move)
    }
    return try recipe(moves, discrete, of: run)
  }

  /// A step of DDIM in float32, whose epsilon is what the network said, whether x̂0 was clipped or
  /// not.
  private func step(_ timestep: Double, _ discrete: Discrete, step: Int) throws -> Move {
    let bar = try discrete.divisor(timestep, step: step)
    let next = timestep < discrete.stride ? 1 : try discrete.alphaBar(timestep - discrete.stride, step: step)
    let point = discrete.point(timestep, bar)
    return try discrete.ddimMove(point, bar, to: next, epsilon: .output, eta: eta.value, step: step)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    guard !table.trained.isGiven else { return [] }
    let jumps = run.resamplings > 1 && run.steps > run.jumpLength
    let skips = try table.timesteps.count() / run.steps > 1
    return try timestepDeviations(run, setting.timesteps)
      + (clipping() == Clipping.none ? [] : [.epsilonBeforeClipping]) + (jumps ? [.lateJumps] : [])
      + (jumps && skips ? [.betasOfLaterSteps] : [])
  }
}

extension Deviation {
  public static let lateJumps = Deviation(
    "lateJumps",
    "A jump back begins where the step from its timestep leads, one step after the authors', and so at last at clean "
      + "data. It ends one step nearer to the data than theirs.", place: "RePaint, `jump_n_sample` above 1",
    effect:
      "With N = 10, `jump_length` 5 and the default betas the first jump leads from clean data, not from timestep 0, "
      + "back to timestep 400, not 500.")
  public static let betasOfLaterSteps = Deviation(
    "betasOfLaterSteps",
    "A jump back from t to t' multiplies by √(1 − β) and adds √β·z with the betas of the timesteps from t + T/N on, "
      + "which lead to t' + T/N − 1. The betas of the way are those above t up to t'.",
    place: "RePaint, `jump_n_sample` above 1 with fewer steps than timesteps",
    effect:
      "With N = 10, `jump_length` 2 and the default betas the first jump leads to a signal of 0.068, and the network "
      + "is told timestep 700, where it is 0.083.")
}
