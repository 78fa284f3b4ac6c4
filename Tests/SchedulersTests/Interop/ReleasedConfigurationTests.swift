import Fixtures
import Foundation
import Schedulers
import SchedulersInterop
import Testing

/// The scheduler_config.json of released models. `Fixtures/recipes/released.py` has their sources.
@Suite struct ReleasedConfigurationTests {
  private struct Model: Decodable {
    let model: String
    let source: String
    let config: DiffusersConfiguration.Value
    let timesteps: [Double]?
    let sigmas: [Float]?
    let text: String?
  }

  private static func models() throws -> [Model] {
    try DiffusersConfiguration.decoder.decode([Model].self, from: Fixtures.data("diffusers-files.json"))
  }

  @Test func `every file is read and planned, or its class named as not supported`() throws {
    var unsupported: Set<String> = []
    for model in try Self.models() {
      let label = Comment(rawValue: model.model)
      #expect(model.source.hasPrefix("https://"), label)
      guard let golden = model.timesteps else {
        let error = #expect(throws: ConfigurationError.self, label) {
          try DiffusersConfiguration.reading(model.config.json)
        }
        guard case .unsupportedClass(let name) = error else { throw error! }
        unsupported.insert(name)
        continue
      }
      let configuration = try DiffusersConfiguration.reading(model.config.json)
      #expect(try DiffusersConfiguration.reading(configuration.json) == configuration, label)
      let arguments = RunArguments(mu: configuration["use_dynamic_shifting"] == true ? 1.15 : nil)
      let timesteps = try configuration.timesteps(steps: 20, fidelity: .diffusers, with: arguments)
      // The logarithms of continuous timesteps are torch's own, up to an ulp of float32 off.
      let isSame = zip(timesteps, golden).allSatisfy { abs($0 - $1) <= abs($1) * 0x1p-23 }
      #expect(timesteps.count == golden.count && isSame, label)
      let sigmas = try configuration.sigmas(steps: 20, with: arguments)
      #expect(zip(sigmas, model.sigmas ?? []).allSatisfy { abs($0 - $1) <= 2 * $1.ulp }, label)
      for fidelity in Fidelity.allCases {
        let plan = try configuration.plan(steps: 20, fidelity: fidelity, with: arguments)
        // PNDM takes its first step twice.
        #expect(plan.steps.count == (configuration.schedulerClass == .pndm ? 21 : 20), label)
      }
      Comparisons.count(timesteps.count + sigmas.count)
    }
    #expect(unsupported.isEmpty)
  }

  @Test func `files are written as diffusers writes them, byte for byte`() throws {
    let texts = try Self.models().compactMap(\.text)
    #expect(texts.count == 18 && texts.contains { $0.contains("-Infinity") })
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
