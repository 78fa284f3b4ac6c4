import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// The scheduler_config.json of released models, and the runs that their pipelines ask for.
/// `Fixtures/recipes/released.py` has their sources.
@Suite struct ReleasedConfigurationTests {
  struct Model: Decodable, CustomTestStringConvertible, Sendable {
    let model: String
    let year: Int
    let source: String
    let date: String
    let kind: String
    let config: DiffusersConfiguration.Value
    let pipeline: String
    let steps: Int
    let arguments: RunArguments
    let text: String?
    var testDescription: String { model }

    var configuration: DiffusersConfiguration {
      get throws { try DiffusersConfiguration.reading(config.json) }
    }
  }

  static func models() throws -> [Model] {
    try DiffusersConfiguration.decoder.decode([Model].self, from: Fixtures.data("diffusers-files.json"))
  }

  private static let all = (try? models()) ?? []
  private static let runs = try! Safetensors("released-runs.safetensors")

  @Test func `models of each year are there, with source and date`() {
    #expect(Self.all.count >= 80 && Set(Self.all.map(\.year)) == Set(2022...2026))
    #expect(Set(Self.all.map(\.kind)) == ["file", "copy", "program", "script", "documentation", "tests"])
    for model in Self.all {
      #expect(model.source.hasPrefix("https://") && model.date.hasPrefix("20") && model.date.count == 10, "\(model)")
    }
  }

  /// What the last bits of torch's functions leave uncertain of a timestep. ln(σ)/4 has an ulp of
  /// its own, and a quarter of the two ulps of σ. iPNDM's is 2/π·atan2(n, √(1 − n²)) of n = sin²,
  /// which is two ulps off where the sine is one.
  private static func uncertainty(of timestep: Double, _ schedulerClass: DiffusersConfiguration.Class) -> Double {
    let logarithm = abs(timestep) * 0x1p-23 + 0x1p-24
    guard schedulerClass == .ipndm, timestep < 1 else { return logarithm }
    return logarithm + 0x1p-22 * 2 / .pi * tan(.pi / 2 * timestep)
  }

  @Test(arguments: all) func `a file makes the times that its pipeline asks for`(model: Model) throws {
    let configuration = try model.configuration
    #expect(try DiffusersConfiguration.reading(configuration.json) == configuration)
    let timesteps = try configuration.timesteps(steps: model.steps, fidelity: .diffusers, with: model.arguments)
    let golden = try Self.runs.floats("\(model.model)/timesteps").map { Double($0) }
    let isSame = zip(timesteps, golden).allSatisfy {
      abs($0 - $1) <= Self.uncertainty(of: $1, configuration.schedulerClass)
    }
    #expect(timesteps.count == golden.count && isSame, "\(timesteps)")
    let name = "\(model.model)/sigmas"
    var sigmas = try configuration.sigmas(steps: model.steps, with: model.arguments)
    #expect(sigmas.isEmpty != Self.runs.names.contains(name))
    guard !sigmas.isEmpty else { return }
    sigmas = DiffusersGoldenTests.repeated(sigmas, for: configuration)
    // Those of a run that begins late are diffusers' last ones.
    let theirs = try Self.runs.floats(name).suffix(sigmas.count)
    #expect(sigmas.count == theirs.count && zip(sigmas, theirs).allSatisfy { abs($0 - $1) <= 2 * $1.ulp }, "\(sigmas)")
    Comparisons.count(timesteps.count + sigmas.count)
  }

  @Test(arguments: all) func `the plan reproduces the run of diffusers`(model: Model) throws {
    let configuration = try model.configuration
    func name(_ tensor: String) -> String { "\(model.model)/\(tensor)" }
    let run = try RecordedRun(
      Self.runs, samples: name("samples"), outputs: name("model_outputs"), noises: name("noises"), made: name("made"))
    let plan = try configuration.plan(steps: model.steps, fidelity: .diffusers, with: model.arguments)
    try run.expect(
      by: plan, of: configuration, steps: model.steps, with: model.arguments, Comment(rawValue: model.model))
    #expect(try configuration.plan(steps: model.steps, with: model.arguments).steps.count == plan.steps.count)
  }

  @Test func `files are written as diffusers writes them, byte for byte`() throws {
    let texts = Self.all.compactMap(\.text)
    #expect(texts.count >= 25 && texts.contains { $0.contains("-Infinity") })
    for text in texts { #expect(try DiffusersConfiguration.reading(text).json + "\n" == text) }
  }

  @Test func `what a file says and its class does not know is reported`() throws {
    let models = try Self.models()
    func ignoredKeys(_ name: String) throws -> [String] {
      let model = try #require(models.first { $0.model == name })
      return try DiffusersConfiguration.reading(model.config.json).ignoredKeys
    }
    #expect(
      try ignoredKeys("stabilityai/stable-diffusion-xl-base-1.0") == [
        "clip_sample", "sample_max_value", "set_alpha_to_one", "skip_prk_steps",
      ])
    #expect(try ignoredKeys("stabilityai/stable-diffusion-2-1") == ["skip_prk_steps"])
    #expect(try ignoredKeys("PixArt-alpha/PixArt-XL-2-1024-MS").isEmpty)
    #expect(try ignoredKeys("DeepFloyd/IF-I-XL-v1.0").isEmpty)
  }

  @Test func `a network that learns its variance has a plan that expects twice the channels`() throws {
    let model = try #require(Self.models().first { $0.model == "DeepFloyd/IF-I-XL-v1.0" })
    let configuration = try DiffusersConfiguration.reading(model.config.json)
    for fidelity in Fidelity.allCases {
      let plan = try configuration.plan(steps: 20, fidelity: fidelity)
      #expect(plan.learnsVariance && plan.clipping == .dynamic(ratio: 0.95, maximum: 1.5))
    }
  }
}
