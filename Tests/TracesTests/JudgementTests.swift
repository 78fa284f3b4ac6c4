import Foundation
import Schedulers
import SchedulersFixtures
import Testing

@testable import SchedulersTraces

/// Judgement of a DDIM run whose numbers the test makes itself, from the paper (`Draft`).
@Suite struct JudgementTests {
  @Test(arguments: [0, 0.5]) func `a run by the paper's equation is right`(eta: Double) throws {
    let judgement = try Draft(eta: eta).trace().judged()
    #expect(judgement.agrees && judgement.first == nil && judgement.divergences == 0)
    #expect(judgement.steps.map(\.timestep) == [39, 26, 13, 0])
    // Recorded in Float: a sample of 1 ... 2 is rounded by 2⁻²⁴, and 1/signal magnifies nothing, as
    // x0 is clipped.
    #expect(judgement.steps.allSatisfy { $0.difference < 1e-6 })
    #expect(judgement.source == "GaussianDiffusion.ddim_sample")
  }

  @Test func `the step, the element and the size of a difference are those of what was changed`() throws {
    var draft = Draft()
    // Sample 1, channel 2, row 0, column 1 after step 1: row 2 of the samples.
    let element = 2 * 24 + 12 + 2 * 4 + 1
    draft.set("samples", element, to: draft.get("samples", element) + 0.5)
    let judgement = try draft.trace().judged()
    let first = try #require(judgement.first)
    #expect(first.step == 1 && first.element == [1, 2, 0, 1] && abs(first.difference - 0.5) < 1e-6)
    // Step 2 starts from the changed sample, and its result is not that of the changed one.
    #expect(judgement.steps.map(\.agrees) == [true, false, false, true])
    #expect(judgement.divergences == 2)
  }

  @Test(arguments: [Float(1), 8])
  func `the tolerance is relative to the largest scalar before and after, and to 1 at least`(
    scale: Float
  ) throws {
    var draft = Draft()
    // Scalar 23 before the last step is the largest where it is 8; scalar 0 after the step is what
    // is off.
    if scale > 1 { draft.set("samples", 3 * 24 + 23, to: scale) }
    for k in 0..<24 where scale == 1 { draft.set("samples", 3 * 24 + k, to: draft.get("samples", 3 * 24 + k) / 4) }
    let plan = try draft.trace().source.plan(steps: 4)
    let trace = try draft.trace()
    let right = trace.parts(limit: 12).flatMap { Recomputation(trace: trace, plan: plan).result(of: 3, $0) }
    for (part, agrees) in [(0.98, true), (1.02, false)] {
      for k in 0..<24 { draft.set("samples", 4 * 24 + k, to: Float(right[k])) }
      draft.set("samples", 4 * 24, to: Float(right[0] + part * 2e-4 * Double(scale)))
      let last = try draft.trace().judged().steps[3]
      // A scalar of the result is a Float of at most 2, and off by half its unit, 6e-8.
      #expect(abs(last.allowed - 2e-4 * Double(scale)) < 1e-9)
      #expect(abs(last.difference - part * 2e-4 * Double(scale)) < 2e-7)
      #expect(last.agrees == agrees && last.element == [0, 0, 0, 0])
    }
  }

  @Test func `a wrong timestep is a divergence, though the numbers are right`() throws {
    var draft = Draft()
    draft.tensors[draft["timesteps"]].bytes = bytes([39, 26, 14, 0] as [Int])
    let judgement = try draft.trace().judged()
    let first = try #require(judgement.first)
    #expect(first.step == 2 && first.hasOtherTimestep && first.recordedTimestep == 14 && first.timestep == 13)
    #expect(judgement.divergences == 1)
  }

  @Test func `timesteps in Float may be off by two hundredths, whole ones by nothing`() throws {
    for (shift, agrees) in [(Float(0.019), true), (0.021, false)] {
      var draft = Draft()
      let index = draft["timesteps"]
      draft.tensors[index].type = "F32"
      draft.tensors[index].bytes = bytes([39, 26, 13 + shift, 0])
      #expect(try draft.trace().judged().agrees == agrees)
    }
  }

  @Test(arguments: [("samples", 0, 0), ("samples", 2, 1), ("samples", 4, 3), ("model_outputs", 2, 2), ("noises", 3, 3)])
  func `a NaN or an infinity diverges at the step that made it or used it first`(tensor: String, row: Int, step: Int)
    throws
  {
    for value in [Float.nan, .infinity, -.infinity] {
      var draft = Draft()
      draft.set(tensor, row * 24 + 5, to: value)
      let judgement = try draft.trace().judged()
      #expect(judgement.first?.step == step && judgement.first?.notFinite == tensor, "\(value)")
      #expect(judgement.diagnosis == nil)
    }
  }

  @Test func `a finite recording of what is not finite diverges`() throws {
    var draft = Draft()
    draft.metadata["scheduler_config"] = draft.metadata["scheduler_config"]!.replacing(
      "\"clip_denoised\": true", with: "\"clip_denoised\": false")
    for k in 0..<24 { draft.set("model_outputs", 24 + k, to: .greatestFiniteMagnitude) }
    #expect(try draft.trace().judged().first?.step == 0)
  }

  @Test func `parts do not change what is found`() throws {
    let trace = try Draft(eta: 0.5).trace()
    let plan = try trace.source.plan(steps: 4)
    let recomputation = Recomputation(trace: trace, plan: plan)
    for limit in [1, 5, 12, 100] {
      let parts = trace.parts(limit: limit)
      #expect(parts.map(\.scalars.count).reduce(0, +) == 24 && parts.allSatisfy { $0.scalars.count <= limit })
      let made = parts.flatMap { recomputation.result(of: 1, $0) }
      #expect(made == trace.parts(limit: 12).flatMap { recomputation.result(of: 1, $0) })
    }
  }

  @Test func `a section of one timestep keeps its first, and its last if the mathematics are asked for`() throws {
    var draft = Draft()
    draft.metadata["num_inference_steps"] = "1"
    draft.metadata["scheduler_config"] = draft.metadata["scheduler_config"]!.replacing("\"4\"", with: "\"1\"")
    draft.tensors = draft.tensors.map { tensor in
      let rows = tensor.shape[0]
      let kept = tensor.name == "samples" ? 2 : 1
      return (
        tensor.name, tensor.type, [kept] + tensor.shape.dropFirst(),
        tensor.bytes.suffix(tensor.bytes.count / rows * kept)
      )
    }
    // The last step of the run, from timestep 0 to clean data.
    #expect(try draft.trace().judged().agrees)
    let corrected = try draft.trace().judged(fidelity: .corrected)
    #expect(corrected.first?.timestep == 39 && corrected.diagnosis?.mistake == "fidelity")
  }
}
