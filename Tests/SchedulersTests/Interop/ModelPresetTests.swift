import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// The times that pipelines give, and the models that they are of.
@Suite struct ModelPresetTests {
  @Test func `the last step of Cosmos Predict2 is left out, and one step leaves none`() {
    #expect(RunArguments.cosmosPredict2(steps: 5).end == 4 && RunArguments.cosmosPredict2(steps: 5).sigmas?.count == 5)
    #expect(RunArguments.cosmosPredict2(steps: 1).end == 0 && RunArguments.cosmosPredict2(steps: 0).sigmas == [])
  }

  struct Row: Decodable, CustomTestStringConvertible, Sendable {
    let name: String
    let steps: Int
    let tokens: Int?
    let sigmas: [Double]?
    let timesteps: [Double]?
    let mu: Double?
    let end: Int?
    var testDescription: String { "\(name), \(steps) steps" }

    enum CodingKeys: String, CodingKey {
      case name, steps, tokens, sigmas, timesteps, mu
      case end = "last_step"
    }

    var made: RunArguments {
      get throws {
        switch name {
        case "flux": .flux(steps: steps)
        case "flux2": .flux2(steps: steps, tokens: tokens!)
        case "hunyuanVideo": .hunyuanVideo(steps: steps)
        case "zImage": .zImage(steps: steps)
        case "mochi": .mochi(steps: steps)
        case "ltxCondition": .ltxCondition(steps: steps)
        case "cogView4": .cogView4(steps: steps, tokens: tokens!)
        case "glmImage": .glmImage(steps: steps, tokens: tokens!)
        case "cosmosPredict2": .cosmosPredict2(steps: steps)
        case "ltx2Distilled": .ltx2Distilled
        case "ltx2Upscaling": .ltx2Upscaling
        default: throw Unknown(name: name)
        }
      }
    }
  }

  private struct Unknown: Error { let name: String }

  private static let rows = (try? JSONDecoder().decode([Row].self, from: Fixtures.data("pipeline-times.json"))) ?? []

  @Test func `each function is there`() { #expect(Set(Self.rows.map(\.name)).count == 11) }

  /// The same operations in Double, or in the float32 of torch. What torch makes in Double with
  /// fused operations may be off by a bit of that, of which the scheduler's float32 has nothing.
  @Test(arguments: rows) func `times are those of the pipeline, bit for bit`(row: Row) throws {
    let made = try row.made
    if row.name == "cosmosPredict2" {
      #expect(made.sigmas?.map { Float($0) } == row.sigmas?.map { Float($0) })
    } else {
      #expect(made.sigmas == row.sigmas)
    }
    #expect(made.timesteps == row.timesteps && made.mu == row.mu && made.end == row.end)
    Comparisons.count((row.sigmas ?? []).count + (row.timesteps ?? []).count)
  }

  @Test func `no steps make no times, and a plan says so`() throws {
    let configuration = try DiffusersConfiguration(.flowMatchEulerDiscrete)
    for steps in [0, -3] {
      let cases: [RunArguments] = [
        .flux(steps: steps), .hunyuanVideo(steps: steps), .zImage(steps: steps), .mochi(steps: steps),
        .ltxCondition(steps: steps), .cogView4(steps: steps, tokens: 1), .cosmosPredict2(steps: steps),
        .glmImage(steps: steps, tokens: 1), .flux2(steps: steps, tokens: 1),
      ]
      for arguments in cases {
        let error = #expect(throws: ConfigurationError.self) { try configuration.plan(with: arguments) }
        #expect(error.map { "\($0)".contains("give one for each step") } == true, "\(error as Any)")
      }
    }
  }

  /// A preset is what the released file and its pipeline say: whatever the file spells out, the
  /// numbers are the same.
  @Test func `a preset makes the run of the released model, bit for bit`() throws {
    let models = Dictionary(uniqueKeysWithValues: try ReleasedConfigurationTests.models().map { ($0.model, $0) })
    for preset in ModelPreset.all {
      let label = Comment(rawValue: preset.name)
      let released = try #require(models[preset.model], label)
      #expect(preset.steps == released.steps, label)
      for fidelity in Fidelity.allCases {
        let plan = try preset.plan(fidelity: fidelity)
        let theirs = try released.configuration.plan(
          steps: released.steps, fidelity: fidelity, with: released.arguments)
        #expect(plan == theirs, label)
      }
    }
  }

  @Test func `presets have names in order, and other steps and pictures`() throws {
    #expect(ModelPreset.all.map(\.name) == ModelPreset.all.map(\.name).sorted() && ModelPreset.all.count == 25)
    #expect(ModelPreset.named("mochi") == nil)
    let qwen = try #require(ModelPreset.named("qwen-image"))
    let wide = try qwen.plan(steps: 30, tokens: 8192)
    #expect(wide.steps.count == 30)
    // mu of 8192 tokens is max_shift.
    #expect(try wide == qwen.configuration.plan(steps: 30, with: .flux(steps: 30, mu: 0.9)))
    // Its distilled network has no other steps than eight.
    let distilled = try #require(ModelPreset.named("ltx-2-distilled"))
    #expect(throws: ConfigurationError.self) { try distilled.plan(steps: 9) }
  }
}
