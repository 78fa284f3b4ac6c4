import Foundation

/// One of the two streams that a command writes to.
enum Console {
  case output, error

  private var handle: FileHandle { self == .output ? .standardOutput : .standardError }

  /// Whether somebody may be watching.
  var isTerminal: Bool { isatty(handle.fileDescriptor) == 1 }

  /// Writes messages. If nobody can hear them, nobody can be told.
  func write(_ message: String) { try? handle.write(contentsOf: Data(message.utf8)) }

  /// Writes results.
  ///
  /// - Throws: `Failure` if the stream takes no more, as on a full disk.
  func print(_ result: String) throws(Failure) {
    do {
      try handle.write(contentsOf: Data(result.utf8))
    } catch {
      throw Failure(
        "cannot write to the standard output: nothing more is taken there; free space, or send it elsewhere")
    }
  }
}
