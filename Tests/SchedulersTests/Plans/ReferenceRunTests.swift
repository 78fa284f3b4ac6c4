import Foundation
import Schedulers
import SchedulersFixtures
import Testing

/// Whole runs of multistep samplers against the reference implementations' in float64: what every
/// sample is made of, as factors of the start, of all outputs and of all noises.
/// `Fixtures/recipes/multistep.py` says how they were made, and where the references are wrong.
@Suite struct ReferenceRunTests {
  private static let references = Result { try Safetensors("multistep.safetensors") }

  /// A sampler as the fixture calls it.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    var isCleanAtEnd = true
    var testDescription: String { name }
  }

  private static let unipc: [Reference] = [1, 2, 3].flatMap { order in
    UniPC.Step.allCases.flatMap { type in
      [
        Reference(
          name: "unipc/\(order)/\(type)", sampler: UniPC(order: order, step: type, lowersFinalOrder: true),
          isCleanAtEnd: type == .bh2),
        Reference(
          name: "unipc/\(order)/\(type)/epsilon",
          sampler: UniPC(order: order, step: type, estimate: .epsilon, lowersFinalOrder: true), isCleanAtEnd: false),
      ]
    }
  }

  private static let singlestep: [Reference] = [2, 3].flatMap { order in
    [SlopeRule.midpoint, .exact].flatMap { type in
      [SamplingPlan.Estimate.x0, .epsilon].map { estimate in
        Reference(
          name: "dpm\(estimate == .x0 ? "++" : "")\(order)s\(type == .exact ? "/heun" : "")",
          sampler: DPMSolverSinglestep(order: order, estimate: estimate, slopeRule: type), isCleanAtEnd: estimate == .x0
        )
      }
    }
  }

  private static let saSolver = [(2, 2, 1.0, false), (3, 4, 0.6, true), (4, 2, 0.0, false), (1, 3, 1.2, false)].map {
    Reference(
      name: "sa-solver/\($0)/\($1)/\($2)",
      sampler: SASolver(
        predictorOrder: $0, correctorOrder: $1, tau: $2, matchesAuthorsCode: true, lowersFinalOrder: $3),
      isCleanAtEnd: false)
  }

  static let samplers: [Reference] =
    unipc + singlestep + saSolver + [
      Reference(name: "dpm++2m", sampler: DPMSolverPlusPlus()),
      Reference(name: "dpm++2m/heun", sampler: DPMSolverPlusPlus(slopeRule: .exact)),
      Reference(name: "dpm++3m/halved", sampler: DPMSolverPlusPlus(order: 3, matchesAuthorsCode: true)),
      Reference(
        name: "dpm++3m/halved/lower",
        sampler: DPMSolverPlusPlus(order: 3, matchesAuthorsCode: true, lowersFinalOrder: true)),
      Reference(name: "dpm2m", sampler: DPMSolver(), isCleanAtEnd: false),
      Reference(name: "dpm2m/heun", sampler: DPMSolver(slopeRule: .exact), isCleanAtEnd: false),
      Reference(name: "dpm3m/halved", sampler: DPMSolver(order: 3, matchesAuthorsCode: true), isCleanAtEnd: false),
      Reference(name: "dpm++2m-sde", sampler: DPMSolverPlusPlus(eta: 1)),
      Reference(name: "dpm++2m-sde/heun/0.5", sampler: DPMSolverPlusPlus(eta: 0.5, slopeRule: .exact)),
      Reference(
        name: "dpm++3m-sde/halved",
        sampler: DPMSolverPlusPlus(order: 3, eta: 1, slopeRule: .exact, matchesAuthorsCode: true)),
      Reference(
        name: "dpm++3m-sde/halved/0.5",
        sampler: DPMSolverPlusPlus(order: 3, eta: 0.5, slopeRule: .exact, matchesAuthorsCode: true)),
      Reference(name: "unipc/2/full", sampler: UniPC(), isCleanAtEnd: false),
      Reference(name: "unipc/3/full", sampler: UniPC(order: 3), isCleanAtEnd: false),
      Reference(name: "unipc/3/uncorrected", sampler: UniPC(order: 3, corrects: false, lowersFinalOrder: true)),
      Reference(
        name: "unipc/3/corrected-later", sampler: UniPC(order: 3, uncorrectedSteps: [0, 3], lowersFinalOrder: true)),
      Reference(name: "deis", sampler: DEIS(), isCleanAtEnd: false),
      Reference(name: "deis3", sampler: DEIS(order: 3), isCleanAtEnd: false),
      Reference(name: "deis3/lower", sampler: DEIS(order: 3, lowersFinalOrder: true), isCleanAtEnd: false),
      Reference(name: "lms", sampler: LMS()),
      Reference(name: "lms/2", sampler: LMS(order: 2)),
      Reference(name: "ipndm", sampler: IPNDM()),
    ]

  @Test(arguments: samplers, [1, 2, 3, 4, 7, 12])
  func `every sample of a run is made as the reference makes it`(reference: Reference, steps: Int) throws {
    let file = try Self.references.get()
    let sigmas = try file.doubles("\(steps).\(reference.isCleanAtEnd ? "clean" : "noisy")")
    let grid = try SamplingGrid(
      points: sigmas.enumerated().map { .init(timestep: Double(steps - $0), level: .variancePreserving(sigma: $1)) })
    // k-diffusion's stochastic samplers stop with an error after one step to clean data; seven
    // steps show all that the others do.
    if steps == 1, reference.name.contains("sde") { return }
    if steps > 7, reference.sampler is DPMSolverSinglestep || reference.sampler is SASolver { return }
    for prediction in [Prediction.epsilon, .x0] {
      let expected = try file.doubles("\(reference.name)/\(steps)/\(prediction).run")
      let plan = try reference.sampler.plan(over: grid, predicting: prediction)
      let width = 2 * steps + 1
      #expect(expected.count == steps * width)
      var run = SamplingRun(plan, from: Self.unitVector(0, of: width))
      for k in 0..<steps {
        run.advance(output: Self.unitVector(1 + k, of: width), noise: Self.unitVector(1 + steps + k, of: width))
        let row = expected[k * width..<(k + 1) * width]
        // Predicting epsilon, x̂0 is a difference of terms of size sigma at most, and a sample one
        // of a few such.
        let largest = row.reduce(0) { max($0, abs($1)) }
        let error = zip(run.sample, row).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= 1e-12 * max(largest, 1), "\(reference.name), \(prediction), call \(k): \(error)")
      }
      Comparisons.count(expected.count)
    }
  }

  static func unitVector(_ index: Int, of count: Int) -> [Double] { (0..<count).map { $0 == index ? 1 : 0 } }
}
