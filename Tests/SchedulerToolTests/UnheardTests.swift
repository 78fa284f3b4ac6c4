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

  @Test(
    .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/full")),
    arguments: [">/dev/full", ">&-"])
  func `is said in one line, status 2, whatever the command`(_ redirection: String) throws {
    for command in Self.commands {
      let outcome = try tool.run(command, script: "exec \"$0\" \"$@\" \(redirection)")
      let errors = outcome.errors
      #expect(outcome.status == 2, "\(command)")
      #expect(errors.hasPrefix("scheduler: cannot write to the standard output"), "\(command): \(errors)")
      #expect(errors.filter(\.isNewline).count == 1, "\(command): \(errors)")
    }
  }
}
