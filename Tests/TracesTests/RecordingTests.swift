import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersSafetensors
import SchedulersTraces
import Testing

@Suite struct RecordingTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("traces-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  private func source(_ text: String, _ arguments: String? = nil) throws -> TraceSource {
    try TraceSource(configuration: text, stepArguments: arguments)
  }

  private static let sources: [(String, String?, Int)] = [
    (
      #"{"_class_name": "DDIMScheduler", "clip_sample": false}"#, #"{"eta": 0.5, "use_clipped_model_output": true}"#, 10
    ),
    (#"{"_class_name": "EulerAncestralDiscreteScheduler", "beta_schedule": "scaled_linear"}"#, nil, 7),
    (
      #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true}"#,
      #"{"mu": 1.15, "sigmas": [1, 0.7, 0.2]}"#, 3
    ), (#"{"_class_name": "RePaintScheduler", "clip_sample": false}"#, #"{"jump_length": 2, "jump_n_sample": 3}"#, 6),
    (#"{"_class_name": "HeunDiscreteScheduler"}"#, nil, 5),
    (#"{"_class_name": "DPMSolverMultistepScheduler"}"#, nil, 20),
    (
      #"{"_class_name": "GaussianDiffusion", "timestep_respacing": "5", "learn_sigma": true, "rescale_timesteps": "#
        + #"true}"#,
      nil,
      5
    ),
  ]

  @Test(arguments: sources) func `a run of this library is recorded, and judged right`(
    text: String, arguments: String?, steps: Int
  ) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = try source(text, arguments)
    let plan = try source.plan(steps: steps)
    try expectRecording(of: source, plan, steps: steps)
    // The same by the plan alone, which says its number of calls itself.
    try expectRecording(of: .plan(plan), plan, steps: plan.steps.count)
    #expect(throws: TraceError.self) { try TraceSource.plan(plan).plan(steps: plan.steps.count + 1) }
  }

  private func expectRecording(of source: TraceSource, _ plan: SamplingPlan, steps: Int) throws {
    var noise = GaussianNoise(seed: 1)
    let zeros = SampleBatch<Float>(zeros: [2, 2, 3, 3])
    var run = SamplingRun(plan, from: SampleBatch.combination([(plan.initialScale, noise.next(like: zeros))]))
    var recorder = TraceRecorder(source, steps: steps, from: run.sample)
    while let query = run.query {
      var output = noise.next(like: zeros)
      if plan.learnsVariance {
        output = SampleBatch(shape: [2, 4, 3, 3], scalars: output.scalars + noise.next(like: zeros).scalars)
      }
      let z = run.needsNoise ? noise.next(like: run.sample) : nil
      run.advance(output: output, noise: z)
      recorder.record(timestep: query.timestep, output: output, noise: z, sample: run.sample)
    }
    let path = folder.appendingPathComponent("trace.safetensors").path
    try recorder.write(to: path)
    let trace = try Trace(contentsOf: path)
    #expect(trace.source == source && trace.inferenceSteps == steps && trace.steps == plan.steps.count)
    let judgement = try trace.judged()
    #expect(judgement.agrees, "\(String(describing: judgement.first))")

    // What the file has is enough to make the same run again.
    let replayed = try Replay(source, steps: steps).run(over: SafetensorsFile(contentsOf: path), seed: 0)
    let again = folder.appendingPathComponent("again.safetensors").path
    try replayed.write(to: again)
    #expect(try Trace(contentsOf: again).judged().agrees)
  }

  @Test func `nothing recorded is an error, and other shapes are the programmer's`() async throws {
    let source = try source(#"{"_class_name": "DDIMScheduler"}"#)
    #expect(throws: TraceError.self) {
      try TraceRecorder(source, steps: 1, from: SampleBatch<Float>(zeros: [1, 2])).write(to: folder.path + "/a")
    }
    try FileManager.default.removeItem(at: folder)
    await #expect(processExitsWith: .failure) {
      let source = try TraceSource(configuration: #"{"_class_name": "DDIMScheduler"}"#)
      var recorder = TraceRecorder(source, steps: 1, from: SampleBatch<Float>(zeros: [1, 2]))
      let other = SampleBatch<Float>(zeros: [1, 3])
      recorder.record(timestep: 0, output: other, noise: nil, sample: other)
    }
  }

  @Test func `outputs that do not fit the run are refused`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = try source(#"{"_class_name": "GaussianDiffusion", "timestep_respacing": "4", "learn_sigma": true}"#)
    let file = try SafetensorsFile(Draft().file)
    // Three channels, which have no halves; then three steps where four are made.
    #expect(throws: TraceError.self) { try Replay(source, steps: nil).run(over: file, seed: 0) }
    let other = try self.source(#"{"_class_name": "DDIMScheduler"}"#)
    #expect(throws: TraceError.self) { try Replay(other, steps: 3).run(over: file, seed: 0) }
    #expect(throws: TraceError.self) { try Replay(other, steps: nil) }
    #expect(throws: TraceError.self) { try Replay(other, steps: 0) }
    #expect(throws: TraceError.self) {
      try Replay(other, steps: 4).run(over: SafetensorsFile(safetensors("{}")), seed: 0)
    }
    #expect(try Replay(other, steps: 4).run(over: file, seed: 0).steps == 4)
  }
}
