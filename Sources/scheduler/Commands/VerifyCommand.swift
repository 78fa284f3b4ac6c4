import ArgumentParser
import Foundation
import Schedulers
import SchedulersInterop
import SchedulersSafetensors
import SchedulersTraces

/// Thrown where a trace was judged and is wrong: exit status 1, with everything said.
struct Divergence: Error {}

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract:
      "Says whether a recorded run of a scheduler is right, and if not, where it goes wrong and what the mistake may "
      + "be.",
    discussion: """
      The trace is a safetensors file that Fixtures/record_trace.py writes from diffusers or guided-diffusion, or \
      `TraceRecorder` from Swift, or the same as JSON, as `scheduler run` writes it; Docs/Verify.md describes both. \
      Every step is made again from what was recorded before it, so that one wrong step does not hide the next. Exit \
      status: 0 if every step agrees, 1 if one diverges, 2 if the trace cannot be judged.
      """)

  @Argument(help: "The trace, a .safetensors file, or JSON.")
  var trace: String

  @Option(
    parsing: .unconditional,
    help: """
      How far off a step may be, relative to its largest scalar, or absolutely where that is below 1. (default: \
      0.0002, and what the roundings of half precision explain)
      """)
  var tolerance: Double?

  @Option(help: "diffusers: judge by what the trace's source does; corrected: by the mathematics.")
  var fidelity = Fidelity.diffusers.rawValue

  @Flag(help: "Print the judgement of every step as JSON.")
  var json = false

  @Option(name: [.long, .customShort("o")], help: "A file for a chart of the deviation at each step, .svg or .png.")
  var report: String?

  func run() throws {
    if let tolerance { try check("--tolerance", tolerance, in: 0...1e6) }
    guard let fidelity = Fidelity(rawValue: fidelity) else {
      throw Failure.unknown("fidelity", fidelity, known: Fidelity.allCases.map(\.rawValue))
    }
    let file = try report.map { path throws(Failure) in try ChartFile(path, option: "--report") }
    let recorded: Trace
    let judgement: Judgement
    do {
      recorded = try Trace(contentsOf: trace)
      judgement = try recorded.judged(fidelity: fidelity, tolerance: tolerance)
    } catch TraceError.safetensors(.file(_, let reason)) {
      throw Failure("cannot judge \(trace.orQuotes): \(reason); name a trace")
    } catch {
      throw Failure("cannot judge \(trace): \(error)")
    }
    let verdict = VerificationReport(of: recorded, named: trace, judgement: judgement)
    try file?.write(verdict.chart(fidelity))
    try Console.output.print(json ? verdict.json : verdict.text)
    if !judgement.agrees { throw Divergence() }
  }
}
