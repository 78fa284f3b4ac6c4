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
}
