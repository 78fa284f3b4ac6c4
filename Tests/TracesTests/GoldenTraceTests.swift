import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import SchedulersSafetensors
import Testing

@testable import SchedulersTraces

/// Runs that diffusers and guided-diffusion made, right and with one mistake each, and what a right
/// scheduler of theirs says of them.
@Suite struct GoldenTraceTests {
  struct Golden: Sendable, CustomTestStringConvertible {
    let name: String
    let file: [UInt8]
    let expected: Expected
    var testDescription: String { name }
  }

  struct Expected: Decodable {
    let metadata: [String: String]
    let status: Int
    let step: Int?
    let mistake: String?
    /// Words of the diagnosis, or why there is none.
    let words: String?
  }

  /// The traces of the bundles, each as a file of its own.
  private static let all: [Golden] =
    ["traces.safetensors", "long-traces.safetensors", "guided-traces.safetensors"].flatMap(read)

  /// Runs that torch's square root decides: as it is on AMD's processors, and rounded correctly.
  static let rooted = read("root-traces.safetensors")

  static func read(_ name: String) -> [Golden] {
    guard let bundle = try? SafetensorsFile(Array(Fixtures.data(name))) else { return [] }
    let listed = Data((bundle.metadata["traces"] ?? "").utf8)
    guard let listed = try? JSONDecoder().decode([String: Expected].self, from: listed) else { return [] }
    return listed.sorted { $0.key < $1.key }.map { key, expected in
      var draft = Draft()
      draft.metadata = expected.metadata
      draft.tensors = ["timesteps", "samples", "model_outputs", "noises", "made"].compactMap { tensor in
        guard let entry = bundle.tensors["\(key)/\(tensor)"] else { return nil }
        let values = bundle.doubles(entry)
        let raw: [UInt8]
        switch entry.type {
        case .int64: raw = bytes(values.map { Int($0) })
        case .float64: raw = littleEndian(values.map(\.bitPattern))
        case .float16, .bfloat16: raw = littleEndian(values.map { half($0, isBrain: entry.type == .bfloat16) })
        default: raw = bytes(values.map { Float($0) })
        }
        return (tensor, entry.type.rawValue, entry.shape, raw)
      }
      return Golden(name: key, file: draft.file, expected: expected)
    }
  }

  private static func littleEndian(_ words: [some FixedWidthInteger]) -> [UInt8] {
    words.map(\.littleEndian).withUnsafeBytes { Array($0) }
  }

  /// The bits of a number that one of the half types has.
  private static func half(_ x: Double, isBrain: Bool) -> UInt16 {
    let bits = Float(x).bitPattern
    guard !isBrain else { return UInt16(bits >> 16) }
    let (sign, magnitude) = (UInt16(bits >> 16) & 0x8000, abs(x))
    if magnitude < 0x1p-14 { return sign | UInt16(magnitude * 0x1p24) }
    let exponent = Int(magnitude.exponent)
    return sign | UInt16((exponent + 15) << 10) | UInt16((magnitude.significand - 1) * 1024)
  }

  /// Wrong runs of diffusers' classes with one line changed.
  static let slips = read("slip-traces.safetensors")

  static let right = all.filter { $0.expected.status == 0 }
  static let wrong = all.filter { $0.expected.status == 1 }

  @Test func `every class, every method and every mistake is there`() throws {
    var missing = Set(DiffusersConfiguration.Class.allCases)
    var methods = Set(GuidedDiffusionConfiguration.Method.allCases)
    for golden in Self.right {
      switch try Trace(SafetensorsFile(golden.file)).source {
      case .diffusers(let configuration, _): missing.remove(configuration.schedulerClass)
      case .guidedDiffusion(let configuration): methods.remove(configuration.sampler)
      case .kDiffusion, .plan: Issue.record("a run of neither diffusers nor guided-diffusion")
      }
    }
    // A run of RePaint needs a picture to fill in, which a trace does not hold.
    #expect(missing == [.rePaint] && methods.isEmpty && Self.wrong.count == 68)
    let named = Set((Self.wrong + Self.slips).compactMap(\.expected.mistake))
    // Those of times and of samples are made by changing what a right trace says, in
    // PipelineTraceTests.
    let told = [Mistake.lateStart, .pipelineTimes, .givenTimes, .edited].map(\.rawValue)
    #expect(named.union(told).count == Mistake.allCases.count - 1, "\(named)")
  }

  @Test(arguments: right) func `a right run is right at every step`(golden: Golden) throws {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged()
    #expect(judgement.agrees && judgement.diagnosis == nil, "\(String(describing: judgement.first))")
  }

  @Test func `runs that torch's square root decides are there with both`() {
    #expect(Self.rooted.count == 8 && Self.rooted.count { $0.name.hasSuffix("MKL") } == 4)
  }

  @Test(arguments: rooted) func `a run is right with either of torch's square roots, and not with the other`(
    golden: Golden
  )
    throws
  {
    var trace = try Trace(SafetensorsFile(golden.file))
    let judgement = try trace.judged()
    #expect(judgement.agrees, "\(String(describing: judgement.first))")
    // Whichever is tried first.
    trace.torch = trace.torch.elsewhere
    #expect(try trace.judged() == judgement)
    let plan = try trace.source.plan(steps: trace.inferenceSteps, fidelity: .diffusers, in: trace.torch)
    let isOwn = Judge(trace, plan: plan, tolerance: Trace.defaultTolerance).judgement(fidelity: .diffusers).agrees
    #expect(isOwn == golden.name.hasSuffix("MKL"))
  }

  @Test(arguments: wrong) func `a wrong run is wrong from the right step on, for the right reason`(golden: Golden)
    throws
  {
    let judgement = try Trace(SafetensorsFile(golden.file)).judged()
    #expect(judgement.first?.step == golden.expected.step)
    let diagnosis = try #require(judgement.diagnosis)
    #expect(diagnosis.mistake == golden.expected.mistake, "\(diagnosis.text)")
    #expect(diagnosis.explained >= 1 && diagnosis.divergences == judgement.divergences)
  }
}
