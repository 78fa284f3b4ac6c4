import Foundation
import Testing

/// What is printed where nobody takes it: a full disk, a closed stream.
@Suite struct `Output that cannot be written` {
  let tool: Tool

  init() throws { tool = try Tool() }

  private static let commands: [[String]] = [
    ["--help"], ["help", "plan"], ["plot", "error", "--help"], ["--version"], ["list"], ["list", "presets"],
    ["plan", "--steps", "3"], ["table", "--table", "betas"], ["explain", "ddim"], ["noise"],
    ["plot", "snr", "--format", "csv"], ["likelihood", "--count", "1", "--timesteps", "20"],
    ["--generate-completion-script", "bash"],
  ]

  /// Runs the tool by a shell, with a redirection.
  private func run(_ arguments: [String], _ redirection: String) throws -> (status: Int32, errors: String) {
    let version = try tool.start(["--version"]).process
    version.waitUntilExit()
    let program = try #require(version.executableURL)
    let (process, errors) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "exec \"$0\" \"$@\" \(redirection)", program.path] + arguments
    process.standardError = errors
    process.standardOutput = Pipe()
    try process.run()
    let message = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    return (process.terminationStatus, String(decoding: message, as: UTF8.self))
  }

  @Test(
    .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/full")),
    arguments: [">/dev/full", ">&-"])
  func `is said in one line, status 2, whatever the command`(_ redirection: String) throws {
    for command in Self.commands {
      let (status, errors) = try run(command, redirection)
      #expect(status == 2, "\(command)")
      #expect(errors.hasPrefix("scheduler: cannot write to the standard output"), "\(command): \(errors)")
      #expect(errors.filter(\.isNewline).count == 1, "\(command): \(errors)")
    }
  }
}
