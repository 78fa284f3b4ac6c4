import SchedulersInterop
import SchedulersSafetensors
import Testing

@testable import SchedulersTraces

/// Runs of released files through diffusers' own pipelines with tiny random networks, and such runs
/// where one line of the scheduler or of the pipeline is another.
@Suite struct RealPipelineTests {
  static let right = GoldenTraceTests.read("real-pipelines.safetensors")
  static let broken = GoldenTraceTests.read("broken-pipelines.safetensors")

  @Test func `runs of many classes are there, late, early, given, edited, and of each type`() throws {
    #expect(Self.right.count == 73 && Self.broken.count == 46)
    var (classes, types, edited): (Set<String>, [Trace.Precision: Int], Int) = ([], [:], 0)
    for golden in Self.right {
      let trace = try Trace(SafetensorsFile(golden.file))
      classes.insert(trace.source.name)
      types[trace.precision(of: .outputs), default: 0] += 1
      edited += trace.isEdited ? 1 : 0
    }
    #expect(classes.count >= 23, "\(classes.sorted())")
    for type in [Trace.Precision.float32, .float16, .bfloat16] { #expect(types[type, default: 0] >= 15, "\(types)") }
    #expect(edited >= 4)
    func count(_ key: String, _ value: (String) -> Bool) -> Int {
      Self.right.count { $0.expected.metadata[key].map(value) == true }
    }
    #expect(count("first_step") { $0 != "0" } >= 10 && count("begin_index") { $0 == "true" } >= 20)
    for argument in ["sigmas", "timesteps", "mu", "strength", "eta"] {
      #expect(count("step_arguments") { $0.contains("\"\(argument)\"") } >= 1, "\(argument)")
    }
  }

  @Test(arguments: right) func `a run of a real pipeline is right at every step`(golden: GoldenTraceTests.Golden) throws
  {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged()
    #expect(judgement.agrees, "\(judgement.worst!) \(judgement.divergences) of \(judgement.steps.count)")
  }

  /// The diagnosis, if it explains every step that diverges.
  private static func named(_ judgement: Judgement) -> Diagnosis? {
    judgement.diagnosis.flatMap { $0.explained == $0.divergences ? $0 : nil }
  }

  @Test(arguments: broken) func `a broken run is wrong from the right step on, for the right reason`(
    golden: GoldenTraceTests.Golden
  ) throws {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged()
    #expect(judgement.first?.step == golden.expected.step)
    let diagnosis = Self.named(judgement)
    #expect(diagnosis?.mistake == golden.expected.mistake, "\(judgement.diagnosis as Any)")
    if let diagnosis { #expect(diagnosis.text.contains(golden.expected.words!), "\(diagnosis.text)") }
  }

  /// The others stand in `Fixtures/recipes/real_pipelines.py` with the reason.
  @Test func `of forty-six broken runs the cause of two is not named`() {
    let unnamed = Self.broken.filter { $0.expected.mistake == nil }.map(\.name)
    #expect(unnamed == ["DPM++ on flow, signal of a sphere", "UniPC, ratio with the other sign"])
    #expect(Self.broken.allSatisfy { $0.expected.words?.isEmpty == false })
  }
}
