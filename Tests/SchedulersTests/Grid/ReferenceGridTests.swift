import SchedulersFixtures
import Testing

@testable import Schedulers

/// The spacings against other libraries' and against 50-digit arithmetic:
/// `Fixtures/recipes/grids.py` says how they were made.
@Suite struct ReferenceGridTests {
  private static let file = Result { try Safetensors("grids.safetensors") }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)
  private static let steps = [2, 3, 7, 10, 30]
  private static let betaSteps = [1, 2, 3, 7, 10, 30, 50]

  /// The sigmas of a spacing between those of the fixtures.
  private func sigmas(_ spacing: SigmaSpacing, _ steps: Int) -> [Double] {
    spacing.sigmas(count: steps, from: DoubleDouble(14), to: DoubleDouble(0.03)).map(\.rounded)
  }

  private func compare(_ sigmas: [Double], with name: String, units: Double) throws {
    let expected = try Self.file.get().doubles(name)
    #expect(sigmas.count == expected.count)
    var worst = WorstRatio()
    for (i, (a, b)) in zip(sigmas, expected).enumerated() {
      worst.compare(a, with: b, within: units * unit * b, at: "\(name)[\(i)]")
    }
    worst.expectWithin()
  }

  @Test(arguments: ["0.6/0.6", "0.1/0.1", "0.1/10", "10/0.1", "10/10", "1/1", "0.5/3", "2.5/0.7"])
  func `quantiles of beta distributions have the digits that their condition leaves`(name: String) throws {
    let rows = try Self.file.get().doubles("quantiles/\(name)")
    let parameters = name.split(separator: "/").compactMap { Double($0) }
    let distribution = BetaDistribution(alpha: parameters[0], beta: parameters[1])
    // Each term of the sum has four roundings more than the one before, and after twenty they
    // hardly count, with parameters up to 10: 80 units in the value, and as many in the whole that
    // it is compared with. 256 leave room for the powers.
    var worst = WorstRatio()
    for row in stride(from: 0, to: rows.count, by: 4) {
      let (p, x, rest, elasticity) = (rows[row], rows[row + 1], rows[row + 2], rows[row + 3])
      let found = distribution.quantile(p, complement: 1 - p)
      let tolerance = 256 * unit * (1 + 1 / elasticity) * min(x, rest)
      worst.compare(found.x, with: x, within: max(tolerance, unit * x), at: "x at \(p)")
      worst.compare(found.rest, with: rest, within: max(tolerance, unit * rest), at: "1 − x at \(p)")
    }
    worst.expectWithin()
  }

  @Test(arguments: betaSteps.map { ("0.6/0.6", $0) } + betaSteps.prefix(5).map { ("0.5/3", $0) })
  func `beta spacing lies at the quantiles of a beta distribution over the timesteps`(name: String, steps: Int) throws {
    let parameters = name.split(separator: "/").compactMap { Double($0) }
    let spacing = TimestepSpacing.beta(alpha: parameters[0], beta: parameters[1])
    let expected = try Self.file.get().integers("beta/\(name)/\(steps)")
    #expect(try spacing.timesteps(steps: steps, of: 1000) == expected)
    Comparisons.count(steps)
  }

  @Test(arguments: [1, 50, 1000, 4000]) func `beta spacing has as many timesteps as are asked for, each once`(
    total: Int
  ) throws {
    let distribution = BetaDistribution(alpha: 0.6, beta: 0.6)
    for steps in [1, 2, 3, 7, 61, 300, 999, 1000, 4000] where steps <= total {
      let timesteps = try TimestepSpacing.beta().timesteps(steps: steps, of: total)
      #expect(timesteps.count == steps && timesteps[0] == total - 1 && timesteps.last! >= 0)
      #expect(zip(timesteps, timesteps.dropFirst()).allSatisfy { $0 > $1 })
      #expect(steps < 2 || timesteps.last == 0)
      // Where the quantiles are two timesteps apart, each is at its own.
      let quantiles = distribution.spaced(steps).map { Double(total - 1) * $0.x }
      for i in 1..<max(steps - 1, 1)
      where quantiles[i - 1] - quantiles[i] > 2 && timesteps[i - 1] >= Int(quantiles[i - 1]) {
        #expect(abs(Double(timesteps[i]) - quantiles[i]) <= 0.5)
      }
    }
  }

  // 24 units on either side, and the reference's ln σ of up to 3.5 with five roundings.
  @Test(arguments: steps) func `polyexponential spacing is that of k-diffusion`(steps: Int) throws {
    for rho in [0.5, 1, 3] {
      try compare(sigmas(.polyexponential(rho: rho), steps), with: "polyexponential/\(rho.plain)/\(steps)", units: 48)
    }
    #expect(
      zip(sigmas(.polyexponential(), steps), sigmas(.exponential, steps)).allSatisfy {
        isClose($0, $1, relative: 24 * unit)
      })
  }

  // diffusers' sigmas come from cumulative products in Double, whose error T·2⁻⁵³ is divided by 1 −
  // ᾱ, 8.5e-4 at the small end.
  @Test(arguments: steps) func `Lu's lambdas are exponential spacing`(steps: Int) throws {
    let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .exponential)
    try compare(grid.points.dropLast().map(\.level.sigma), with: "lu/\(steps)", units: 1000 / 8.5e-4)
  }

  // 24 units on either side of a power of a share, which has as many digits as 1 − share.
  @Test(arguments: steps) func `laplace spacing has equal shares of its distribution`(steps: Int) throws {
    for (mu, scale, name) in [(0.0, 0.5, "0/0.5"), (-0.5, 1.25, "-0.5/1.25")] {
      try compare(sigmas(.laplace(mu: mu, scale: scale), steps), with: "laplace/\(name)/\(steps)", units: 24)
    }
  }

  // The quantiles are within 2⁻⁴⁸, and ln(t/(1 − t)) twice that.
  @Test(arguments: steps) func `logit-normal times are quantiles of their distribution`(steps: Int) throws {
    for (mean, deviation, name) in [(0.0, 1.75, "0/1.75"), (0.5, 1, "0.5/1")] {
      let spacing = FlowSpacing(times: .logitNormal(mean: mean, deviation: deviation))
      let grid = try SamplingGrid(flow: spacing, steps: steps)
      try compare(
        grid.points.dropLast().map(\.level.noise), with: "logit-normal/\(name)/\(steps)", units: 0x1p-46 / unit)
    }
  }

  @Test(
    arguments: zip(AlignYourSteps.allCases.prefix(3), ["StableDiffusion", "StableDiffusionXL", "StableDiffusionVideo"]))
  func `aligned steps are the published ones, and between them the interpolated`(family: AlignYourSteps, name: String)
    throws
  {
    let table = "ays/\(name)Sigmas"
    #expect(try family.sigmas(steps: 10) == Self.file.get().doubles(table))
    for steps in [1, 4, 7, 25] { try compare(family.sigmas(steps: steps), with: "\(table)/\(steps)", units: 48) }
    #expect(throws: GridError.parameter("the number of steps", 0, allowed: "1 or more")) { try family.sigmas(steps: 0) }
  }

  @Test func `a grid of aligned steps has their sigmas and ends in clean data`() throws {
    let grid = try SamplingGrid(Self.schedule, steps: 10, alignedFor: .stableDiffusion)
    let sigmas = try AlignYourSteps.stableDiffusion.sigmas(steps: 10)
    #expect(zip(grid.points, sigmas).allSatisfy { isClose($0.level.sigma, $1, relative: 4 * unit) })
    #expect(grid.points.last == .clean && grid.steps == 10)
    // The paper's timesteps for these sigmas, which it rounds: 999, 850, 736, ...
    #expect(grid.points.prefix(3).map { $0.timestep.rounded() } == [999, 850, 736])
    for steps in [0, 1001] {
      #expect(throws: GridError.steps(steps, timesteps: 1000)) {
        try SamplingGrid(Self.schedule, steps: steps, alignedFor: .stableDiffusion)
      }
    }
  }

  @Test(arguments: [
    ("linspace/0", TimestepSpacing.linspace), ("leading/0", .leading()), ("leading/1", .leading(offset: 1)),
  ])
  func `one timestep more, without the last, is what diffusers chooses for DPM-Solver`(
    name: String, base: TimestepSpacing
  ) throws {
    let golden = try Safetensors("solver-timesteps.safetensors")
    var rest = try golden.integers("\(name).timesteps")[...]
    for steps in try golden.integers("steps") {
      let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .oneMore(base))
      #expect(grid.points.dropLast().map(\.timestep) == rest.prefix(steps).map(Double.init), "\(steps) steps")
      rest = rest.dropFirst(steps)
      Comparisons.count(steps)
    }
    #expect(rest.isEmpty)
    // As many as there are timesteps cannot be chosen with one more.
    #expect(throws: Never.self) { try SamplingGrid(Self.schedule, steps: 999, spacing: .oneMore(.linspace)) }
    for (steps, message) in [
      (1000, "the number of steps 1000 must be below 1000, as one more of the timesteps is chosen"),
      (0, "0 steps: the number of steps must be in 1 ... 1000, the timesteps of the schedule"),
    ] {
      let error = try #require(throws: GridError.self) {
        try SamplingGrid(Self.schedule, steps: steps, spacing: .oneMore(base))
      }
      #expect("\(error)" == message)
    }
  }

  @Test(arguments: [1, 2, 3, 10, 30, 999, 1000]) func `SGM's uniform timesteps are Stability AI's`(steps: Int) throws {
    let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .sgmUniform)
    let expected = try Self.file.get().integers("sgm/\(steps)")
    #expect(grid.points.dropLast().map(\.timestep) == expected.map(Double.init))
    Comparisons.count(steps)
  }

  @Test(arguments: [0, 0.05, -1, 10.5, .nan, .infinity]) func `parameters out of their range are errors that name them`(
    value: Double
  ) throws {
    func error(_ spacing: SigmaSpacing) throws -> GridError {
      try #require(throws: GridError.self) { try SamplingGrid(Self.schedule, steps: 5, spacing: spacing) }
    }
    for (spacing, times, name) in [
      (TimestepSpacing.beta(alpha: value), FlowSpacing.Times.beta(alpha: value), "alpha"),
      (.beta(beta: value), .beta(beta: value), "beta"),
    ] {
      for make in [
        { try SamplingGrid(Self.schedule, steps: 5, spacing: spacing) },
        { try SamplingGrid(flow: FlowSpacing(times: times), steps: 5) },
      ] {
        guard
          case .parameter(name, _, allowed: "in 0.1 ... 10") = try #require(throws: GridError.self, performing: make)
        else {
          Issue.record("\(spacing)")
          continue
        }
      }
    }
    if !(value > 0 && value.isFinite) {
      guard case .parameter("rho", _, allowed: "above 0 and finite") = try error(.polyexponential(rho: value)) else {
        Issue.record("rho \(value)")
        return
      }
    }
  }
}
