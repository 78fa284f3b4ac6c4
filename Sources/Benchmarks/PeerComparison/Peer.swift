import Foundation

/// A process that runs the jobs of other libraries, one at a time, when it is told to.
final class Peer {
  private let process = Process()
  private let commands = Pipe()
  private let answers = Pipe()
  private var unread = Data()

  /// Starts a Python with the jobs.
  ///
  /// - Parameters:
  ///   - python: the interpreter.
  ///   - arguments: the script, and what it is given.
  ///   - environment: what is set beside this process's own variables.
  init(python: String, arguments: [String], environment: [String: String] = [:]) throws {
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = commands
    process.standardOutput = answers
    try process.run()
  }

  /// The answer to one line; `nil` if the process has ended.
  func ask(_ line: String) -> String? {
    commands.fileHandleForWriting.write(Data((line + "\n").utf8))
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        defer { unread.removeSubrange(...end) }
        return String(decoding: unread[..<end], as: UTF8.self)
      }
      let more = answers.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      unread += more
    }
  }

  /// Nanoseconds for one repetition of a job, or why there are none.
  func time(_ job: String, _ size: String, repetitions: Int) -> Result<Double, Missing> {
    guard let answer = ask("\(job) \(size) \(repetitions)") else {
      return .failure(Missing(reason: "its process has ended"))
    }
    guard let time = Double(answer) else { return .failure(Missing(reason: answer)) }
    return .success(time)
  }

  func end() {
    try? commands.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}

/// Why something could not be measured.
struct Missing: Error {
  let reason: String
}
