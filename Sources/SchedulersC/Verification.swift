import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersTraces

@_cdecl("schedulers_verify")
public func schedulersVerify(
  _ path: UnsafePointer<CChar>?, _ options: UnsafePointer<CChar>?,
  _ answer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  SchedulersC.answer(error) {
    let place = try required(answer, "answer")
    place.pointee = nil
    let path = try text(path, "path")
    var request = try Request(options.map { try text($0, "options") } ?? "{}")
    let tolerance = try request.number("tolerance", in: 0...1e6)
    let fidelity =
      try request.choice(
        "fidelity", of: "fidelity", among: Fidelity.allCases.map(\.rawValue), Fidelity.init(rawValue:)) ?? .diffusers
    try request.finish()
    do {
      let trace = try Trace(contentsOf: path)
      let judgement = try trace.judged(fidelity: fidelity, tolerance: tolerance)
      try give(VerificationReport(of: trace, named: path, judgement: judgement).jsonWithText, to: place)
    } catch let failure as TraceError {
      throw Refusal(SCHEDULERS_FILE, "cannot judge \(path): \(failure)")
    }
  }
}
