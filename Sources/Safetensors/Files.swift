// The only file of this module that imports the C library.

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#elseif canImport(WASILibc)
  import WASILibc
#elseif canImport(ucrt)
  import ucrt
#endif

/// What the module asks of files.
enum Files {
  enum Kind {
    case regular
    case link
    /// A folder, a pipe or a device.
    case other
  }

  /// What has a path; nil where nothing has, or nobody may know.
  ///
  /// - Parameter followsLinks: whether to look at what a link leads to.
  static func kind(_ path: String, followsLinks: Bool) -> Kind? {
    guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
    #if os(Windows)
      guard let file = fopen(path, "rb") else { return nil }
      fclose(file)
      return .regular
    #else
      var status = stat()
      guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
      return kind(status)
    #endif
  }

  #if !os(Windows)
    fileprivate static func kind(_ status: stat) -> Kind {
      switch status.st_mode & mode_t(S_IFMT) {
      case mode_t(S_IFREG): .regular
      case mode_t(S_IFLNK): .link
      default: .other
      }
    }
  #endif

  /// Writes a file under a temporary name in its folder and renames it; one that has the name is
  /// replaced, and so is a link.
  ///
  /// - Returns: whether that was done; nothing is left behind otherwise.
  static func replace(_ path: String, with bytes: [UInt8]) -> Bool {
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    let temporary = "\(folder).safetensors-\(String(UInt64.random(in: 0...(.max)), radix: 36)).tmp"
    // Nobody else's file.
    guard let file = fopen(temporary, "wbx") else { return false }
    let count = bytes.withUnsafeBytes { $0.isEmpty ? 0 : fwrite($0.baseAddress!, 1, $0.count, file) }
    let isWhole = fclose(file) == 0 && count == bytes.count
    if isWhole, rename(temporary, path) == 0 { return true }
    remove(temporary)
    return false
  }
}

/// The bytes of a file, mapped into memory where the system can do that, so that only what is read
/// of them is fetched.
package final class MappedFile: Sendable {
  private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  /// Opens a file.
  ///
  /// - Throws: `SafetensorsError.file` if it is not a regular file, or cannot be read.
  package init(_ path: String) throws(SafetensorsError) {
    // Asked first, because to open a pipe is to wait for somebody who writes to it.
    guard let kind = Files.kind(path, followsLinks: true) else { throw .file(path, reason: "there is no such file") }
    guard kind == .regular else { throw .file(path, reason: "it is not a regular file") }
    guard let bytes = Self.bytes(of: path) else {
      throw .file(path, reason: "it cannot be read; check its permissions")
    }
    self.bytes = bytes
  }

  package var count: Int { bytes.count }

  package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(bytes) }
  }

  #if os(Windows) || os(WASI)
    private static func bytes(of path: String) -> UnsafeRawBufferPointer? {
      guard let file = fopen(path, "rb") else { return nil }
      defer { fclose(file) }
      var (all, part) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
      while case let count = fread(&part, 1, part.count, file), count > 0 { all += part.prefix(count) }
      guard ferror(file) == 0 else { return nil }
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: all.count, alignment: 8)
      bytes.copyBytes(from: all)
      return UnsafeRawBufferPointer(bytes)
    }

    deinit { bytes.deallocate() }
  #else
    private static func bytes(of path: String) -> UnsafeRawBufferPointer? {
      // Another file may have come into its place.
      let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard file >= 0 else { return nil }
      defer { close(file) }
      var status = stat()
      guard fstat(file, &status) == 0, Files.kind(status) == .regular, let count = Int(exactly: status.st_size) else {
        return nil
      }
      guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
      guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), start != MAP_FAILED else { return nil }
      return UnsafeRawBufferPointer(start: start, count: count)
    }

    deinit {
      guard let start = bytes.baseAddress else { return }
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  #endif
}
