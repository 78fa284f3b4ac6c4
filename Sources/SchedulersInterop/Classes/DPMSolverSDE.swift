import Schedulers

/// `DPMSolverSDEScheduler`: to the middle of two logarithms, then with that x̂0 the whole step, in
/// float32.
struct DPMSolverSDEScheduler: ExplodingClass {
  static let mixesNoise = true
  static let addsTimesteps = true
  static let callsPerStep = 2

  let exploding: Exploding
  let output: Output
  /// That of the noise, which is not the plan's: `TorchSDENoise` draws it.
  private let seed: Given<Int?>

  init(_ o: inout OptionReader) {
    let table = Betas(&o, start: 0.00085, end: 0.012)
    output = Output(&o, Output.epsilonOrV)
    let choices = SigmaChoices(&o, karrasIgnoresEnds: true)
    seed = o.integerOrNull("noise_sampler_seed")
    exploding = Exploding(
      table: table, choices: choices, spacing: Spacing(&o, "linspace"), fractions: .float64, chosenFractions: .float64)
  }

  var ignoredKeys: [String] { seed.value == nil ? [] : [seed.name] }
  func sampler(_ run: Run) throws -> any Sampler { DPMSolverPlusPlusSDE() }
  func noiseFactor(_ run: Run) throws -> Double { run.churnNoise }

  /// The noise of a whole step is that of a Brownian path, which has drawn its first part on the
  /// way to the middle; that is read off the sample there, so that a plan's noise is always fresh.
  func faithful(_ run: Run) throws -> Recipe {
    let logarithms = try table.tables(in: run.torch).sigmas.map(NumPy.log)
    let noise = run.churnNoise
    return try recipe(run) { grid in
      try midpointMoves(grid) { i, interval, from, to in
        let (start, end) = (-Step.log(from), -Step.log(to))
        let middle = start + (end - start) / 2
        let (half, whole) = (Step(from: start, to: middle, run), Step(from: start, to: end, run))
        try require(
          half.sigma > 0 && half.sigma.isFinite, step: i, timestep: interval.from.timestep,
          "the sigma in its middle is \(half.sigma) in float32; use smaller sigmas")
        let (a, m, b) = (Double(from), Double(half.sigma), Double(to))
        var second = whole.drift(.estimate(), sample: .sample(ago: 1))
        if run.torch.drawsWholeSteps || half.up == 0 {
          second = second + noise * whole.up * .noise
        } else {
          let drawn = (LinearForm.made - half.drift(.estimate(ago: 1), sample: .sample(ago: 1))) / half.up
          let (share, rest) = (((a - m) / (a - b)).squareRoot(), ((m - b) / (a - b)).squareRoot())
          second = second + whole.up * (share * drawn + rest * noise * .noise)
        }
        // Of the sigmas in Double this is not, by half a unit of float32.
        let timestep = SigmaChoices.timestep(of: (a * b).squareRoot(), in: logarithms)
        let point = SamplingGrid.Point(timestep: timestep, sigma: m)
        let first = half.drift(.estimate(), sample: .sample) + noise * half.up * .noise
        return [
          Move(at: interval.from, to: point.level, estimate: .x0, next: first),
          Move(at: point, to: interval.to.level, estimate: .x0, next: second),
        ]
      }
    }
  }

  /// A step between two −ln σ: what is left of the sample and of x̂0 at σ_down, and the noise up to
  /// σ.
  private struct Step {
    let (sigma, up): (Float, Double)
    let (kept, taken): (Double, Double)

    init(from start: Float, to end: Float, _ run: Run) {
      let (from, to) = (Self.exp(-start), Self.exp(-end))
      let up = min(to, run.root(to * to * (from * from - to * to) / (from * from)))
      let lower = -Self.log(run.root(to * to - up * up))
      (sigma, self.up) = (to, Double(up))
      (kept, taken) = (Double(Self.exp(-lower) / from), -Math.expm1(Double(start - lower)))
    }

    func drift(_ denoised: LinearForm, sample: LinearForm) -> LinearForm { kept * sample + taken * denoised }
    static func log(_ x: Float) -> Float { Float(Math.log(Double(x))) }
    private static func exp(_ x: Float) -> Float { Float(Math.exp(Double(x))) }
  }
}
