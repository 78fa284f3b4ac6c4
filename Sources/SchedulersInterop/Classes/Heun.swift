import Schedulers

struct HeunDiscreteScheduler: ExplodingClass {
  static let takes: Set<RunArguments.Key> = [.timesteps]
  static let asksTwice = true
  static let callsPerStep = 2

  let exploding: Exploding
  var output: Output

  init(_ o: inout OptionReader) {
    let table = Betas(&o, start: 0.00085, end: 0.012, more: ["exp": .alphaBar(.exponential)])
    output = Output(&o)
    let choices = SigmaChoices(&o)
    output.readClipping(&o, false)
    exploding = Exploding(table: table, choices: choices, spacing: Spacing(&o, "linspace"))
  }

  func sampler(_ run: Run) throws -> any Sampler { Heun() }
  func timesteps(_ run: Run) throws -> [Double] { try begun(run).heunTimesteps }

  /// Second evaluations go back to where the step began: to the sample as made, less the first
  /// slope.
  func faithful(_ run: Run) throws -> Recipe {
    try recipe(run) { grid in
      grid.intervals.flatMap { from, to -> [Move] in
        var step = Heun.step(from: from, to: to)
        if step.count == 2 { step[1].next = step[1].next.fromMade() }
        return step
      }
    }
  }
}

extension Setting {
  /// The timesteps of a method that asks twice at each point but the first.
  var heunTimesteps: [Double] { Array(timesteps.prefix(1)) + timesteps.dropFirst().flatMap { [$0, $0] } }
}
