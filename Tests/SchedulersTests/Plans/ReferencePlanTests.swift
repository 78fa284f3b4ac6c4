import Foundation
import Schedulers
import SchedulersFixtures
import Testing

/// Every coefficient of every sampler against the reference implementations' in float64, measured
/// on both sides by the same impulses: `Fixtures/recipes/plans.py` describes them, and lists where
/// the references are wrong and the papers stand in.
@Suite struct ReferencePlanTests {
  private static let references = Result { try Safetensors("plans.safetensors") }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  /// A sampler as the fixture calls it. k-diffusion's samples are x/signal.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    let spacings: [Spacing]
    var isExploding = false
    /// Whether the reference loses digits of small coefficients in long steps.
    var losesDigits = false
    var testDescription: String { name }
  }

  private static let byTimestep: [Spacing] = [.leading, .trailing, .linspace]
  static let samplers: [Reference] = [
    Reference(name: "ddpm", sampler: DDPM(), spacings: byTimestep),
    Reference(name: "ddpm-large", sampler: DDPM(variance: .fixedLarge), spacings: byTimestep),
    Reference(name: "ddim", sampler: DDIM(), spacings: byTimestep),
    Reference(name: "ddim-0.4", sampler: DDIM(eta: 0.4), spacings: byTimestep),
    Reference(name: "ddim-inversion", sampler: DDIMInversion(), spacings: byTimestep),
    Reference(name: "euler", sampler: Euler(), spacings: Spacing.allCases, isExploding: true),
    Reference(name: "euler", sampler: DPMSolverPlusPlus(order: 1), spacings: Spacing.allCases, isExploding: true),
    Reference(
      name: "euler-ancestral", sampler: EulerAncestral(), spacings: Spacing.allCases, isExploding: true,
      losesDigits: true),
    Reference(name: "heun", sampler: Heun(), spacings: Spacing.allCases, isExploding: true, losesDigits: true),
    Reference(name: "dpm++2m", sampler: DPMSolverPlusPlus(), spacings: Spacing.allCases, isExploding: true),
  ]

  @Test(arguments: samplers, [1, 2, 3, 5, 10, 20, 50, 1000])
  func `the rows of a plan are the reference's impulse responses`(reference: Reference, steps: Int) throws {
    let file = try Self.references.get()
    for spacing in reference.spacings {
      let grid = try spacing.grid(Self.schedule, steps: steps)
      let timesteps = try file.integers("\(spacing)/\(steps).timesteps")
      #expect(timesteps.isEmpty || grid.points.dropLast().map(\.timestep) == timesteps.map(Double.init))
      // A level's two factors and their quotient on top of the 24 units that `SigmaSpacing`
      // documents.
      let sigmas = try file.doubles("\(spacing)/\(steps).sigmas")
      #expect(zip(grid.points, sigmas).allSatisfy { isClose($0.level.sigma, $1, relative: 32 * unit) })
      for prediction in [Prediction.epsilon, .x0, .v] {
        let name = "\(reference.name)/\(spacing)/\(steps)/\(prediction)"
        let plan = try reference.sampler.plan(
          over: reference.isExploding ? grid.exploding() : grid, predicting: prediction)
        // A sample between two calls of a step stays as it is.
        let callsPerStep = max(1, (plan.steps.count - 1) / max(1, steps - 1))
        let rows = Self.responses(of: plan, callsPerStep: callsPerStep)
        let (expected, calls) = (try file.doubles("\(name).rows"), try file.integers("\(name).calls"))
        #expect(calls.last == rows.count - 1)
        var worst = (error: 0.0, text: "")
        for (k, call) in calls.enumerated() {
          // Coefficients below 1e-6 of the row's largest may be what rounding has left of a
          // difference of larger ones. k-diffusion's Heun divides the rounding of its first stage
          // by σ' and multiplies it by σ; its ancestral step takes σ'² − σ_up², which is that much
          // smaller than σ'². In long steps this leaves fewer digits to its small coefficients.
          let largest = rows[call].reduce(0) { max($0, abs($1)) }
          let step = call / callsPerStep
          let isLong = reference.losesDigits && sigmas[step] > 10 * sigmas[step + 1]
          let magnified = isLong && sigmas[step + 1] > 0 ? sigmas[step] / sigmas[step + 1] : 1
          for i in 0..<9 {
            let (a, b) = (rows[call][i], expected[9 * k + i])
            let isRest =
              (isLong || max(abs(a), abs(b)) < 1e-6 * largest) && abs(a - b) <= 64 * unit * magnified * largest
            let error = a == b || isRest ? 0 : abs(a - b) / max(abs(a), abs(b))
            if !(error <= worst.error) { worst = (error, "\(name) row \(call)[\(i)]: \(a) here, \(b) there") }
          }
        }
        Comparisons.count(calls.count * 9)
        #expect(worst.error <= (steps >= 1000 ? 1e-10 : 1e-12), "\(worst.text), relative error \(worst.error)")
      }
    }
  }

  /// What a plan makes of the impulses, a row for each call.
  private static func responses(of plan: SamplingPlan, callsPerStep: Int) -> [[Double]] {
    var run = SamplingRun(plan, from: [Double](repeating: 0, count: 9))
    var rows: [[Double]] = []
    while run.query != nil {
      let call = run.evaluations
      if call.isMultiple(of: callsPerStep) { run.sample = unitVector(call % 4) }
      run.advance(output: unitVector(4 + call % 4), noise: unitVector(8))
      rows.append(run.sample)
    }
    return rows
  }

  private static func unitVector(_ index: Int) -> [Double] { (0..<9).map { $0 == index ? 1 : 0 } }
}
