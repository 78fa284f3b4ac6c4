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
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    guard !path.isEmpty, !path.utf8.contains(0),
      let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    else { throw Failure("cannot read \(option) \(path): there is no such file; name a \(kind)") }
    guard attributes[.type] as? FileAttributeType == .typeRegular else {
      throw Failure("cannot read \(option) \(path): it is not a regular file; name a \(kind)")
    }
    guard let size = attributes[.size] as? Int, size <= largest else {
      throw Failure("cannot read \(option) \(path): it is larger than \(largest >> 20) MiB; make it smaller")
    }
    guard let data = try? Data(contentsOf: url) else {
      throw Failure("cannot read \(option) \(path): reading failed; check its permissions")
    }
    return data
  }
}
