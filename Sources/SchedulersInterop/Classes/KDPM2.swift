import Schedulers

/// `KDPM2DiscreteScheduler` and its ancestral form: to the middle of two logarithms, and with its
/// slope on.
protocol KDPM2Class: ExplodingClass { static var isAncestral: Bool { get } }

extension KDPM2Class {
  static var addsTimesteps: Bool { true }
  static var callsPerStep: Int { 2 }

  static func read(_ o: inout OptionReader) -> (Exploding, Output) {
    let (table, choices) = (Betas(&o, start: 0.00085, end: 0.012), SigmaChoices(&o))
    let exploding = Exploding(
      table: table, choices: choices, spacing: Spacing(&o, "linspace"), chosenFractions: .float64, roundsKarras: true)
    return (exploding, Output(&o, Output.epsilonOrV))
  }

  func sampler(_ run: Run) throws -> any Sampler { KDPM2(eta: Self.isAncestral ? 1 : 0) }

  func faithful(_ run: Run) throws -> Recipe {
    let logarithms = try table.tables(in: run.torch).sigmas.map(NumPy.log)
    return try recipe(run) { grid in
      try midpointMoves(grid) { i, interval, from, to in
        let (up, down) =
          Self.isAncestral
          ? try ancestralSigmas(from: from, to: to, at: i, timestep: interval.from.timestep, needsDown: true, run)
          : (0, to)
        let middle = Float(Math.exp((Math.log(Double(from)) + Math.log(Double(down))) / 2))
        let timestep = Double(Float(SigmaChoices.timestep(of: Double(middle), in: logarithms)))
        let point = SamplingGrid.Point(timestep: timestep, sigma: Double(middle))
        let (half, whole) = (Double(middle - from), Double(down - from))
        let second = LinearForm.made - half * .estimate(ago: 1) + whole * .estimate() + Double(up) * .noise
        return [
          Move(at: interval.from, to: point.level, estimate: .epsilon, next: .sample + half * .estimate()),
          Move(at: point, to: interval.to.level, estimate: .epsilon, next: second),
        ]
      }
    }
  }
}

struct KDPM2DiscreteScheduler: KDPM2Class {
  static let isAncestral = false

  let (exploding, output): (Exploding, Output)
  init(_ o: inout OptionReader) { (exploding, output) = Self.read(&o) }
}

struct KDPM2AncestralDiscreteScheduler: KDPM2Class {
  static let isAncestral = true

  let (exploding, output): (Exploding, Output)
  init(_ o: inout OptionReader) { (exploding, output) = Self.read(&o) }
}
