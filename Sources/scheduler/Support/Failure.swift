/// Why a command cannot do what it was asked: one line that names the value and the remedy.
struct Failure: Error, Hashable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// A name that a list does not have.
  static func unknown(_ kind: String, _ name: String, known: [String]) -> Failure {
    Failure("unknown \(kind) \"\(name)\"; known: \(known.joined(separator: ", "))")
  }
}
