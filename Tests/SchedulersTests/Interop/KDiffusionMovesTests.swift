import Foundation
import Schedulers
import Testing

@testable import SchedulersInterop

/// The steps of k-diffusion that the core does not have, and the files of its configurations.
@Suite struct KDiffusionMovesTests {
  /// The sample at σ_down keeps `kept` of itself, and the noise makes up what its variance lacks.
  @Test(arguments: [KDiffusionAncestral.Kind.dpm2RF, .dpmpp2sRF])
  func `a step on rectified flow ends with the noise of its level`(_ kind: KDiffusionAncestral.Kind) throws {
    let grid = try SamplingGrid(flow: FlowSpacing(timesteps: 1), steps: 4)
    for eta in [0.4, 1] {
      let moves = KDiffusionAncestral(kind, eta: eta).moves(over: grid)
      #expect(moves.count == 7)
      for (i, move) in stride(from: 1, to: 6, by: 2).map({ moves[$0] }).enumerated() {
        let (from, to) = (grid.points[i].level.noise, grid.points[i + 1].level.noise)
        let down = to * (1 + eta * (to / from - 1))
        let kept = (1 - to) / (1 - down)
        let noise = (to * to - kept * kept * down * down).squareRoot()
        #expect(abs(move.next.noise - noise) < 1e-14 && noise > 0.01)
        // The middle is the geometric mean of the ends, of noise or of sigma.
        func sigma(_ noise: Double) -> Double { noise / (1 - noise) }
        let middle = moves[2 * i].arrival.noise
        if kind == .dpm2RF {
          #expect(abs(middle - (from * down).squareRoot()) < 1e-14)
        } else if from < 1 {
          #expect(abs(sigma(middle) / (sigma(from) * sigma(down)).squareRoot() - 1) < 1e-13)
        }
      }
    }
  }

  @Test func `every option of a configuration is in its file`() throws {
    var configuration = KDiffusionConfiguration(sampler: "dpmpp_2m_sde", sigmas: [3, 1, 0])
    (configuration.solverType, configuration.eta, configuration.order) = ("heun", 0.5, 2)
    (configuration.noiseFactor, configuration.churn, configuration.middle) = (0.9, 1.5, 0.25)
    var coded = try JSONDecoder().decode(KDiffusionConfiguration.self, from: JSONEncoder().encode(configuration))
    #expect(coded.ignoredKeys == ["order", "r", "s_churn"])
    coded.ignoredKeys = []
    #expect(coded == configuration && coded.solverType == "heun")
    // What each sampler has an eye for.
    for (sampler, ignored) in [
      ("euler", ["eta", "order", "r", "solver_type"]), ("euler_ancestral", ["order", "r", "s_churn", "solver_type"]),
      ("lms", ["eta", "r", "s_churn", "s_noise", "solver_type"]), ("dpmpp_sde", ["order", "s_churn", "solver_type"]),
    ] {
      configuration.sampler = sampler
      let read = try JSONDecoder().decode(KDiffusionConfiguration.self, from: JSONEncoder().encode(configuration))
      #expect(read.ignoredKeys == ignored, "\(sampler)")
    }
  }

  @Test func `the factor of the noise multiplies it, and nothing else`() throws {
    var configuration = KDiffusionConfiguration(sampler: "euler_ancestral", sigmas: [3, 2, 1, 0])
    let usual = try configuration.plan()
    configuration.noiseFactor = 1.25
    let louder = try configuration.plan()
    for (step, other) in zip(usual.steps, louder.steps) {
      #expect(abs(other.next.noise - 1.25 * step.next.noise) < 1e-15)
      #expect(other.next.estimates == step.next.estimates && other.next.samples == step.next.samples)
    }
    #expect(usual.steps[0].next.noise > 0)
  }

  /// k-diffusion's sample_lcm: the denoised sample, and sigma of noise.
  @Test func `LCM goes to each next sigma with fresh noise`() throws {
    var configuration = KDiffusionConfiguration(sampler: "lcm", sigmas: [3, 0.5, 0])
    let steps = try configuration.plan().steps
    #expect(steps[0].next == .estimate() + 0.5 * .noise && steps[1].next == .estimate())
    configuration.noiseFactor = 0.9
    let read = try JSONDecoder().decode(KDiffusionConfiguration.self, from: JSONEncoder().encode(configuration))
    #expect(read.ignoredKeys.isEmpty)
  }

  @Test func `eta is a share of fresh noise, and no more`() throws {
    var configuration = KDiffusionConfiguration(sampler: "euler_ancestral", sigmas: [3, 1, 0])
    for eta in [0, 0.5, 1] {
      configuration.eta = eta
      #expect(throws: Never.self) { try configuration.plan() }
    }
    for eta in [-0.1, 1.5, .nan] {
      configuration.eta = eta
      #expect(
        "\(#expect(throws: ConfigurationError.self) { try configuration.plan() }!)".contains("it must be in 0 ... 1"))
    }
  }

  @Test func `the third order is met by a run that has a third step before its end`() {
    func deviates(_ sigmas: [Double]) -> Bool {
      KDiffusionConfiguration(sampler: "dpmpp_3m_sde", sigmas: sigmas).deviations.contains(.halvedCurvature)
    }
    #expect(deviates([5, 4, 3, 2, 0]) && deviates([5, 4, 3, 2]))
    #expect(!deviates([4, 3, 2, 0]) && !deviates([4, 3, 2]))
  }

  /// A network that knows the datum leaves every sample on its line, whatever the order.
  @Test(arguments: ["euler", "heun", "lms", "ipndm", "dpm_2", "dpmpp_2m"])
  func `a perfect network on rectified flow keeps a run on its line`(_ sampler: String) throws {
    let sigmas = [0.95, 0.8, 0.65, 0.4, 0.2, 0.05, 0]
    let configuration = KDiffusionConfiguration(sampler: sampler, sigmas: sigmas, process: .flow)
    for fidelity in Fidelity.allCases {
      let plan = try configuration.plan(fidelity: fidelity)
      let (datum, epsilon) = (0.3, -1.25)
      var run = SamplingRun(plan, from: [0.05 * datum + 0.95 * epsilon])
      while run.query != nil {
        run.advance(output: [datum])
        #expect(abs(run.sample[0] - run.level.signal * datum - run.level.noise * epsilon) < 1e-13)
      }
      #expect(abs(run.sample[0] - datum) < 1e-13)
    }
  }
}
