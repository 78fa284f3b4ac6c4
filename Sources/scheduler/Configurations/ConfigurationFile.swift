import Foundation
import Traces

/// A file that says how another library runs: a scheduler_config.json of diffusers, or the arguments
/// of guided-diffusion.
enum ConfigurationFile {
  /// The text of a file.
  ///
  /// - Throws: `Failure` if there is no such file, it is no text, or larger than any configuration.
  static func text(of path: String) throws(Failure) -> String {
    let data = try InputFile.read(path, option: "the configuration", kind: "scheduler_config.json", largest: 8 << 20)
    guard let text = String(validating: data, as: UTF8.self) else {
      throw Failure("cannot read the configuration \(path): it is no text in UTF-8; name a scheduler_config.json")
    }
    return text
  }

  /// What a file says, with what a pipeline gives besides.
  ///
  /// - Parameter arguments: a JSON object; none if nil.
  /// - Throws: `Failure` that names the file, or the arguments, and what is wrong with them.
  static func source(_ path: String, arguments: String?) throws(Failure) -> TraceSource {
    let text = try text(of: path)
    do {
      return try TraceSource(configuration: text, stepArguments: arguments)
    } catch TraceError.metadata("step_arguments", let reason) {
      throw Failure("cannot follow --arguments \(arguments ?? ""): the text \(reason)")
    } catch TraceError.metadata(_, let reason) {
      throw Failure("cannot follow \(path): the file \(reason)")
    } catch {
      throw Failure("cannot follow \(path): \(error)")
    }
  }
}
