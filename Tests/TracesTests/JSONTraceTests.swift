import Foundation
import SchedulersSafetensors
import Testing

@testable import SchedulersTraces

/// The trace of `Draft` as JSON.
@Suite struct `A trace in JSON` {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID().uuidString).json")
    .path

  private static func nested(_ values: [Double], _ shape: ArraySlice<Int>) -> String {
    guard let count = shape.first else { return "\(values[0])" }
    let size = values.count / count
    let parts = (0..<count).map { nested(Array(values[$0 * size..<($0 + 1) * size]), shape.dropFirst()) }
    return "[\(parts.joined(separator: ", "))]"
  }

  private static let text: String = {
    let file = try! SafetensorsFile(Draft().file)
    let tensors = ["timesteps", "samples", "model_outputs", "noises"].map { name in
      let tensor = file.tensors[name]!
      return "\"\(name)\": \(nested(file.doubles(tensor), tensor.shape[...]))"
    }
    let metadata = [
      "\"format\": \"scheduler-trace/1\"", "\"num_inference_steps\": 4",
      "\"scheduler_config\": \(file.metadata["scheduler_config"]!)",
    ]
    return "{\((metadata + tensors).joined(separator: ",\n"))}"
  }()

  /// What is said of a text.
  private func said(_ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    do {
      let trace = try Trace(contentsOf: path)
      return VerificationReport(of: trace, named: "trace", judgement: try trace.judged()).text
    } catch { return "\(error)" }
  }

  @Test func `is judged as the same in safetensors`() throws {
    let trace = try Draft().trace()
    let report = VerificationReport(of: trace, named: "trace", judgement: try trace.judged())
    #expect(try said(Array(Self.text.utf8)) == report.text)
    #expect(report.text.hasPrefix("trace: GaussianDiffusion.ddim_sample, 4 steps: right"))
  }

  private static let edits: [(String, String, String)] = [
    ("\"format\"", "'format'", "no key in quotation marks, but a single quotation mark, at line 1"),
    ("26.0, ", "26.0 ", "the file has no , or ] after an element at line 5, column 26"),
    ("[[[[[", "[[[[[[", "the file has"),
    ("\"samples\": [", "\"samples\": [[1], ", "its lists are not of one length"),
    ("\"timesteps\": [", "\"timesteps\": [\"a\", ", "has an unusable \"timesteps.Index 0\""),
    ("\"timesteps\": [", "\"timesteps\": [1e999, ", "has an unusable \"timesteps.Index 0\""),
    ("\"samples\": [", "\"samples\": null, \"x\": [", "has an unusable \"samples\""),
    ("\"samples\": [", "\"samples\": [NaN, ", "has an unusable \"samples.Index 0\": Expected"),
    ("\"steps\": 40", "\"steps\": 40.5", "\"steps\": 40.5 is not a whole number"),
    ("\"steps\": 40", "\"steps\": 40, \"steps\": 40", "the key \"steps\" for the second time"),
    ("\"scheduler-trace/1\"", "\"scheduler-trace/2\"", "not \"scheduler-trace/1\""),
    ("\"format\"", "\"forma\"", "it is JSON text; name the file with the tensors"),
  ]

  @Test(arguments: edits) func `is refused where it is none`(old: String, new: String, excerpt: String) throws {
    let said = try said(Array(Self.text.replacing(old, with: new, maxReplacements: 1).utf8))
    #expect(said.contains(excerpt), "\(said)")
    #expect(said.filter(\.isNewline).count < 2)
  }

  @Test func `has its place named where it is not UTF-8`() throws {
    var bytes = Array(Self.text.utf8)
    bytes[10] = 0xFF
    #expect(try said(bytes).contains("text that is not UTF-8 at line 1, column 11"))
  }

  @Test func `is not waited for where a pipe has its name`() throws {
    mkfifo(path, 0o600)
    defer { unlink(path) }
    let error = #expect(throws: TraceError.self) { try Trace(contentsOf: path) }
    #expect("\(error!)".contains("it is not a regular file"))
  }

  @Test func `that is wrong is reported as JSON, with words for what JSON does not have`() throws {
    var draft = Draft()
    draft.set("samples", 30, to: .nan)
    let trace = try draft.trace()
    let json = VerificationReport(of: trace, named: "a/\"b\".json", judgement: try trace.judged()).json
    #expect(json.hasSuffix("}\n") && json.contains("\"difference\":\"nan\""))
    let report = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect(
      report.keys.sorted() == [
        "agrees", "deviations", "divergences", "file", "first", "ignoredKeys", "judgement", "worst",
      ])
    #expect(report["file"] as? String == "a/\"b\".json" && report["agrees"] as? Bool == false)
  }
}
