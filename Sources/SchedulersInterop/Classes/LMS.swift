import Schedulers

/// `LMSDiscreteScheduler`, whose steps are those of the method, on its own sigmas.
struct LMSDiscreteScheduler: ExplodingClass {
  static let takes: Set<RunArguments.Key> = [.order]

  let exploding: Exploding
  let output: Output

  init(_ o: inout OptionReader) {
    let (table, choices) = (Betas(&o), SigmaChoices(&o, karrasIgnoresEnds: true))
    output = Output(&o)
    exploding = Exploding(table: table, choices: choices, spacing: Spacing(&o, "linspace"))
  }

  func sampler(_ run: Run) throws -> any Sampler { LMS(order: run.order) }

  /// A late start has the coefficients of the whole run, of which only those count whose estimates
  /// are there.
  func faithful(_ run: Run) throws -> Recipe {
    let setting = try setting(run)
    let grid = SamplingGrid(
      unchecked: zip(setting.timesteps + [-1], setting.sigmas).map { .init(timestep: $0, sigma: Double($1)) })
    let moves = try LMS(order: run.order).moves(over: grid).dropFirst(run.first)
    return try recipe(run) { _ in
      moves.enumerated().map { i, move in
        var move = move
        move.next = move.next.forgetting(estimatesFrom: i + 1)
        return move
      }
    }
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { Euler() }
}
