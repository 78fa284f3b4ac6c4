import SchedulersJSON

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
