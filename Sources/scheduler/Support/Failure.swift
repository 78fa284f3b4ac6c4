/// Why a command cannot do what it was asked: one line that names the value and the remedy.
struct Failure: Error, Hashable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// A name that a list does not have.
  static func unknown(_ kind: String, _ name: String, known: [String]) -> Failure {
    Failure("unknown \(kind) \"\(name)\"; known: \(known.joined(separator: ", "))")
  }
}

extension String {
  /// A path in a message, where an empty one would not be seen.
  var orQuotes: String { isEmpty ? "\"\"" : self }
}

/// Throws if an option was given that another one leaves without meaning.
func refuse(_ option: String, _ value: String?, unless isKnown: Bool, because other: String, instead: String)
  throws(Failure)
{
  guard let value, !isKnown else { return }
  throw Failure("\(option) \(value) means nothing for \(other); drop it, or choose \(instead)")
}
