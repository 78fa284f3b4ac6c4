import Foundation
import SchedulersFixtures
import SchedulersInterop
import SchedulersSafetensors
import Testing

@testable import SchedulersTraces

/// Runs of released models as their pipelines make them. `Fixtures/recipes/released.py` has their
/// sources.
@Suite struct ReleasedRunTests {
  struct Model: Decodable, CustomTestStringConvertible, Sendable {
    let model: String
    let config: DiffusersConfiguration.Value
    let steps: Int
    let arguments: DiffusersConfiguration.Value
    var testDescription: String { model }
  }

  private static let all: [Model] = {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return (try? decoder.decode([Model].self, from: Fixtures.data("diffusers-files.json"))) ?? []
  }()

  @Test func `models are there`() { #expect(Self.all.count >= 80) }

  @Test(arguments: all) func `a run of a released model is right at every step`(model: Model) throws {
    let bundle = try SafetensorsFile(Array(Fixtures.data("released-runs.safetensors")))
    var draft = Draft()
    draft.metadata = [
      "format": "scheduler-trace/1", "scheduler_config": model.config.json, "num_inference_steps": "\(model.steps)",
      "step_arguments": model.arguments.json,
    ]
    draft.tensors = ["timesteps", "samples", "model_outputs", "noises"].compactMap { name in
      guard let tensor = bundle.tensors["\(model.model)/\(name)"] else { return nil }
      return (name, "F32", tensor.shape, bytes(bundle.doubles(tensor).map { Float($0) }))
    }
    let judgement = try Trace(SafetensorsFile(draft.file)).judged()
    #expect(judgement.agrees && judgement.diagnosis == nil, "\(judgement.worst!) \(judgement.diagnosis as Any)")
  }
}
