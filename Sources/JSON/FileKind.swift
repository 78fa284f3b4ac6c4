/// What lies in the place of a file, told by its bytes. It is asked where a file cannot be read, so
/// that the message says what was saved there.
package enum FileKind: Hashable, Sendable {
  case empty
  /// A line in which a server says why it sends no file.
  case serverAnswer(String)
  case webPage
  case lfsPointer
  /// With the line on which the first marker stands, from 1.
  case mergeConflict(line: Int)
  case byteOrderMark
  case utf16
  /// A ZIP archive, as PyTorch saves.
  case archive
  case pickle
  case gguf
  case hdf5
  case safetensors
  case json

  /// - Parameter bytes: the beginning of a file, or all of it where merge markers are of interest.
  package init?(_ bytes: [UInt8]) {
    func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    if bytes.isEmpty { self = .empty; return }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { self = .byteOrderMark; return }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { self = .utf16; return }
    if begins("PK\u{3}\u{4}") { self = .archive; return }
    if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) { self = .pickle; return }
    if begins("GGUF") { self = .gguf; return }
    if bytes.starts(with: [0x89] + Array("HDF".utf8)) { self = .hdf5; return }
    if bytes.count > 8, bytes[4..<8].allSatisfy({ $0 == 0 }), bytes[8] == UInt8(ascii: "{") {
      self = .safetensors
      return
    }
    guard !bytes.prefix(8).contains(0), let kind = Self.text(bytes) else { return nil }
    self = kind
  }

  /// The kind of a file that is text.
  private static func text(_ bytes: [UInt8]) -> FileKind? {
    if bytes.starts(with: "version https://git-lfs".utf8) { return .lfsPointer }
    var (line, rest) = (1, bytes[...])
    while true {
      if rest.starts(with: "<<<<<<< ".utf8) { return .mergeConflict(line: line) }
      guard let end = rest.firstIndex(of: 0x0A) else { break }
      (line, rest) = (line + 1, rest[(end + 1)...])
    }
    let spaces: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
    guard let start = bytes.firstIndex(where: { !spaces.contains($0) }) else { return .empty }
    let head = String(decoding: bytes[start...].prefix(200), as: UTF8.self)
    let answer = String(head.prefix { !$0.isNewline })
    if answers.contains(where: answer.lowercased().hasPrefix) { return .serverAnswer(answer) }
    switch bytes[start] {
    case UInt8(ascii: "<"): return .webPage
    case UInt8(ascii: "{"), UInt8(ascii: "["): return .json
    default: return nil
    }
  }

  /// How servers of models begin such lines, in small letters.
  private static let answers = [
    "entry not found", "repository not found", "revision not found", "not found", "404", "file not found",
    "invalid username or password", "invalid credentials", "access to ", "access denied", "unauthorized", "forbidden",
    "internal server error", "bad gateway", "service unavailable", "{\"error\":", "{\"message\":",
  ]
}

extension FileKind: CustomStringConvertible {
  /// What it is and what to do, as the end of a sentence about the file.
  package var description: String {
    switch self {
    case .empty: "it is empty; save or download it again"
    case .serverAnswer(let line):
      "it is a server's answer in the place of a file, \(line.quoted); check the address and your access, and "
        + "download it again"
    case .webPage: "it is a web page (HTML or XML), not the file that the page is about; download the file itself"
    case .lfsPointer: "it is a Git LFS pointer, not the file that it stands for; run git lfs pull, or download the file"
    case .mergeConflict(let line): "it has the markers of a merge, the first on line \(line); resolve the conflict"
    case .byteOrderMark: "it begins with a byte-order mark; save it as UTF-8 without one"
    case .utf16: "it is text in UTF-16; save it as UTF-8"
    case .archive: "it is a ZIP archive, such as PyTorch's .pt and .bin; save its tensors as safetensors"
    case .pickle: "it is a Python pickle; save its tensors as safetensors"
    case .gguf: "it is a GGUF file; name a file in the format that is asked for"
    case .hdf5: "it is an HDF5 file; name a file in the format that is asked for"
    case .safetensors: "it is a safetensors file, not text; name the JSON file"
    case .json: "it is JSON text; name the file with the tensors"
    }
  }
}
