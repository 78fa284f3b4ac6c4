import Foundation

/// What has a path, links followed.
///
/// Paths go to the system as they are. `URL` would put the name of the working folder before them,
/// which need not be text.
enum FileStatus: Equatable {
  /// With its size in bytes.
  case regular(Int)
  case folder
  /// A pipe or a device.
  case other
  /// With the reason, a number of `errno`.
  case unknown(Int32)

  init(_ path: String) {
    var status = stat()
    guard !path.isEmpty, !path.utf8.contains(0) else {
      self = .unknown(ENOENT)
      return
    }
    guard stat(path, &status) == 0 else {
      self = .unknown(errno)
      return
    }
    switch status.st_mode & mode_t(S_IFMT) {
    case mode_t(S_IFREG): self = .regular(Int(status.st_size))
    case mode_t(S_IFDIR): self = .folder
    default: self = .other
    }
  }
}
