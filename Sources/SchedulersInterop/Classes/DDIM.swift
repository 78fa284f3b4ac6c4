import Schedulers

struct DDIMScheduler: DiscreteClass {
  static let names = ["DDIMScheduler", "DDIMParallelScheduler"]
  static let takes: Set<RunArguments.Key> = [.eta, .usesClippedModelOutput]

  let table: Betas
  private let endsClean: Given<Bool>
  let output: Output
  let spacing: Spacing?

  init(_ o: inout OptionReader) {
    table = Betas(&o, canRescale: true)
    endsClean = o.boolean("set_alpha_to_one", true)
    output = Output(&o, clips: true, thresholds: true)
    spacing = Spacing(&o, "leading")
  }

  var endsAtLeastNoise: Bool { !endsClean.value }
  func sampler(_ run: Run) throws -> any Sampler { DDIM(eta: run.eta ?? Self.usualEta) }
  func drawsAlways(_ run: Run) -> Bool { (run.eta ?? Self.usualEta) > 0 }

  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, eta) = (try Discrete(self, run), try Discrete.checked(run.eta ?? Self.usualEta, of: "DDIM"))
    let moves = try begun(run).timesteps.enumerated().map { i, timestep in
      let (bar, next) = (try discrete.divisor(timestep, step: i), timestep - discrete.stride)
      let nextBar =
        next >= 0 ? try discrete.alphaBar(next, step: i) : endsClean.value ? 1 : discrete.tables.alphaBars[0]
      let from = discrete.point(timestep, bar)
      let x0: LinearForm = run.usesClippedModelOutput ? .estimate() : .predicted
      let epsilon = (LinearForm.sample - from.level.signal * x0) / from.level.noise
      return try discrete.ddimMove(from, bar, to: nextBar, epsilon: epsilon, eta: eta, step: i)
    }
    return try recipe(moves, discrete, of: run)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try timestepDeviations(run, setting.timesteps) + strideDeviations(run, setting.timesteps)
      + ((try? clipping()) == Clipping.none ? [] : [.epsilonBeforeClipping])
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? {
    DDIM(eta: run.eta ?? Self.usualEta, rederivesEpsilon: fidelity == .corrected || run.usesClippedModelOutput)
  }
}

/// `DDIMInverseScheduler`, from data to noise.
struct DDIMInverseScheduler: DiscreteClass {
  let table: Betas
  private let startsClean: Bool
  let output: Output
  let spacing: Spacing?

  init(_ o: inout OptionReader) {
    table = Betas(&o, canRescale: true)
    let isOne = o.boolean("set_alpha_to_one", true)
    // Its older name, which goes before it.
    startsClean = o.booleanOrNull("set_alpha_to_zero").value ?? isOne.value
    output = Output(&o, clips: true)
    spacing = Spacing(&o, "leading", kinds: ["leading": .leading, "trailing": .trailing])
  }

  var endsAtLeastNoise: Bool { !startsClean }
  func sampler(_ run: Run) throws -> any Sampler { DDIMInversion() }

  func setting(_ run: Run) throws -> Setting {
    Setting(timesteps: try spacing!.timesteps(run.steps, of: table.timesteps.count()).reversed())
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, prediction) = (try Discrete(self, run), try prediction())
    let bars = discrete.tables.alphaBars
    var start: NoiseLevel?
    let moves = try begun(run).timesteps.enumerated().map { i, timestep in
      let current = min(timestep - discrete.stride, Double(bars.count - 1))
      let bar = current >= 0 ? try discrete.alphaBar(current, step: i) : startsClean ? 1 : bars[0]
      let next = discrete.level(try discrete.alphaBar(timestep, step: i))
      try discrete.checkSignal(bar, timestep: timestep, step: i)
      try require(
        bar < 1 || prediction != .x0, step: i, timestep: timestep,
        "there is no noise, and diffusers divides by it; use set_alpha_to_one false, or another prediction_type")
      start = start ?? discrete.unitLevel(bar)
      let from = discrete.point(timestep, bar)
      // Without noise epsilon and v are one, and x̂0 says nothing of them.
      let epsilon = from.level.noise == 0 ? .output : (.sample - from.level.signal * .predicted) / from.level.noise
      return Move(at: from, to: next, estimate: .x0, next: next.signal * .estimate() + next.noise * epsilon)
    }
    return try recipe(moves, discrete, of: run, start: start)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try timestepDeviations(run, setting.timesteps.reversed()) + [.stridedInverse]
  }
}

extension Deviation {
  public static let stridedInverse = Deviation(
    "stridedInverse",
    "The sample at t − ⌊T/N⌋ is given to the network with timestep t, that of the sample that the step makes. The "
      + "first step takes clean data for a sample of negative timestep.", place: "DDIM inverse",
    effect: "With N = 10 a perfect network turns the datum 0.3 into 0.173 instead of data at the last level.",
    issue: 10695)
}
