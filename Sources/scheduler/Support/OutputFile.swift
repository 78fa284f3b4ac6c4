import Foundation

/// A file that appears whole or not at all: it is written under a temporary name in its folder,
/// then renamed.
struct OutputFile {
  /// The path as it was given.
  let path: String
  private let target: URL

  /// A file that can be written. An existing one will be replaced; a link is followed.
  ///
  /// - Throws: `Failure` if the folder is missing or cannot be written to, or something other than
  ///   a file has the name.
  init(_ path: String) throws(Failure) {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw Failure("--output \"\" needs the name of a file") }
    self.path = path
    target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    let type = (try? FileManager.default.attributesOfItem(atPath: target.path))?[.type] as? FileAttributeType
    guard type != .typeDirectory, !path.hasSuffix("/") else {
      throw Failure("cannot write \(path): it is a folder; name a file in it")
    }
    guard type == nil || type == .typeRegular else {
      throw Failure("cannot write \(path): it is not a regular file; choose another name")
    }
    let folder = target.deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw Failure("cannot write \(path): there is no folder \(folder); create it or choose another")
    }
    // Finding out by trying: permissions, read-only disks and quotas have too many forms to ask
    // for.
    try probe()
  }

  /// Writes the file.
  ///
  /// - Parameter isWanted: asked when all is written; throws to leave everything as it was.
  func write(_ data: Data, isWanted: () throws -> Void = {}) throws {
    let temporary = temporaryName()
    do {
      try fill(temporary, with: data)
      try isWanted()
      guard rename(temporary, target.path) == 0 else { throw failure() }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  private func probe() throws(Failure) {
    let temporary = temporaryName()
    try fill(temporary, with: Data())
    unlink(temporary)
    guard target.lastPathComponent.utf8.count <= Int(NAME_MAX) else { throw failure(ENAMETOOLONG) }
  }

  private func fill(_ name: String, with data: Data) throws(Failure) {
    let file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw failure() }
    var rest = data[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else {
        let reason = errno
        close(file)
        unlink(name)
        throw failure(reason)
      }
      rest = rest.dropFirst(max(written, 0))
    }
    guard close(file) == 0 else { throw failure() }
  }

  private func temporaryName() -> String {
    target.deletingLastPathComponent().appendingPathComponent(".scheduler-\(UUID().uuidString).tmp").path
  }

  private func failure(_ reason: Int32 = errno) -> Failure {
    Failure("cannot write \(path): \(String(cString: strerror(reason))); choose another place with --output")
  }
}
