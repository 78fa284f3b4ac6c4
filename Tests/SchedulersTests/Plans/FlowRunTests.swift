import Fixtures
import Schedulers
import Testing

/// Whole runs on rectified flow against diffusers' in float64, in the form of `ReferenceRunTests`: `Fixtures/recipes/flow.py` says how they
/// were made. Samplers that know nothing of flow are among them.
@Suite struct FlowRunTests {
  private static let references = Result { try Safetensors("flow.safetensors") }

  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    /// Whether the run begins at t = 1.
    var isWhole = true
    var testDescription: String { name }
  }

  static let samplers: [Reference] = [
    Reference(name: "euler", sampler: Euler()),
    Reference(name: "euler", sampler: DDIM()),
    Reference(name: "flow-heun", sampler: FlowHeun()),
    Reference(name: "flow-stochastic", sampler: ConsistencyModel(leastSigma: 0)),
    Reference(name: "flow-lcm", sampler: ConsistencyModel(leastSigma: 0)),
    Reference(name: "dpm++2m", sampler: DPMSolverPlusPlus(), isWhole: false),
    Reference(name: "unipc", sampler: UniPC(lowersFinalOrder: true), isWhole: false),
  ]

  @Test(arguments: samplers, [1, 2, 3, 4, 7, 12]) func `every sample of a run is made as diffusers makes it`(
    reference: Reference, steps: Int
  ) throws {
    let file = try Self.references.get()
    let times = try file.doubles("\(steps).times")
    let chosen = reference.isWhole ? times.dropLast() : times.dropFirst()
    let plan = try reference.sampler.plan(over: SamplingGrid(flow: FlowSpacing(), times: Array(chosen)), predicting: .flow)
    let expected = try file.doubles("\(reference.name)/\(steps).run")
    let calls = plan.steps.count
    let width = 2 * calls + 1
    #expect(expected.count == calls * width)
    var run = Sampling(plan, from: Self.unitVector(0, of: width))
    for k in 0..<calls {
      run.advance(output: Self.unitVector(1 + k, of: width), noise: Self.unitVector(1 + calls + k, of: width))
      let row = expected[k * width..<(k + 1) * width]
      // Terms of size 1 and less; λ, of size up to 6, has digits before its point, and steps of it divide by each other.
      let error = zip(run.sample, row).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(error <= 1e-12, "\(reference.name), call \(k): \(error)")
    }
    Comparisons.count(expected.count)
  }

  private static func unitVector(_ index: Int, of count: Int) -> [Double] { (0..<count).map { $0 == index ? 1 : 0 } }
}
