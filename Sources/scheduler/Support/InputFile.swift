import Foundation

/// A file that somebody names, read whole.
enum InputFile {
  /// The bytes of a regular file.
  ///
  /// - Parameters:
  ///   - option: how it was named, such as `--config`.
  ///   - kind: what it should be, such as "PNG".
  ///   - largest: how many bytes it may have.
  /// - Throws: `Failure` that names the option, the file and the remedy.
  static func read(_ path: String, option: String, kind: String, largest: Int = 64 << 20) throws(Failure) -> Data {
    func failure(_ reason: String) -> Failure { Failure("cannot read \(option) \(path.orQuotes): \(reason)") }
    switch FileStatus(path) {
    case .regular(let size):
      guard size <= largest else { throw failure("it is larger than \(largest >> 20) MiB; make it smaller") }
    case .folder: throw failure("it is a folder, not a regular file; name a \(kind)")
    case .other: throw failure("it is not a regular file; name a \(kind)")
    case .unknown(EACCES): throw failure("it may not be read; check the permissions of its folder")
    case .unknown: throw failure("there is no such file; name a \(kind)")
    }
    guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.readToEnd() ?? Data() else {
      throw failure("reading failed; check its permissions")
    }
    return data
  }
}
