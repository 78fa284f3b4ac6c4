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
  func faithful(_ run: Run) throws -> Recipe { try recipe(run) { try LMS(order: run.order).moves(over: $0) } }
  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { Euler() }
}
