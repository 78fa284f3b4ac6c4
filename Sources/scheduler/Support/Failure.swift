import SchedulersInterop

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

extension Failure {
  /// A name of an option that is unknown, or another program's alone.
  init(_ failure: NameFailure) {
    switch failure {
    case .unknown(let kind, let name, let known): self = .unknown(kind, name, known: known)
    case .missing(let kind, let name, let reason):
      self.init("--\(kind) \(name) \(reason); see `scheduler list names`")
    }
  }
}

/// Throws if an option was given that another one leaves without meaning.
func refuse(_ option: String, _ value: String?, unless isKnown: Bool, because other: String, instead: String)
  throws(Failure)
{
  guard let value, !isKnown else { return }
  throw Failure("\(option) \(value) means nothing for \(other); drop it, or choose \(instead)")
}
