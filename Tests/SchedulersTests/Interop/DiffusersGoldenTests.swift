import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// Random configurations, as diffusers 0.42.1 follows them. `Fixtures/recipes/configurations.py`
/// made them.
@Suite struct DiffusersGoldenTests {
  struct Case: Decodable {
    let config: DiffusersConfiguration
    let steps: Int
    let arguments: RunArguments?
    let tables: String?
    let timesteps: String?
    let sigmas: String?
    let scale: Double?
    let raw: [Float]?
    let told: [Double]?
  }

  private static func cases(_ name: String) throws -> [Case] {
    try DiffusersConfiguration.decoder.decode([Case].self, from: Fixtures.data(name))
  }

  /// FNV-1a over the bits, as the recipe computes it.
  private static func checksum(_ values: [Float]) -> String {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for value in values { digest = (digest ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3 }
    return String(digest, radix: 16)
  }

  /// diffusers repeats Heun's inner sigmas.
  static func repeated(_ sigmas: [Float], for configuration: DiffusersConfiguration) -> [Float] {
    guard [.heunDiscrete, .flowMatchHeunDiscrete].contains(configuration.schedulerClass) else { return sigmas }
    return sigmas.prefix(1) + sigmas.dropFirst().dropLast().flatMap { [$0, $0] } + sigmas.suffix(1)
  }

  @Test func `tables, sigmas and timesteps are diffusers', bit for bit`() throws {
    var found: [DiffusersConfiguration.Class: Int] = [:]
    for (i, golden) in try Self.cases("diffusers-configurations.json").enumerated() {
      let configuration = golden.config
      let label = Comment(rawValue: "case \(i): \(golden.steps) steps of \(configuration.json)")
      if let checksum = golden.tables {
        let tables = try configuration.tables()
        #expect(Self.checksum(tables.betas + tables.alphaBars) == checksum, label)
        Comparisons.count(tables.betas.count * 2)
      }
      found[configuration.schedulerClass, default: 0] += 1
      guard golden.timesteps != nil else { continue }
      let timesteps = try configuration.timesteps(steps: golden.steps, fidelity: .diffusers)
      #expect(Self.checksum(timesteps.map { Float($0) }) == golden.timesteps, label)
      let sigmas = Self.repeated(try configuration.sigmas(steps: golden.steps), for: configuration)
      #expect(sigmas.isEmpty ? golden.sigmas == nil : Self.checksum(sigmas) == golden.sigmas, label)
      Comparisons.count(timesteps.count + sigmas.count)
      if let raw = golden.raw {
        // torch's own square root is at most 0.75 ulp off, and moves a float32 by at most one. In
        // the spacings its error is carried on.
        let above = sigmas.filter { $0 > 0 }
        for (own, theirs) in zip([above[0], above[above.count / 2], above[above.count - 1]], raw) {
          #expect(abs(own - theirs) <= 2 * theirs.ulp, label)
        }
      }
    }
    #expect(DiffusersConfiguration.Class.allCases.allSatisfy { found[$0] ?? 0 >= 24 })
  }

  @Test func `the first noise is scaled as diffusers scales it`() throws {
    var compared = 0
    for golden in try Self.cases("diffusers-configurations.json") {
      guard let scale = golden.scale, let plan = try? golden.config.plan(steps: golden.steps, fidelity: .diffusers)
      else {
        continue
      }
      // One rounding of σ² + 1 and one of its root.
      #expect(
        isClose(plan.initialScale, scale, relative: 2 * 0x1p-24), "\(golden.steps) steps of \(golden.config.json)")
      compared += 1
    }
    #expect(compared > 400)
  }

  @Test func `steps are diffusers'`() throws {
    let tensors = try Safetensors("diffusers-steps.safetensors")
    for (i, golden) in try Self.cases("diffusers-steps.json").enumerated() {
      let label = Comment(rawValue: "case \(i): \(golden.steps) steps of \(golden.config.json)")
      let arguments = golden.arguments ?? RunArguments()
      let plan = try golden.config.plan(steps: golden.steps, fidelity: .diffusers, with: arguments)
      // Those between two timesteps go through two logarithms of up to 16 in float32, 2⁻²⁰ off
      // each, and 2⁻⁸ for each timestep.
      let told = zip(golden.told ?? [], plan.steps).allSatisfy {
        abs($0 - $1.query.timestep) <= 0x1p-11 + 1e-6 * abs($0)
      }
      #expect(told && (golden.told ?? []).count <= plan.steps.count, label)
      let timesteps = try golden.config.timesteps(steps: golden.steps, fidelity: .diffusers, with: arguments)
      let isPlans = zip(timesteps, plan.steps).allSatisfy { isClose($0, $1.query.timestep, relative: 0x1p-21) }
      #expect(isPlans && timesteps.count == plan.steps.count, label)
      if golden.arguments?.sigmas != nil { #expect(timesteps == golden.told, label) }
      let names = (samples: "\(i).samples", outputs: "\(i).outputs", noises: "\(i).noises", made: "\(i).made")
      let run = try RecordedRun(
        tensors, samples: names.samples, outputs: names.outputs, noises: names.noises, made: names.made)
      try run.expect(by: plan, of: golden.config, steps: golden.steps, with: arguments, label)
    }
  }
}

extension DiffusersConfiguration {
  /// A decoder that reads what Python writes.
  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return decoder
  }

  /// A configuration from JSON text.
  static func reading(_ text: String) throws -> DiffusersConfiguration {
    try decoder.decode(DiffusersConfiguration.self, from: Data(text.utf8))
  }
}
