import Schedulers
import SchedulersFixtures
import Testing

/// Whole runs on rectified flow against diffusers' in float64, in the form of `ReferenceRunTests`:
/// `Fixtures/recipes/flow.py` says how they were made. Samplers that know nothing of flow are among
/// them.
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
    Reference(name: "flow-heun", sampler: StraightHeun()),
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
    let plan = try reference.sampler.plan(
      over: SamplingGrid(flow: FlowSpacing(), times: Array(chosen)), predicting: .flow)
    // λ, of size up to 6, has digits before its point, and steps of it divide by each other.
    expectRows(of: plan, are: try file.doubles("\(reference.name)/\(steps).run"))
  }
}
