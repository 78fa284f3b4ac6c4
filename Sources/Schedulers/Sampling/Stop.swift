// What only a program can get wrong ends it, with a message in release builds too. Swift's
// `precondition` ends those without a word.

/// Ends the program with a message.
func stop(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
  fatalError(message, file: file, line: line)
}

/// Ends the program with a message unless a condition holds.
@inline(__always)
func stop(
  unless condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
  if !condition { stop(message(), file: file, line: line) }
}
