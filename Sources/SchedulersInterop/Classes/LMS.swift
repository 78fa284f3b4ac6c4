import Schedulers

/// `LMSDiscreteScheduler`.
struct LMSDiscreteScheduler: TableClass {
  static let names = ["LMSDiscreteScheduler"]
  static let takes: Set<RunArguments.Key> = [.order]

  let origin: Origin
  private let exploding: Exploding
  private let output: Output

  init(_ o: inout OptionReader) {
    origin = o.origin
    let table = Betas(&o)
    var choices = SigmaChoices(&o)
    choices.karrasIgnoresEnds = true
    output = Output(&o)
    exploding = Exploding(origin: origin, table: table, choices: choices, spacing: Spacing(&o, "linspace"))
  }

  var table: Betas { exploding.table }

  func corrected(_ steps: Int, _ run: RunArguments) throws(ConfigurationError) -> Recipe {
    let (grid, prediction) = (try exploding.grid(steps), try output.prediction())
    return try origin.naming { try Recipe(LMS(order: run.order), over: grid, reading: prediction) }
  }

  func setting(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Setting {
    try exploding.setting(steps, in: torch)
  }

  /// Its steps are those of the method, on its own sigmas.
  func faithful(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> Recipe {
    try exploding.faithful(setting(steps, run, in: torch), reading: output.prediction()) {
      grid throws(ConfigurationError) in
      try origin.naming { try LMS(order: run.order).moves(over: grid) }
    }
  }

  func deviations(_ steps: Int, _ run: RunArguments, in torch: TorchArithmetic) throws(ConfigurationError) -> [Deviation] {
    try exploding.deviations(steps, setting(steps, run, in: torch), in: torch)
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { Euler() }
}

extension DiffusersConfiguration.Class {
  public static let lms = Self(LMSDiscreteScheduler.self)
}
