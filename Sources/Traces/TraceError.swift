import SchedulersJSON
import SchedulersSafetensors

/// Why a file cannot be read as a trace, or a trace cannot be judged. Each is one line.
public enum TraceError: Error, Hashable, Sendable {
  /// The file cannot be opened or written, or is not sound safetensors.
  case safetensors(SafetensorsError)
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
    case .safetensors(let error): "\(error)"
    case .tensor(let name, let reason): "the tensor \(name.quoted) \(reason)"
    case .metadata(let key, let reason): "the metadata \(key.quoted) \(reason)"
    case .configuration(let reason): reason
    }
  }
}
