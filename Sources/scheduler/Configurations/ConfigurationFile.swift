import Foundation
import SchedulersJSON
import SchedulersSafetensors
import SchedulersTraces

/// A file that says how another library runs: a scheduler_config.json of diffusers, or the
/// arguments of guided-diffusion.
enum ConfigurationFile {
  /// The text of a file.
  ///
  /// - Throws: `Failure` if there is no such file, it is no text, larger than any configuration, or
  ///   the index of a pipeline.
  static func text(of path: String) throws(Failure) -> String {
    let data = try InputFile.read(path, option: "the configuration", kind: "scheduler_config.json", largest: 8 << 20)
    guard let text = String(validating: data, as: UTF8.self) else {
      do { try JSONCheck.check(Array(data)) } catch { throw Failure("cannot follow \(path): the file has \(error)") }
      throw Failure("cannot follow \(path): the file is no text in UTF-8; name a scheduler_config.json")
    }
    // Some answers of servers are JSON.
    if let kind = FileKind(Array(data)), case .serverAnswer = kind { throw Failure("cannot follow \(path): \(kind)") }
    if let index = try? JSONDecoder().decode(ModelIndex.self, from: data) {
      throw Failure(
        "cannot follow \(path): it is the model_index.json of \(index.className), whose scheduler, "
          + "\(index.scheduler), has a file of its own; name scheduler/scheduler_config.json beside it")
    }
    return text
  }

  /// The parts of a pipeline of diffusers, each with the library and the name of its class.
  private struct ModelIndex: Decodable {
    let className: String
    let scheduler: String

    private enum CodingKeys: String, CodingKey {
      case className = "_class_name"
      case scheduler
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      className = try container.decode(String.self, forKey: .className)
      let names = try container.decode([String?].self, forKey: .scheduler)
      scheduler = (names.last ?? nil) ?? "none"
    }
  }

  /// What a file says, with what a pipeline gives besides.
  ///
  /// - Parameter arguments: a JSON object; none if nil.
  /// - Throws: `Failure` that names the file, or the arguments, and what is wrong with them.
  static func source(_ path: String, arguments: String?) throws(Failure) -> TraceSource {
    try source(of: try text(of: path), named: path, arguments: arguments)
  }

  /// The same for the text of a file.
  static func source(of text: String, named path: String, arguments: String?) throws(Failure) -> TraceSource {
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
