import SchedulersInterop
import SchedulersJSON
import SchedulersTraces

/// A plan as `scheduler plan --format json` writes it.
enum PlanFile {
  /// Reads a file.
  ///
  /// - Throws: `Failure` that names the file, what is wrong with it and the remedy.
  static func read(_ path: String) throws(Failure) -> PlanDocument {
    let data = try InputFile.read(path, option: "--plan", kind: "file of `scheduler plan --format json`")
    func failure(_ reason: String) -> Failure { Failure("cannot follow --plan \(path): the file \(reason)") }
    do {
      return try JSONText.decode(PlanDocument.self, from: Array(data))
    } catch let error as JSONCheck.Failure {
      throw failure("has \(error)")
    } catch let error as DecodingError {
      throw failure(TraceSource.reason(error))
    } catch {
      throw failure("cannot be read: \(error)")
    }
  }
}
