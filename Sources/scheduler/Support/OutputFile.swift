import Foundation

/// A file that appears whole or not at all: it is written under a temporary name in its folder,
/// then renamed.
struct OutputFile {
  /// The path as it was given.
  let path: String
  /// The option that names it, or its folder.
  private let option: String
  /// Where links lead to.
  private let target: String

  /// A file that can be written. An existing one will be replaced; a link is followed.
  ///
  /// - Parameters:
  ///   - option: the option that names it, or its folder, for remedies.
  ///   - extensions: what its name may end in, in small letters, the first as an example; empty for
  ///     anything.
  /// - Throws: `Failure` if the folder is missing or cannot be written to, or something other than
  ///   a file has the name, or it ends in something else.
  init(_ path: String, option: String = "--output", extensions: [String] = []) throws(Failure) {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw Failure("\(option) \"\" needs the name of a file") }
    (self.path, self.option) = (path, option)
    target = Self.followed(path)
    let status = FileStatus(target)
    guard status != .folder, !path.hasSuffix("/") else {
      throw Failure("cannot write \(path): it is a folder; name a file in it")
    }
    guard status != .other else {
      throw Failure("cannot write \(path): it is not a regular file; choose another name with \(option)")
    }
    guard FileStatus(folder.isEmpty ? "." : folder) == .folder else {
      throw Failure(
        "cannot write \(path): there is no folder \(folder.dropLast()); create it, or choose another with \(option)")
    }
    guard extensions.isEmpty || extensions.contains(self.extension) else {
      let kinds = extensions.map { ".\($0)" }
      let list = (kinds.count > 1 ? "\(kinds.dropLast().joined(separator: ", ")) or " : "") + (kinds.last ?? "")
      throw Failure("cannot write \(path): this command writes \(list) files; give \(option) a name that ends so")
    }
    // Finding out by trying: permissions, read-only disks and quotas have too many forms to ask
    // for.
    try probe()
  }

  /// What its name ends in after the last point, in small letters; empty where it has none.
  var `extension`: String { Self.extension(of: path) }

  /// What the name of a file ends in after the last point, in small letters; empty where it has
  /// none.
  static func `extension`(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    // The point of a hidden file stands before its name.
    let dot = name.lastIndex(of: ".") ?? name.startIndex
    return dot == name.startIndex ? "" : name[dot...].dropFirst().lowercased()
  }

  /// Writes the file.
  ///
  /// - Parameter isWanted: asked when all is written; throws to leave everything as it was.
  func write(_ data: Data, isWanted: () throws -> Void = {}) throws {
    let temporary = temporaryName()
    do {
      try fill(temporary, with: data)
      try isWanted()
      guard rename(temporary, target) == 0 else { throw failure() }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// The folder, with the slash at its end; empty for the working folder.
  private var folder: String { Self.folder(of: target) }

  private static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "" }

  /// Where links lead to, or a path itself. The system refuses longer chains of links too. A link
  /// to a name that is no text is taken for the file.
  private static func followed(_ path: String) -> String {
    var path = path
    for _ in 0..<40 {
      var name = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink(path, &name, name.count)
      let bytes = name.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }
      guard count > 0, let link = String(validating: bytes, as: UTF8.self) else { return path }
      path = link.hasPrefix("/") ? link : folder(of: path) + link
    }
    return path
  }

  private func probe() throws(Failure) {
    let temporary = temporaryName()
    try fill(temporary, with: Data())
    unlink(temporary)
    guard target.dropFirst(folder.count).utf8.count <= Int(NAME_MAX) else { throw failure(ENAMETOOLONG) }
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

  private func temporaryName() -> String { "\(folder).scheduler-\(UUID().uuidString).tmp" }

  private func failure(_ reason: Int32 = errno) -> Failure {
    Failure("cannot write \(path): \(String(cString: strerror(reason))); choose another place with \(option)")
  }
}
