import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import SchedulersSafetensors
import Testing

@testable import SchedulersTraces

/// Runs of diffusers as pipelines make them: late, stopped early, at given times, in half
/// precision.
@Suite struct PipelineTraceTests {
  private static let all = GoldenTraceTests.read("pipeline-traces.safetensors")

  @Test func `all kinds are there`() {
    #expect(Self.all.count >= 240)
    for key in ["first_step", "begin_index", "step_arguments", "precision"] {
      #expect(Self.all.contains { $0.expected.metadata[key] != nil }, "\(key)")
    }
  }

  /// One line of diffusers is another in each.
  @Test(arguments: GoldenTraceTests.slips) func `the mistake of a port is named`(golden: GoldenTraceTests.Golden) throws
  {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged()
    #expect(!judgement.agrees)
    let isWhole = judgement.diagnosis.map { $0.explained == $0.divergences } ?? false
    #expect((isWhole ? judgement.diagnosis?.mistake : nil) == golden.expected.mistake, "\(judgement.diagnosis as Any)")
  }

  /// What was done, in a word of those that say it.
  private static let words = [
    "DDIM, direction without eta": "that of a step that adds no noise",
    "DDIM, x0 divided by the signal squared": "divided by the signal",
    "DDIM, thresholding of the whole batch": "of the whole batch",
    "DDIM, thresholding of each channel": "of each channel",
    "DDIM, output clipped": "output is clipped to -0.5 ... 0.5",
    "DDPM, one noise for the whole batch": "noise of sample 0 is taken for the whole batch",
    "DPM multistep, r0 upside down": "r0 is upside down",
    "DPM multistep, base of the logarithm": "lambda of this level is of logarithms to base 10",
    "DPM multistep, samples of the batch moved on": "samples of the batch moved on by 1",
    "DPM multistep, rho of Karras": "rho of Karras' sigmas is 3, not 7",
    "DPM multistep, x0 of an exploding sample": "the sample in x0 is 1",
    "DPM multistep, history one too old": "the estimate of 2 calls ago is taken in the place of the estimate before",
    "Euler, channels in the opposite order": "channels in the opposite order",
    "Euler, rho of Karras": "rho of Karras' sigmas is 5, not 7",
    "Euler, output in half precision": "output goes through bfloat16",
    "Flow, output upside down": "output is taken upside down",
    "Flow, sigmas in bfloat16": "sigmas go through bfloat16",
    "Heun, slopes not averaged": "twice its own",
    "UniPC, corrector without the new output": "corrector leaves out the new output",
    "UniPC, order not lowered at the end": "order is not lowered to 1",
  ]

  @Test(arguments: words.keys.sorted()) func `the words say what was done`(name: String) throws {
    let golden = try #require(GoldenTraceTests.slips.first { $0.name == name })
    let text = try #require(Trace(SafetensorsFile(golden.file)).judged().diagnosis?.text)
    #expect(text.contains(Self.words[name]!), "\(text)")
  }

  @Test func `all mistakes of ports that were tried are known`() {
    #expect(GoldenTraceTests.slips.count == 54)
    #expect(GoldenTraceTests.slips.allSatisfy { $0.expected.mistake != nil })
  }

  @Test func `samples that were edited are told from steps that are wrong`() throws {
    let edited = Self.all.filter { $0.name.hasPrefix("edited: ") }
    #expect(edited.count == 4)
    for golden in edited {
      let file = try SafetensorsFile(golden.file)
      var draft = Draft()
      draft.metadata = file.metadata
      draft.tensors = file.tensors.filter { $0.key != "made" }.sorted { $0.key < $1.key }.map { name, tensor in
        let values = file.doubles(tensor)
        let raw = tensor.type == .int64 ? bytes(values.map { Int($0) }) : bytes(values.map { Float($0) })
        return (name, tensor.type == .int64 ? "I64" : "F32", tensor.shape, raw)
      }
      #expect(try draft.trace().judged().diagnosis?.mistake == "edited", "\(golden.name)")
    }
  }

  private func golden(_ name: String) throws -> GoldenTraceTests.Golden {
    try #require(Self.all.first { $0.name == name }, "\(name)")
  }

  /// A right trace with other metadata, and what is said of it.
  private func diagnosis(_ name: String, _ edit: (inout [String: String]) -> Void) throws -> Diagnosis? {
    let file = try SafetensorsFile(golden(name).file)
    var draft = Draft()
    draft.metadata = file.metadata
    edit(&draft.metadata)
    draft.tensors = file.tensors.sorted { $0.key < $1.key }.map { name, tensor in
      let values = file.doubles(tensor)
      let raw = tensor.type == .int64 ? bytes(values.map { Int($0) }) : bytes(values.map { Float($0) })
      return (name, tensor.type == .int64 ? "I64" : "F32", tensor.shape, raw)
    }
    return try draft.trace().judged().diagnosis
  }

  @Test func `what a trace does not say of its times is asked for`() throws {
    let late = try diagnosis("from 8 of 20: DDIMScheduler") { $0["first_step"] = nil }
    #expect(late?.mistake == "late-start" && late?.text == "the run begins with call 8 of 20: is first_step missing?")
    let given = try diagnosis("timesteps given: DPMSolverMultistepScheduler") { $0["step_arguments"] = nil }
    #expect(given?.mistake == "given-times" && given?.explained == given?.divergences)
  }

  /// What diffusers takes and nobody means: a start in the middle of a step, from which the sample
  /// does not move; times that the network was not trained at; times of which it takes the number.
  private static let refused = [
    "from 9 of 20, begun: FlowMatchHeunDiscreteScheduler": "first_step 9",
    "from 9 of 20, begun: HeunDiscreteScheduler": "first_step 9",
    "from 9 of 20, begun: KDPM2DiscreteScheduler": "first_step 9",
    "from 9 of 20: KDPM2DiscreteScheduler": "first_step 9",
    "timesteps given: DPMSolverMultistepScheduler, algorithm_type dpmsolver, final_sigmas_type sigma_min":
      "timesteps[0] 1500",
    "timesteps given: EulerDiscreteScheduler (2)": "timesteps[0] 1500",
    "timesteps given: DPMSolverSinglestepScheduler, use_flow_sigmas True, prediction_type flow_prediction, "
      + "flow_shift 3.0": "use_flow_sigmas chooses the times",
  ]

  @Test func `what nobody means is refused`() throws {
    let named = Self.all.filter { Self.refused[$0.name] != nil }
    #expect(named.count == Self.refused.count)
    for golden in named {
      let error = #expect(throws: TraceError.self) { try Trace(SafetensorsFile(golden.file)).judged() }
      #expect(error.map { "\($0)".contains(Self.refused[golden.name]!) } == true, "\(golden.name)")
    }
  }

  @Test(arguments: all.filter { refused[$0.name] == nil }) func `a run of a pipeline is right at every step`(
    golden: GoldenTraceTests.Golden
  ) throws {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged()
    #expect(judgement.agrees, "\(judgement.worst!) \(judgement.divergences) of \(judgement.steps.count)")
  }
}
