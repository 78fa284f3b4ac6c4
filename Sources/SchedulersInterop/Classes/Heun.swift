import Schedulers

/// `HeunDiscreteScheduler`.
struct HeunDiscreteScheduler: TableClass {
  static let names = ["HeunDiscreteScheduler"]
  static let asksTwice = true

  let origin: Origin
  private let exploding: Exploding
  private let output: Output

  init(_ o: inout OptionReader) {
    origin = o.origin
    let table = Betas(
      &o, start: 0.00085, end: 0.012,
      formulas: [
        "linear": .linear, "scaled_linear": .scaledLinear, "squaredcos_cap_v2": .alphaBar(.cosine),
        "exp": .alphaBar(.exponential),
      ])
    var output = Output(&o)
    let choices = SigmaChoices(&o)
    output.readClipping(&o, false)
    self.output = output
    exploding = Exploding(origin: origin, table: table, choices: choices, spacing: Spacing(&o, "linspace"))
  }

  var table: Betas { exploding.table }

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    let grid = try exploding.grid(steps)
    return try origin.naming {
      try Recipe(Heun(), over: grid, reading: output.prediction(), clipping: output.clipping())
    }
  }

  func setting(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Setting {
    try exploding.setting(steps, in: torch)
  }

  func timesteps(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Double] {
    try setting(steps, run, in: torch).heunTimesteps
  }

  /// The second evaluations go back to where the step began: to the sample as it was made, less the
  /// first slope.
  func faithful(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    try exploding.faithful(
      setting(steps, run, in: torch), reading: output.prediction(), clipping: output.clipping(), isHeun: true
    ) { grid in
      grid.intervals.flatMap { from, to -> [Move] in
        var step = Heun.step(from: from, to: to)
        if step.count == 2 { step[1].next = step[1].next.fromMade }
        return step
      }
    }
  }

  func deviations(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Deviation] {
    try exploding.deviations(steps, setting(steps, run, in: torch), in: torch)
  }
}

extension Setting {
  /// The timesteps of a method that asks twice at each point but the first.
  var heunTimesteps: [Double] { Array(timesteps.prefix(1)) + timesteps.dropFirst().flatMap { [$0, $0] } }
}

extension DiffusersConfiguration.Class {
  public static let heunDiscrete = Self(HeunDiscreteScheduler.self)
}
