import Schedulers
import SchedulersFixtures
import Testing

/// Whole runs of samplers that call the network between two points of the grid, against the
/// reference implementations' in float64: what every sample is made of, and what the network is
/// told. `Fixtures/recipes/stages.py` says how they were made.
@Suite struct StageRunTests {
  private static let references = Result { try Safetensors("stages.safetensors") }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  /// The grids of the fixture: timesteps with leading spacing or of a distillation, Karras's
  /// sigmas, and those of a consistency model.
  enum Points: String { case leading, distilled, karras, exploding }

  /// A sampler as the fixture calls it.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    let spacing: Points
    var steps = [1, 2, 4, 5, 10]
    /// The timestep at whose level the run ends, if not in clean data.
    var end: Int?
    var testDescription: String { name }
  }

  static let samplers = [
    // diffusers' warm-up takes three steps, and one more to end with.
    Reference(name: "pndm", sampler: PNDM(), spacing: .leading, steps: [4, 5, 10]),
    Reference(name: "plms", sampler: PNDM(skipsRungeKutta: true), spacing: .leading),
    Reference(name: "kdpm2", sampler: KDPM2(), spacing: .karras),
    Reference(name: "kdpm2/0.5", sampler: KDPM2(eta: 0.5), spacing: .karras),
    Reference(name: "kdpm2/1", sampler: KDPM2(eta: 1), spacing: .karras),
    Reference(name: "dpm++sde/0.5", sampler: DPMSolverPlusPlusSDE(eta: 0.5), spacing: .karras, steps: [2, 4, 5, 10]),
    Reference(name: "dpm++sde/1", sampler: DPMSolverPlusPlusSDE(), spacing: .karras, steps: [2, 4, 5, 10]),
    Reference(name: "lcm", sampler: LCM(), spacing: .distilled),
    Reference(name: "tcd", sampler: TCD(), spacing: .distilled, end: 0),
    Reference(name: "tcd/1", sampler: TCD(eta: 1), spacing: .distilled, end: 0),
    Reference(name: "consistency", sampler: ConsistencyModel(), spacing: .exploding),
  ]

  @Test(arguments: samplers) func `every sample of a run is made as the reference makes it`(reference: Reference) throws
  {
    let file = try Self.references.get()
    for steps in reference.steps {
      let name = "\(reference.name)/\(reference.spacing)/\(steps)"
      let grid = try Self.grid(file, reference.spacing, steps: steps, end: reference.end)
      let plan = try reference.sampler.plan(over: grid, predicting: .epsilon)
      let shape = try file.shape("\(name).run")
      let (calls, width) = (plan.steps.count, shape[1])
      #expect(shape[0] == calls && width == 1 + calls * (plan.isStochastic || width > 1 + calls ? 2 : 1))
      let expected = try file.doubles("\(name).run")
      var run = SamplingRun(plan, from: ReferenceRunTests.unitVector(0, of: width))
      for k in 0..<calls {
        let output = Self.epsilon(of: run, output: 1 + k, for: reference.sampler)
        let noise = ReferenceRunTests.unitVector(1 + calls + k, of: width)
        run.advance(output: output, noise: noise)
        let row = expected[k * width..<(k + 1) * width]
        // x̂0 is a difference of terms of size sigma at most, and a sample one of a few such.
        let largest = row.reduce(0) { max($0, abs($1)) }
        let error = zip(run.sample, row).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= 1e-12 * max(largest, 1), "\(name), call \(k): \(error)")
      }
      Comparisons.count(expected.count)
    }
  }

  @Test func `the network is told the timesteps that diffusers tells it`() throws {
    let file = try Self.references.get()
    var compared: Set<String> = []
    for reference in Self.samplers {
      for steps in reference.steps where file.names.contains("\(reference.name)/leading/\(steps).asked") {
        let asked = try file.doubles("\(reference.name)/leading/\(steps).asked")
        let plan = try reference.sampler.plan(over: Self.grid(file, .leading, steps: steps), predicting: .epsilon)
        #expect(plan.steps.count == asked.count)
        for (step, timestep) in zip(plan.steps, asked) {
          // Between two points, ln σ of size 5 at most is rounded on both sides a few times, and
          // climbs by 3e-3 or more in a timestep.
          #expect(abs(step.query.timestep - timestep) <= 16 * 5 * unit / 3e-3)
        }
        compared.insert(reference.name)
      }
    }
    #expect(compared.count == 3)
  }

  private static func grid(_ file: Safetensors, _ spacing: Points, steps: Int, end: Int? = nil) throws -> SamplingGrid {
    switch spacing {
    case .karras: return try SamplingGrid(schedule, sigmas: file.doubles("karras.\(steps)").dropLast())
    case .exploding:
      let sigmas = try file.doubles("consistency.\(steps)")
      return try SamplingGrid(points: sigmas.map { .init(timestep: 0, level: NoiseLevel(signal: 1, noise: $0)) })
    case .leading, .distilled:
      let grid = try SamplingGrid(schedule, timesteps: file.integers("\(spacing).\(steps)"))
      guard let end else { return grid }
      let last = SamplingGrid.Point(timestep: Double(end), level: schedule[end])
      return try SamplingGrid(points: grid.points.dropLast() + [last], schedule: schedule)
    }
  }

  /// A unit vector as the network's epsilon, or what goes with a consistency function made of it: f
  /// = x − σ·epsilon.
  private static func epsilon(of run: SamplingRun<[Double]>, output index: Int, for sampler: any Sampler) -> [Double] {
    let output = ReferenceRunTests.unitVector(index, of: run.sample.count)
    guard sampler is ConsistencyModel, let query = run.step?.query else { return output }
    let (level, readout) = (query.level, ConsistencyFunction().denoising(at: query, next: nil)!)
    let denoised = [Double].combination([(readout.sample, run.sample), (readout.output, output)])
    return [Double].combination([(1 / level.sigma, run.sample), (-1 / level.sigma, denoised)])
  }

  @Test func `a consistency model asks clean data and noise alone as they are`() {
    for level in [NoiseLevel.clean, NoiseLevel(signal: 0, noise: 1)] {
      let point = SamplingGrid.Point(timestep: 3, level: level)
      #expect(ConsistencyFunction().query(at: point) == point)
      #expect(ConsistencyFunction().denoising(at: point, next: nil) == nil)
    }
  }

  @Test(arguments: [1, 2, 4, 5, 10]) func `the points of a consistency model are diffusers'`(steps: Int) throws {
    let file = try Self.references.get()
    let grid = try SamplingGrid(consistency: ConsistencyFunction(), steps: steps)
    let sigmas = try file.doubles("consistency.\(steps)")
    let asked = try file.doubles("consistency/exploding/\(steps).asked")
    // Both raise a rounded root to the power of 7.
    for (i, point) in grid.points.dropLast().enumerated() {
      #expect(isClose(point.level.sigma, sigmas[i], relative: 64 * unit) && point.level.signal == 1)
      // ln σ is 6.3 or less in size.
      #expect(abs(point.timestep - asked[i]) <= 250 * 64 * unit)
    }
    #expect(grid.points.last == .clean)
    #expect(
      isClose(
        grid.points[0].inputScale, try file.doubles("consistency/exploding/\(steps).scales")[0], relative: 8 * unit))
    for (steps, levels, largest) in [(0, 40, 80.0), (41, 40, 80), (1, 40, 0.001), (1, 40, .nan), (1, 40, .infinity)] {
      #expect(throws: GridError.self) {
        try SamplingGrid(consistency: ConsistencyFunction(), steps: steps, levels: levels, largestSigma: largest)
      }
    }
    #expect(throws: GridError.self) { try SamplingGrid(consistency: ConsistencyFunction(leastSigma: 0), steps: 1) }
  }

  @Test(arguments: [1, 2, 4, 5, 10]) func `distilled timesteps are diffusers'`(steps: Int) throws {
    let timesteps = try Self.references.get().integers("distilled.\(steps)")
    let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .distilled())
    #expect(grid.points.dropLast().map(\.timestep) == timesteps.map(Double.init))
  }
}
