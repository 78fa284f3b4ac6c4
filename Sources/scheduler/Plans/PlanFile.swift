import Foundation
import SchedulersInterop
import SchedulersJSON
import SchedulersSafetensors
import SchedulersTraces

/// A plan as `scheduler plan --format json` writes it.
enum PlanFile {
  /// Reads a file.
  ///
  /// - Throws: `Failure` that names the file, what is wrong with it and the remedy.
  static func read(_ path: String) throws(Failure) -> PlanDocument {
    let data = try InputFile.read(path, option: "--plan", kind: "file of `scheduler plan --format json`")
    func failure(_ reason: String) -> Failure { Failure("cannot follow --plan \(path): the file \(reason)") }
    do { try JSONCheck.check(Array(data)) } catch { throw failure("has \(error)") }
    do { return try JSONDecoder().decode(PlanDocument.self, from: data) } catch let error as DecodingError {
      throw failure(TraceSource.reason(error))
    } catch { throw failure("cannot be read: \(error)") }
  }
}
