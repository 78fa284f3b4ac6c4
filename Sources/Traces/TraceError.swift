/// Why a file cannot be read as a trace, or a trace cannot be judged. Each is one line.
public enum TraceError: Error, Hashable, Sendable {
  /// The file cannot be opened, mapped or written.
  case file(String, reason: String)
  /// The file is not safetensors, or lies about itself.
  case format(String)
  /// A tensor is missing, or is not what a trace has under its name.
  case tensor(String, reason: String)
  /// An entry of the metadata is missing, or is not what a trace has under its name.
  case metadata(String, reason: String)
  /// The configuration cannot be followed.
  case configuration(String)
}

extension TraceError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let path, let reason): "\(path): \(reason)"
    case .format(let reason): "not a usable safetensors file: \(reason)"
    case .tensor(let name, let reason): "the tensor \(name.quoted) \(reason)"
    case .metadata(let key, let reason): "the metadata \(key.quoted) \(reason)"
    case .configuration(let reason): reason
    }
  }
}

extension String {
  /// In quotation marks, and not longer than a line: names come from files and may hold anything.
  var quoted: String { "\"" + (count > 80 ? prefix(77) + "..." : self[...]) + "\"" }
}
