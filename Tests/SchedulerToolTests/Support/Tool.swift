import Foundation
import Testing

/// The built tool, run as a user runs it, in a folder of its own that is removed with the last
/// reference.
final class Tool: Sendable {
  /// What a run left behind.
  struct Outcome {
    let status: Int32
    let output: Data
    let errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
  }

  let folder: URL
  private let program: URL

  init() throws {
    program = try #require(Self.candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) })
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("scheduler-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Runs the tool to its end.
  func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

  /// - Parameter largestFile: a limit in blocks of 1024 bytes, at which a write fails as on a full
  ///   disk; `nil` for none.
  func run(_ arguments: [String], largestFile: Int? = nil) throws -> Outcome {
    // Where the signal is not ignored, it ends the tool.
    let limit = largestFile.map { "trap '' XFSZ; ulimit -f \($0); exec \"$0\" \"$@\"" }
    return try run(arguments, script: limit)
  }

  /// Runs the tool to its end by a script of the shell, to which it is `$0` and its arguments `$@`.
  func run(_ arguments: [String], script: String?) throws -> Outcome {
    let (process, output, errors) = try start(arguments, script: script)
    let text = output.fileHandleForReading.readDataToEndOfFile()
    // Messages are few and fit the pipe's buffer, so that they can wait.
    let message = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit, "the tool died of signal \(process.terminationStatus)")
    return Outcome(status: process.terminationStatus, output: text, errors: String(decoding: message, as: UTF8.self))
  }

  /// Starts the tool in the folder, by a script if there is one.
  func start(_ arguments: [String], script: String? = nil) throws -> (process: Process, output: Pipe, errors: Pipe) {
    let (process, output, errors) = (Process(), Pipe(), Pipe())
    process.executableURL = program
    process.arguments = arguments
    if let script {
      process.executableURL = URL(fileURLWithPath: "/bin/bash")
      process.arguments = ["-c", script, program.path] + arguments
    }
    process.currentDirectoryURL = folder
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return (process, output, errors)
  }

  /// The names of all files in the folder, hidden ones too.
  func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

  /// The bytes of a file in the folder.
  func data(_ name: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(name)) }

  // The tool lies beside the test bundle; what the bundle is depends on the platform and on who
  // runs the tests.
  private static var candidates: [URL] {
    let bundles = [Bundle.main.bundleURL] + Bundle.allBundles.map(\.bundleURL)
    let arguments = CommandLine.arguments.prefix(1).map { URL(fileURLWithPath: $0) }
    let folders = (bundles + arguments).flatMap { [$0, $0.deletingLastPathComponent()] }
    let package = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardizedFileURL
    return (folders + [package.appendingPathComponent(".build/debug")]).map { $0.appendingPathComponent("scheduler") }
      .filter { (try? $0.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory != true }
  }
}
