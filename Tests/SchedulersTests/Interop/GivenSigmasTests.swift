import Foundation
import Schedulers
import SchedulersInterop
import Testing

/// Times that a pipeline gives to `set_timesteps`. What diffusers makes of them is recorded:
/// `DiffusersGoldenTests`.
@Suite struct GivenSigmasTests {
  typealias Class = DiffusersConfiguration.Class
  private static let takers = [Class.flowMatchEulerDiscrete, .flowMatchLCM]

  @Test func `shares of EDM's way that stop short of the end go on to the least sigma`() throws {
    let configuration = try DiffusersConfiguration(.edmEuler, ["final_sigmas_type": "sigma_min"])
    let end = try configuration.grid(with: RunArguments(sigmas: [0, 0.4, 0.8])).points[3].level
    #expect(end == NoiseLevel(signal: 1, noise: 0.002))
    let whole = try DiffusersConfiguration(.edmEuler).grid(with: RunArguments(sigmas: [0, 0.4, 0.8]))
    #expect(whole.points[3].level == .clean)
  }

  /// `numpy.linspace(1, 1/N, N)`
  private static func line(_ steps: Int) -> [Double] { (0..<steps).map { 1 - Double($0) / Double(steps) } }

  private static func levels(
    _ configuration: DiffusersConfiguration, _ arguments: RunArguments, _ fidelity: Fidelity
  ) throws -> [Double] {
    let plan = try configuration.plan(steps: arguments.sigmas!.count, fidelity: fidelity, with: arguments)
    return plan.steps.map(\.query.level.noise)
  }

  @Test func `the times of Flux's pipeline are those of its grid`() throws {
    let file = Data(#"{"mu": 1.15, "sigmas": [1, 0.75, 0.5, 0.25]}"#.utf8)
    let arguments = try JSONDecoder().decode(RunArguments.self, from: file)
    #expect(arguments == RunArguments(mu: 1.15, sigmas: Self.line(4)))
    let configuration = try DiffusersConfiguration(
      .flowMatchEulerDiscrete, ["use_dynamic_shifting": true, "shift": 3.0])
    let grid = try SamplingGrid(flow: .flux, steps: 4, mu: 1.15)
    // The same numbers: quarters are exact.
    #expect(try configuration.grid(steps: 4, with: arguments) == grid)
    #expect(try configuration.plan(steps: 4, with: arguments) == Euler().plan(over: grid, predicting: .flow))
  }

  /// At most seven numbers and operations are half an ulp of float32 off, and a shift above 1
  /// enlarges none of their errors.
  @Test(arguments: takers) func `both fidelities shift given times once`(schedulerClass: Class) throws {
    let sigmas = [0.97, 0.6, 0.31, 0.05]
    let shifted = sigmas.map { 3 * $0 / (1 + 2 * $0) }
    let fixed = try DiffusersConfiguration(schedulerClass, ["shift": 3.0])
    let moving = try DiffusersConfiguration(schedulerClass, ["use_dynamic_shifting": true])
    for (configuration, mu) in [(fixed, nil), (moving, 1.0986122886681098)] {
      let arguments = RunArguments(mu: mu, sigmas: sigmas)
      #expect(configuration.deviations(steps: 4, with: arguments) == [.float32Tables])
      for (fidelity, tolerance) in [(Fidelity.corrected, 0x1p-50), (.diffusers, 0x1p-21)] {
        let levels = try Self.levels(configuration, arguments, fidelity)
        #expect(zip(levels, shifted).allSatisfy { isClose($0, $1, relative: tolerance) }, "\(fidelity) \(levels)")
      }
    }
    #expect(fixed.deviations(steps: 4) == [.float32Tables, .shiftedTwice])
  }

  private static let bad: [([Double], String)] = [
    ([1, 0.5], "the number of sigmas 2 of"), ([], "the number of sigmas 0 of"), ([1.5, 1, 0.5], "sigmas[0] 1.5 of"),
    ([1, -0.5, -1], "sigmas[1] -0.5 of"),
    ([1, .nan, 0.5], "sigmas[1] nan of"), ([.infinity, 1, 0.5], "sigmas[0] inf of"),
  ]

  @Test(arguments: bad) func `sigmas that are no times, one for each step, are refused`(
    sigmas: [Double], excerpt: String
  ) throws {
    let arguments = RunArguments(sigmas: sigmas)
    for schedulerClass in Self.takers {
      let configuration = try DiffusersConfiguration(schedulerClass)
      for fidelity in Fidelity.allCases {
        let error = #expect(throws: ConfigurationError.self) {
          try configuration.plan(steps: 3, fidelity: fidelity, with: arguments)
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(excerpt) && text.contains(schedulerClass.rawValue), "\(text)")
      }
      #expect(throws: ConfigurationError.self) { try configuration.grid(steps: 3, with: arguments) }
      #expect(throws: ConfigurationError.self) { try configuration.sigmas(steps: 3, with: arguments) }
      #expect(configuration.deviations(steps: 3, with: arguments).isEmpty)
    }
  }

  /// Each step goes along the velocity by the difference of two times, wherever these lie.
  @Test(arguments: [[1, 0.5, 0], [0.5, 0.6, 0.1], [1, 0.5, 0.5], [0, 0.4, 1]], Fidelity.allCases)
  func `times of rectified flow need not fall`(sigmas: [Double], fidelity: Fidelity) throws {
    let configuration = try DiffusersConfiguration(.flowMatchEulerDiscrete, ["num_train_timesteps": 1])
    let plan = try configuration.plan(steps: 3, fidelity: fidelity, with: RunArguments(sigmas: sigmas))
    for (i, step) in plan.steps.enumerated() {
      let length = (sigmas + [0])[i + 1] - sigmas[i]
      // Two products and a sum of float32's roundings, or of Double's.
      let tolerance = fidelity == .diffusers ? 0x1p-22 : 0x1p-50
      #expect(abs(step.folded.sample - 1) <= tolerance && abs(step.folded.output - length) <= tolerance, "\(step)")
    }
  }

  @Test func `a time that a shift makes 0 in float32 is refused where float32 is used`() throws {
    let configuration = try DiffusersConfiguration(
      .flowMatchEulerDiscrete, ["shift": 1e-9, "use_exponential_sigmas": true])
    let arguments = RunArguments(sigmas: [1, 1e-44])
    let error = #expect(throws: ConfigurationError.self) {
      try configuration.plan(steps: 2, fidelity: .diffusers, with: arguments)
    }
    #expect("\(error!)".hasPrefix("sigmas[1] 1e-44 of"))
    #expect(try configuration.plan(steps: 2, with: arguments).steps.count == 2)
  }

  @Test func `other classes are given no sigmas`() throws {
    for schedulerClass in Class.allCases where !schedulerClass.takes.contains(.sigmas) {
      let configuration = try DiffusersConfiguration(schedulerClass)
      for fidelity in Fidelity.allCases {
        let error = #expect(throws: ConfigurationError.self) {
          try configuration.plan(steps: 4, fidelity: fidelity, with: RunArguments(sigmas: Self.line(4)))
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("the number of sigmas 4 of \(schedulerClass.rawValue)"), "\(text)")
      }
    }
  }
}
