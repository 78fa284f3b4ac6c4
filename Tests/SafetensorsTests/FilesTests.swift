import Foundation
import Testing

@testable import SchedulersSafetensors

/// A file appears whole or not at all, and what is no file is not opened.
@Suite struct `Files of tensors` {
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("safetensors-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

  private func remove() { try? FileManager.default.removeItem(atPath: folder) }

  private func write(_ name: String, _ value: Float = 1) throws {
    try SafetensorsWriter.write(to: "\(folder)/\(name)", [.init("x", shape: [1], floats: [value])])
  }

  private func value(_ name: String) throws -> Double {
    let file = try SafetensorsFile(contentsOf: "\(folder)/\(name)")
    return file.doubles(try #require(file.tensors["x"]))[0]
  }

  /// What an attempt is answered with.
  private func reason(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "done"
    } catch { return "\(error)" }
  }

  @Test func `are replaced, and links with them`() throws {
    defer { remove() }
    try write("a", 1)
    try write("a", 2)
    #expect(try value("a") == 2)
    symlink("a", folder + "/link")
    symlink("nowhere", folder + "/dangling")
    #expect(try value("link") == 2)
    try write("link", 3)
    try write("dangling", 4)
    #expect(try value("a") == 2 && value("link") == 3 && value("dangling") == 4)
    #expect(try names() == ["a", "dangling", "link"])
    // A mapped file goes on where another has taken its name.
    let mapped = try SafetensorsFile(contentsOf: folder + "/a")
    try write("a", 5)
    #expect(mapped.doubles(try #require(mapped.tensors["x"])) == [2])
  }

  @Test func `leave nothing behind where they cannot be written`() throws {
    defer { remove() }
    mkdir(folder + "/folder", 0o755)
    mkfifo(folder + "/pipe", 0o644)
    try write("file")
    for name in ["none/a", "file/a", "a\0b", String(repeating: "x", count: 256), "new/"] {
      #expect(reason { try write(name) }.hasSuffix("it cannot be written; check that its folder exists and has space"))
    }
    #expect(throws: SafetensorsError.self) { try SafetensorsWriter.write(to: "", []) }
    for name in ["folder", "folder/", "pipe", "."] {
      #expect(reason { try write(name) }.hasSuffix("it cannot be written; something else than a file has the name"))
    }
    #expect(throws: SafetensorsError.self) { try SafetensorsWriter.write(to: "/dev/null", []) }
    #expect(try names() == ["file", "folder", "pipe"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/folder").isEmpty)
    // A name as long as names can be.
    try write(String(repeating: "x", count: 255))
  }

  @Test func `are refused by what they are`() throws {
    defer { remove() }
    mkfifo(folder + "/pipe", 0o644)
    symlink("pipe", folder + "/link")
    symlink("nowhere", folder + "/dangling")
    try Data().write(to: URL(fileURLWithPath: folder + "/empty"))
    func said(_ path: String) -> String { reason { _ = try SafetensorsFile(contentsOf: path) } }
    for path in [folder, folder + "/pipe", folder + "/link", "/dev/zero", "/"] {
      #expect(said(path) == "\(path): it is not a regular file")
    }
    for path in ["", "a\0b", folder + "/none", folder + "/dangling", folder + "/empty/a"] {
      #expect(said(path) == "\(path): there is no such file")
    }
    #expect(said(folder + "/empty") == "not a usable safetensors file: it is empty; save or download it again")
    if getuid() != 0 {
      try write("secret")
      chmod(folder + "/secret", 0)
      #expect(said(folder + "/secret") == "\(folder)/secret: it cannot be read; check its permissions")
    }
  }
}
