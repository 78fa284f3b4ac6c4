import Fixtures
import Schedulers
import Testing

/// Whole runs of samplers that call the network between two points of the grid, against the reference implementations' in float64: what
/// every sample is made of, and what the network is told. `Fixtures/recipes/stages.py` says how they were made.
@Suite struct StageRunTests {
  private static let references = Result { try Safetensors("stages.safetensors") }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  /// A sampler as the fixture calls it, on timesteps with leading spacing or Karras's sigmas.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    let spacing: Spacing
    var steps = [1, 2, 4, 5, 10]
    var testDescription: String { name }
  }

  static let samplers = [
    // diffusers' warm-up takes three steps, and one more to end with.
    Reference(name: "pndm", sampler: PNDM(), spacing: .leading, steps: [4, 5, 10]),
    Reference(name: "plms", sampler: PNDM(skipsRungeKutta: true), spacing: .leading),
    Reference(name: "kdpm2", sampler: KDPM2(), spacing: .karras),
    Reference(name: "kdpm2/0.5", sampler: KDPM2(eta: 0.5), spacing: .karras),
    Reference(name: "kdpm2/1", sampler: KDPM2(eta: 1), spacing: .karras),
  ]

  @Test(arguments: samplers) func `every sample of a run is made as the reference makes it`(reference: Reference) throws {
    let file = try Self.references.get()
    for steps in reference.steps {
      let name = "\(reference.name)/\(reference.spacing)/\(steps)"
      let grid = try Self.grid(file, reference.spacing, steps: steps)
      let plan = try reference.sampler.plan(over: grid, predicting: .epsilon)
      let shape = try file.shape("\(name).run")
      let (calls, width) = (plan.steps.count, shape[1])
      #expect(shape[0] == calls && width == 1 + calls * (plan.isStochastic || width > 1 + calls ? 2 : 1))
      let expected = try file.doubles("\(name).run")
      var run = Sampling(plan, from: ReferenceRunTests.unitVector(0, of: width))
      for k in 0..<calls {
        let noise = ReferenceRunTests.unitVector(1 + calls + k, of: width)
        run.advance(output: ReferenceRunTests.unitVector(1 + k, of: width), noise: noise)
        let row = expected[k * width..<(k + 1) * width]
        // x̂0 is a difference of terms of size sigma at most, and a sample one of a few such.
        let largest = row.reduce(0) { max($0, abs($1)) }
        let error = zip(run.sample, row).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= 1e-12 * max(largest, 1), "\(name), call \(k): \(error)")
      }
      Comparisons.count(expected.count)
    }
  }

  @Test(arguments: ["pndm", "plms", "kdpm2"], [1, 2, 4, 5, 10])
  func `the network is told the timesteps that diffusers tells it`(name: String, steps: Int) throws {
    let file = try Self.references.get()
    guard name != "pndm" || steps >= 4 else { return }
    let asked = try file.doubles("\(name)/leading/\(steps).asked")
    let sampler = try #require(SamplerCatalog[name]).sampler
    let plan = try sampler.plan(over: Self.grid(file, .leading, steps: steps), predicting: .epsilon)
    #expect(plan.steps.count == asked.count)
    for (step, timestep) in zip(plan.steps, asked) {
      // Between two points, ln σ of size 5 at most is rounded on both sides a few times, and climbs by 3e-3 or more in a timestep.
      #expect(abs(step.query.timestep - timestep) <= 16 * 5 * unit / 3e-3)
    }
  }

  private static func grid(_ file: Safetensors, _ spacing: Spacing, steps: Int) throws -> SamplingGrid {
    if spacing == .leading { return try SamplingGrid(schedule, timesteps: file.integers("leading.\(steps)")) }
    return try SamplingGrid(schedule, sigmas: file.doubles("karras.\(steps)").dropLast())
  }
}
