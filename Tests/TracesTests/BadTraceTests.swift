import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersSafetensors
import Testing

@testable import SchedulersTraces

/// Files that are sound safetensors and no sound traces: an error in one line that names what is
/// wrong.
@Suite struct BadTraceTests {
  private func reason(_ edit: (inout Draft) -> Void) -> String {
    var draft = Draft()
    edit(&draft)
    do {
      return "judged, agrees: \(try draft.trace().judged().agrees)"
    } catch {
      return "\(error)"
    }
  }

  private func configuration(_ text: String) -> String { reason { $0.metadata["scheduler_config"] = text } }

  @Test(arguments: ["timesteps", "samples", "model_outputs"]) func `a missing tensor is named`(name: String) {
    #expect(reason { $0.tensors.remove(at: $0[name]) }.contains("\"\(name)\" is missing"))
  }

  @Test func `noises may be missing where no step draws, and only there`() {
    #expect(reason { $0.tensors.remove(at: $0["noises"]) } == "judged, agrees: true")
    var draft = Draft(eta: 1)
    draft.tensors.remove(at: draft["noises"])
    #expect(throws: TraceError.tensor("noises", reason: "is missing, and the steps draw noise")) {
      try draft.trace().judged()
    }
  }

  @Test(arguments: ["format", "scheduler_config", "num_inference_steps"])
  func `missing metadata is named`(key: String) {
    #expect(reason { $0.metadata[key] = nil }.contains("\"\(key)\" is missing"))
  }

  @Test func `another format is refused`() {
    #expect(reason { $0.metadata["format"] = "scheduler-trace/2" }.contains("not \"scheduler-trace/1\""))
  }

  @Test(arguments: ["", "0", "-4", "4.0", "four", "٤", "99999999999999999999", " 4", "+4", "0x4"])
  func `a number of steps that is none is refused`(text: String) {
    #expect(reason { $0.metadata["num_inference_steps"] = text }.contains("num_inference_steps"))
  }

  @Test(arguments: ["3", "5", "1000", "1000000", "9223372036854775807"])
  func `a number of steps other than those recorded is refused`(text: String) {
    #expect(reason { $0.metadata["num_inference_steps"] = text }.contains("4"))
    #expect(!reason { $0.metadata["num_inference_steps"] = text }.contains("judged"))
  }

  /// Shapes that hold as much as the right ones, and so are sound safetensors.
  private static let shapes: [(String, [Int])] = [
    ("timesteps", [2, 2]), ("timesteps", [1, 4]), ("samples", [120]), ("samples", [4, 30]), ("samples", [5, 2, 12]),
    ("samples", [5, 3, 2, 2, 2]), ("model_outputs", [4, 1, 6, 2, 2]), ("model_outputs", [4, 2, 3, 4]),
    ("model_outputs", [96]),
    ("model_outputs", [2, 2, 6, 2, 2]), ("noises", [4, 2, 3, 4]), ("noises", [96]),
  ]

  @Test(arguments: shapes) func `shapes that do not fit are refused`(name: String, shape: [Int]) {
    let reason = reason { $0.tensors[$0[name]].shape = shape }
    #expect(reason.contains("has the shape"), "\(reason)")
  }

  @Test func `empty tensors are refused`() {
    let reason = reason { draft in
      for (i, tensor) in draft.tensors.enumerated() {
        draft.tensors[i].shape = tensor.shape.count > 1 ? [tensor.shape[0], 0, 3, 2, 2] : tensor.shape
        if tensor.shape.count > 1 { draft.tensors[i].bytes = [] }
      }
    }
    #expect(reason.contains("has the shape"))
    #expect(self.reason { $0.tensors[$0["timesteps"]] = ("timesteps", "I64", [0], []) }.contains("has the shape"))
  }

  @Test func `other types are refused`() {
    #expect(reason { $0.tensors[$0["samples"]].type = "I32" }.contains("I32; they must be F32, F64, F16 or BF16"))
    #expect(
      reason { $0.tensors[$0["timesteps"]].type = "U64" }.contains("they must be I64, I32, F32, F64, F16 or BF16"))
  }

  @Test func `timesteps that are not finite are refused`() {
    let reason = reason {
      $0.tensors[$0["timesteps"]] = ("timesteps", "F32", [4], bytes([999, .nan, 333, 0] as [Float]))
    }
    #expect(reason.contains("nan at step 1"))
  }

  @Test func `an output with two halves is refused where no variance is learned, and one without where it is`() {
    let doubled = reason { draft in
      let index = draft["model_outputs"]
      draft.tensors[index].shape[2] = 6
      draft.tensors[index].bytes += draft.tensors[index].bytes
    }
    #expect(doubled.contains("learns no variance"))
    let single = reason { draft in
      draft.metadata["scheduler_config"] = draft.metadata["scheduler_config"]!.replacing(
        "{", with: "{\"learn_sigma\": true,")
    }
    #expect(single.contains("twice as many"))
  }

  private static let configurations: [(String, String)] = [
    ("", "an end"), ("{", "no key"), ("[]", "JSON object"), ("{}", "_class_name"), ("null", "JSON object"),
    ("3", "JSON object"),
    (#"{"_class_name": 3}"#, "_class_name"),
    (#"{"_class_name": "KarrasVeScheduler"}"#, "KarrasVeScheduler is not supported"),
    (#"{"_class_name": "GaussianDiffusion", "steps": "many"}"#, "steps"),
    (#"{"_class_name": "GaussianDiffusion", "steps": 1e300}"#, "steps"),
    (#"{"_class_name": "GaussianDiffusion", "steps": NaN}"#, "steps"),
    (#"{"_class_name": "GaussianDiffusion", "steps": 0}"#, "steps 0"),
    (#"{"_class_name": "GaussianDiffusion", "steps": 1000000000}"#, "steps 1000000000"),
    (#"{"_class_name": "GaussianDiffusion", "noise_schedule": "wavy"}"#, "noise_schedule wavy"),
    (#"{"_class_name": "GaussianDiffusion", "timestep_respacing": "ddim999"}"#, "ddim999"),
    (#"{"_class_name": "GaussianDiffusion", "timestep_respacing": "a,b"}"#, "timestep_respacing"),
    (#"{"_class_name": "GaussianDiffusion", "timestep_respacing": [9223372036854775807, 1]}"#, "cannot keep"),
    (#"{"_class_name": "GaussianDiffusion", "timestep_respacing": [-1]}"#, "cannot keep"),
    (#"{"_class_name": "GaussianDiffusion", "timestep_respacing": {}}"#, "timestep_respacing"),
    (#"{"_class_name": "GaussianDiffusion", "sampler": "magic", "timestep_respacing": "4"}"#, "sampler"),
    (
      #"{"_class_name": "GaussianDiffusion", "sampler": "ddim_sample", "eta": NaN, "timestep_respacing": "4"}"#,
      "eta nan"
    ),
    (
      #"{"_class_name": "GaussianDiffusion", "sampler": "ddim_sample", "eta": -Infinity, "timestep_respacing": "4"}"#,
      "eta -inf"
    ),
    (
      #"{"_class_name": "GaussianDiffusion", "sampler": "ddim_reverse_sample", "eta": 1, "timestep_respacing": "4"}"#,
      "eta 1"
    ),
    (#"{"_class_name": "GaussianDiffusion", "_class_name": "DDIMScheduler"}"#, "second time"),
    (#"{"_class_name": "DDIMScheduler", "num_train_timesteps": 1000000000000}"#, "num_train_timesteps"),
    (#"{"_class_name": "DDIMScheduler", "num_train_timesteps": 3}"#, "4 steps"),
    (#"{"_class_name": "DDIMScheduler", "beta_end": NaN}"#, "beta"),
    (#"{"_class_name": "DDIMScheduler", "beta_start": -Infinity}"#, "beta"),
    (
      #"{"_class_name": "DDIMScheduler", "beta_start": 1e400}"#,
      "\"beta_start\": it is, or it holds, a number that is larger"
    ),
    (
      #"{"_class_name": "DDIMScheduler", "trained_betas": [-1e400]}"#, "\"trained_betas\": it is, or it holds, a number"
    ),
    (#"{"_class_name": "DDIMScheduler", "steps_offset": 4000}"#, "lower steps_offset"),
    (#"{"_class_name": "DDIMScheduler", "steps_offset": 9223372036854775807}"#, "lower steps_offset"),
    (#"{'_class_name': 'DDIMScheduler'}"#, "no key"), (#"{"_class_name": "DDIMScheduler",}"#, "no key"),
  ]

  @Test(arguments: configurations) func `a configuration that cannot be followed is refused`(
    text: String, excerpt: String
  ) {
    let reason = configuration(text)
    #expect(reason.contains(excerpt) && !reason.contains("judged"), "\(reason)")
  }

  @Test func `a configuration of a hundred thousand brackets is refused`() {
    #expect(
      configuration(#"{"_class_name": "DDIMScheduler", "a": "# + String(repeating: "[", count: 100_000)).contains(
        "nested"))
    #expect(reason { $0.metadata["step_arguments"] = String(repeating: "[", count: 100_000) }.contains("nested"))
  }

  @Test func `NaN and -Infinity under keys without effect do not matter`() {
    let reason = reason { draft in
      draft.metadata["scheduler_config"] = draft.metadata["scheduler_config"]!.replacing(
        "{", with: "{\"a\": NaN, \"b\": -Infinity,")
    }
    #expect(reason == "judged, agrees: true")
  }

  @Test func `step arguments that are not known are refused`() {
    #expect(reason { $0.metadata["step_arguments"] = #"{"eta": 1}"# }.contains("\"eta\""))
    let reason = reason { draft in
      draft.metadata["scheduler_config"] = #"{"_class_name": "DDIMScheduler"}"#
      draft.metadata["step_arguments"] = #"{"magic": 1}"#
    }
    #expect(reason.contains("magic"))
  }

  @Test func `a truncated trace is refused at every length`() {
    let whole = Draft().file
    for length in stride(from: 0, to: whole.count, by: 7) {
      #expect(throws: SafetensorsError.self) { try Trace(SafetensorsFile(Array(whole.prefix(length)))) }
    }
  }

  @Test func `any byte of the header may be changed without a trap`() throws {
    let whole = Draft().file
    var judged = 0
    for position in 0..<whole.count - 2 * 24 * 4 * 4 - 5 * 24 * 4 where position.isMultiple(of: 7) {
      for value in [UInt8(0), 0xFF, whole[position] ^ 1, UInt8(ascii: "9")] {
        var edited = whole
        edited[position] = value
        // With a tolerance that only other timesteps exceed, for the sake of time: a diagnosis
        // takes many plans.
        if let judgement = try? Trace(SafetensorsFile(edited)).judged(tolerance: 1e6) {
          judged += judgement.steps.count
        }
      }
    }
    #expect(judged > 0)
  }
}
