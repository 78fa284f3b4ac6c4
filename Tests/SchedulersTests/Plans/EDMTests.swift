import Schedulers
import SchedulersFixtures
import Testing

/// EDM's grid, preconditioning and runs against diffusers' in float64: `Fixtures/recipes/edm.py`
/// says how they were made.
@Suite struct EDMTests {
  private static let file = Result { try Safetensors("edm.safetensors") }
  private static let edm = EDMPreconditioning()

  /// A sampler as the fixture calls it.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    var isNegated = false
    var testDescription: String { name }
  }

  private static let references: [Reference] = [
    Reference(name: "euler", sampler: Euler()), Reference(name: "euler/negated", sampler: Euler(), isNegated: true),
    Reference(name: "dpm++2m", sampler: DPMSolverPlusPlus()),
    Reference(name: "dpm++2m/negated", sampler: DPMSolverPlusPlus(), isNegated: true),
    Reference(name: "dpm++2m/heun", sampler: DPMSolverPlusPlus(slopeRule: .exact)),
    Reference(name: "dpm++3m/halved", sampler: DPMSolverPlusPlus(order: 3, matchesAuthorsCode: true)),
    Reference(name: "dpm++2m-sde", sampler: DPMSolverPlusPlus(eta: 1)),
  ]

  @Test(arguments: ["karras", "exponential"], [1, 2, 3, 4, 12])
  func `the grid, what the network is told, and what it is given are those of diffusers`(name: String, steps: Int)
    throws
  {
    if steps == 1, name == "exponential" { return }
    let file = try Self.file.get()
    let spacing: SigmaSpacing = name == "karras" ? .karras() : .exponential
    let grid = try SamplingGrid(edm: Self.edm, steps: steps, spacing: spacing)
    let (sigmas, told) = (
      try file.doubles("grid/\(name)/\(steps).sigmas"), try file.doubles("grid/\(name)/\(steps).timesteps")
    )
    let scales = try file.doubles("grid/\(name)/\(steps).scales")
    #expect(grid.steps == sigmas.count && grid.points.last == .clean)
    var worst = WorstRatio()
    for (i, point) in grid.points.dropLast().enumerated() {
      // Its seventh power loses a dozen digits of σ_max^(1/7) at σ_min, which is a hundredth of
      // that: 7·80^(1/7)/0.002^(1/7)·4 units.
      let tolerance = 256 * unit
      #expect(point.level.signal == 1)
      worst.compare(point.level.noise, with: sigmas[i], within: tolerance * sigmas[i], at: "sigma \(i)")
      worst.compare(point.timestep, with: told[i], within: tolerance, at: "timestep \(i)")
      worst.compare(point.inputScale, with: scales[i], within: tolerance * scales[i], at: "scale \(i)")
    }
    worst.expectWithin()
  }

  @Test(arguments: references, [1, 2, 3, 4, 12]) func `every sample of a run is made as diffusers makes it`(
    reference: Reference, steps: Int
  ) throws {
    let plan = try reference.sampler.plan(over: SamplingGrid(edm: Self.edm, steps: steps), predicting: Self.edm)
    var rows = try Self.file.get().doubles("\(reference.name)/\(steps).run")
    // diffusers reads a network of v with the other sign. Each row has the sample's share, those of
    // the outputs, those of the noise.
    if reference.isNegated {
      for i in rows.indices where (1...steps).contains(i % (2 * steps + 1)) { rows[i].negate() }
    }
    expectRows(of: plan, are: rows)
  }

  @Test(arguments: ["euler", "heun"], [1, 2, 3, 4, 12]) func `a run with churn is that of k-diffusion`(
    name: String, steps: Int
  ) throws {
    let file = try Self.file.get()
    let grid = try SamplingGrid(edm: Self.edm, steps: steps)
    func plan(_ base: some Sampler) throws -> SamplingPlan {
      try Churn(base, amount: 2, range: 0.05...50, noise: 1.003).plan(over: grid, predicting: Self.edm)
    }
    let plan = try name == "heun" ? plan(Heun()) : plan(Euler())
    let told = try file.doubles("churn/\(name)/\(steps).sigmas")
    #expect(plan.steps.count == told.count && plan.start == plan.steps[0].query.level)
    for (step, sigma) in zip(plan.steps, told) {
      #expect(isClose(step.query.level.sigma, sigma, relative: 256 * unit))
      #expect(isClose(step.query.timestep, Math.log(sigma) / 4, relative: 256 * unit))
    }
    expectRows(of: plan, are: try file.doubles("churn/\(name)/\(steps).run"))
  }

  @Test func `the numbers of table 1 at a sigma of short fractions`() throws {
    // σ_data 3 and σ 4: c_skip 9/25, c_out 12/5, c_in 1/5.
    let edm = EDMPreconditioning(sigmaData: 3)
    let point = edm.query(at: SamplingGrid.Point(timestep: 0, level: NoiseLevel(signal: 1, noise: 4)))
    let readout = try #require(edm.denoising(at: point, next: nil))
    #expect(
      isClose(readout.sample, 9.0 / 25, relative: 4 * unit) && isClose(readout.output, 12.0 / 5, relative: 4 * unit))
    #expect(
      isClose(point.inputScale, 0.2, relative: 4 * unit)
        && isClose(Math.exp(4 * point.timestep), 4, relative: 16 * unit))
    let pure = SamplingGrid.Point(timestep: 7, level: NoiseLevel(signal: 0, noise: 1))
    for point in [pure, .clean] { #expect(edm.denoising(at: point, next: nil) == nil && edm.query(at: point) == point) }
    // tan(π/8) is √2 − 1, and the angle of π/4 is half of the way.
    for (sigma, told) in [(2.0.squareRoot() - 1, 0.25), (1, 0.5)] {
      let angle = EDMPreconditioning(conditioning: .angle)
      let point = angle.query(at: SamplingGrid.Point(timestep: 0, level: NoiseLevel(signal: 1, noise: sigma)))
      #expect(isClose(point.timestep, told, relative: 8 * unit))
    }
  }

  /// A network that was trained on x0 + σ·epsilon is asked the same on any path, by samplers that
  /// go by sigma.
  @Test func `the path of a grid does not matter to a network of EDM`() throws {
    let grid = try SamplingGrid(edm: Self.edm, steps: 6)
    let circle = try SamplingGrid(
      points: grid.points.map { .init(timestep: 0, level: .variancePreserving(sigma: $0.level.sigma)) })
    let plans = try [grid, circle].map { try DPMSolverPlusPlus().plan(over: $0, predicting: Self.edm) }
    var runs = plans.map { SamplingRun($0, from: [3 * $0.start.signal]) }
    while runs[0].query != nil {
      #expect(isClose(runs[0].query!.timestep, runs[1].query!.timestep, relative: 64 * unit))
      #expect(isClose(runs[0].input[0], runs[1].input[0], relative: 1e-13))
      for i in 0..<2 { runs[i].advance(output: runs[i].input.map { 1 - 0.5 * $0 }) }
    }
    #expect(isClose(runs[0].sample[0], runs[1].sample[0], relative: 1e-12))
  }

  @Test func `what is out of range is an error that names it`() throws {
    for value in [0, -1, .nan, .infinity] {
      let edm = EDMPreconditioning(sigmaData: value)
      func name(_ make: () throws -> SamplingGrid) throws -> String {
        guard
          case .parameter(let name, _, allowed: _) = try #require(throws: GridError.self, performing: { try make() })
        else {
          return ""
        }
        return name
      }
      #expect(try name { try SamplingGrid(edm: edm, steps: 4) } == "sigmaData")
      #expect(try name { try SamplingGrid(edm: edm, sigmas: [2, 1]) } == "sigmaData")
      let grid = try SamplingGrid(edm: Self.edm, steps: 4)
      let error = try #require(throws: PlanError.self) { try Euler().plan(over: grid, predicting: edm) }
      #expect(
        "\(error)".hasPrefix(
          "sigmaData \(value == value.rounded() && value.isFinite ? "\(Int(value))" : "\(value)") of"))
      #expect(try name { try SamplingGrid(edm: Self.edm, steps: 4, spacing: .karras(rho: value)) } == "rho")
    }
    for (steps, range) in [(0, 0.002...80), (4, 0...80), (4, 1 ... .infinity)] as [(Int, ClosedRange<Double>)] {
      #expect(throws: GridError.self) { try SamplingGrid(edm: Self.edm, steps: steps, range: range) }
    }
    for sigmas in [[], [.nan], [1, 1], [0], [.infinity, 1]] as [[Double]] {
      #expect(throws: GridError.self) { try SamplingGrid(edm: Self.edm, sigmas: sigmas) }
    }
    let zero = try SamplingGrid(flow: FlowSpacing(), steps: 3)
    #expect(throws: PlanError.singular("EDM's preconditioning", timestep: 1000, sigma: .infinity)) {
      try StraightHeun().plan(over: zero, predicting: Self.edm)
    }
  }
}
