/// Why a file cannot be read as safetensors, or cannot be written. Each is one line.
public enum SafetensorsError: Error, Hashable, Sendable {
  /// The file cannot be opened, mapped or written.
  case file(String, reason: String)
  /// The file is not safetensors, or lies about itself.
  case format(String)
  /// A tensor is not what the header says of it.
  case tensor(String, reason: String)
}

extension SafetensorsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let path, let reason): "\(path): \(reason)"
    case .format(let reason): "not a usable safetensors file: \(reason)"
    case .tensor(let name, let reason): "the tensor \(name.quoted) \(reason)"
    }
  }
}

extension String {
  /// In quotation marks, and not longer than a line: names come from files and may hold anything.
  package var quoted: String { "\"" + (count > 80 ? prefix(77) + "..." : self[...]) + "\"" }
}
