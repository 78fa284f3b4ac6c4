import Schedulers

/// `KDPM2DiscreteScheduler` and its ancestral form: from each sigma to the middle of two logarithms, and
/// with the slope there to the next.
struct KDPM2DiscreteScheduler {
  let origin: Origin
  let isAncestral: Bool
  let exploding: Exploding
  private let output: Output

  init(_ o: inout OptionReader, isAncestral: Bool) {
    (origin, self.isAncestral) = (o.origin, isAncestral)
    let table = Betas(&o, start: 0.00085, end: 0.012)
    let choices = SigmaChoices(&o)
    output = Output(&o, Output.epsilonOrV)
    exploding = Exploding(
      origin: origin, table: table, choices: choices, spacing: Spacing(&o, "linspace"), chosenFractions: .float64,
      roundsKarras: true)
  }

  func corrected(_ steps: Int) throws(ConfigurationError) -> Recipe {
    let (grid, prediction) = (try exploding.grid(steps), try output.prediction())
    return try origin.naming { try Recipe(KDPM2(eta: isAncestral ? 1 : 0), over: grid, reading: prediction) }
  }

  func faithful(_ setting: Setting, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    let logarithms = try exploding.table.tables(in: torch).sigmas.map(NumPy.log)
    return try exploding.faithful(setting, reading: output.prediction()) { grid throws(ConfigurationError) in
      try midpointMoves(grid) { i, interval, from, to throws(ConfigurationError) in
        var (up, down): (Float, Float) = (0, to)
        if isAncestral {
          let sigmas = try AncestralSigmas(
            from: from, to: to, at: i, timestep: interval.from.timestep, needsDown: true, origin, in: torch)
          (up, down) = (sigmas.up, sigmas.down)
        }
        let middle = Float(Math.exp((Math.log(Double(from)) + Math.log(Double(down))) / 2))
        let point = SamplingGrid.Point(
          timestep: Double(Float(SigmaChoices.timestep(of: Double(middle), in: logarithms))), sigma: Double(middle))
        let (half, whole) = (Double(middle - from), Double(down - from))
        return [
          Move(at: interval.from, to: point.level, estimate: .epsilon, next: .sample + half * .estimate()),
          Move(
            at: point, to: interval.to.level, estimate: .epsilon,
            next: .made - half * .estimate(ago: 1) + whole * .estimate() + Double(up) * .noise),
        ]
      }
    }
  }
}

/// What both classes are.
protocol KDPM2Class: TableClass {
  var scheduler: KDPM2DiscreteScheduler { get }
}

extension KDPM2Class {
  var origin: Origin { scheduler.origin }
  var table: Betas { scheduler.exploding.table }

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    try scheduler.corrected(steps)
  }

  func setting(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Setting {
    try scheduler.exploding.setting(steps, in: torch)
  }

  func timesteps(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Double] {
    try faithful(steps, run, in: torch).moves.map(\.query.timestep)
  }

  func faithful(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    try scheduler.faithful(setting(steps, run, in: torch), in: torch)
  }

  func deviations(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Deviation] {
    try scheduler.exploding.deviations(steps, setting(steps, run, in: torch), in: torch)
  }
}

private struct Plain: KDPM2Class {
  static let names = ["KDPM2DiscreteScheduler"]
  let scheduler: KDPM2DiscreteScheduler
  init(_ o: inout OptionReader) { scheduler = KDPM2DiscreteScheduler(&o, isAncestral: false) }
}

private struct Ancestral: KDPM2Class {
  static let names = ["KDPM2AncestralDiscreteScheduler"]
  let scheduler: KDPM2DiscreteScheduler
  init(_ o: inout OptionReader) { scheduler = KDPM2DiscreteScheduler(&o, isAncestral: true) }
}

extension DiffusersConfiguration.Class {
  public static let kdpm2Discrete = Self(Plain.self)
  public static let kdpm2AncestralDiscrete = Self(Ancestral.self)
}
