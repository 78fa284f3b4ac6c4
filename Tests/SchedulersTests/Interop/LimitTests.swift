import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// What diffusers runs, `.diffusers` runs, and what it fails at is refused.
/// `Fixtures/recipes/limits.py` ran diffusers.
@Suite struct LimitTests {
  struct Case: Decodable {
    let config: DiffusersConfiguration
    let steps: Int
    let arguments: RunArguments
    let outcome: String
    let rounded: String
  }

  /// Whether two plans have the same points, but for what float32 tables explain: an ᾱ is off by up
  /// to T·2⁻²⁴ of itself, 6e-5 for the 1000 timesteps here, and so the signal and the noise by
  /// less; rescaling takes a part of the root away, and multiplies that by 3.
  private func agree(_ a: SamplingPlan, _ b: SamplingPlan) -> Bool {
    // Of unit variance: signal = cos(angle), noise = sin(angle).
    func angle(_ level: NoiseLevel) -> Double { atan2(level.noise, level.signal) }
    func isNear(_ x: NoiseLevel, _ y: NoiseLevel) -> Bool { abs(angle(x) - angle(y)) <= 1e-3 }
    return a.steps.count == b.steps.count
      && zip(a.steps, b.steps).allSatisfy { p, q in
        // A timestep that follows from a sigma is off by dt/d ln σ, some T/10, times what that is
        // off of itself, 6e-5 at most.
        abs(p.query.timestep - q.query.timestep) <= 2e-2
          && isNear(p.query.level, q.query.level) && isNear(p.arrival, q.arrival)
      }
  }

  /// Levels and timesteps alone: what is done between them is in `DeviationTests`.
  @Test func `both readings have the same points where no deviation of the grid is met, and only there`() throws {
    let cases = try DiffusersConfiguration.decoder.decode([Case].self, from: Fixtures.data("diffusers-limits.json"))
    // These change no point.
    let others: Set<Deviation> = [
      .float32Tables, .epsilonBeforeClipping, .initialScaleWithoutData, .halvedCurvature, .missignedCurvature,
      .lateConversion,
      .vOnStraightLines, .halvedSlope, .lastStepIsNoisy, .learnedRoot, .missingThirdOrder, .infiniteLastStep,
      .firstOutputUnused,
      .noiseForData,
    ]
    // These may change them by less than float32 does.
    let slight: Set<Deviation> = [.almostZeroSNR, .roundedSigmaTimesteps, .dataForSample, .stridedInverse]
    var (compared, met) = (0, 0)
    for item in cases where item.rounded == "runs" && item.outcome == "runs" {
      // Of 4000 timesteps, and of the ends of the cosine schedule, float32 leaves too few digits.
      if item.config["num_train_timesteps"] == 4000 || item.config["beta_schedule"] == "squaredcos_cap_v2" { continue }
      // One step of PNDM that ends in noise takes two calls here, and one there.
      if item.config.schedulerClass == .pndm, item.steps == 1 { continue }
      let deviations = Set(item.config.deviations(steps: item.steps, with: item.arguments)).subtracting(others)
      guard let own = try? item.config.plan(steps: item.steps, with: item.arguments) else { continue }
      let theirs = try item.config.plan(steps: item.steps, fidelity: .diffusers, with: item.arguments)
      let label = Comment(rawValue: "\(item.steps) steps of \(item.config.json) with \(item.arguments): \(deviations)")
      if deviations.isEmpty {
        #expect(agree(own, theirs), label)
        compared += 1
      } else {
        if deviations.isDisjoint(with: slight) { #expect(!agree(own, theirs), label) }
        met += 1
      }
    }
    #expect(compared > 100 && met > 100)
  }

  @Test func `a configuration is refused where diffusers fails or ends in NaN, and nowhere else`() throws {
    let cases = try DiffusersConfiguration.decoder.decode([Case].self, from: Fixtures.data("diffusers-limits.json"))
    for item in cases {
      let label = Comment(
        rawValue: "\(item.steps) steps of \(item.config.json) with \(item.arguments): \(item.outcome)")
      func check(_ torch: TorchArithmetic?, _ runs: Bool) {
        do {
          _ = try item.config.plan(steps: item.steps, fidelity: .diffusers, with: item.arguments, in: torch)
          #expect(runs, label)
        } catch {
          #expect(!runs, "\(label): \(error)")
          #expect("\(error)".contains(item.config.schedulerClass.rawValue), label)
        }
      }
      check(TorchArithmetic(isOnAMD: true), item.outcome == "runs")
      check(TorchArithmetic(), item.rounded == "runs")
      check(nil, item.rounded == "runs" && item.outcome != "NaN")
    }
    Comparisons.count(3 * cases.count)
  }
}
