/// A value that is being written. It is shared by the encoders and containers that write parts of
/// it, in any order, so it is a class.
final class JSONNode {
  enum Content {
    case nothing
    case text(String)
    case list([Part])
    case object([String: Part])
  }

  /// A value as its text, or as what is still being written.
  enum Part {
    case text(String)
    case node(JSONNode)
  }

  var content = Content.nothing

  /// Begins a list, or goes on with one.
  func beginList() {
    switch content {
    case .nothing: content = .list([])
    case .list: break
    default: preconditionFailure("a list is encoded where there is another value already")
    }
  }

  /// Begins an object, or goes on with one.
  func beginObject() {
    switch content {
    case .nothing: content = .object([:])
    case .object: break
    default: preconditionFailure("an object is encoded where there is another value already")
    }
  }

  func append(_ part: Part) {
    guard case .list(var parts) = content else { return }
    // So that there is one list, which need not be copied.
    content = .nothing
    parts.append(part)
    content = .list(parts)
  }

  func set(_ part: Part, _ key: String) {
    guard case .object(var parts) = content else { return }
    content = .nothing
    parts[key] = part
    content = .object(parts)
  }

  /// The part of a key that is being written.
  subscript(key: String) -> JSONNode? {
    guard case .object(let parts) = content, case .node(let node)? = parts[key] else { return nil }
    return node
  }

  var count: Int { if case .list(let parts) = content { parts.count } else { 0 } }

  /// Appends the value as JSON; one of which nothing was written is an empty object.
  func write(to text: inout String) {
    switch content {
    case .nothing: text += "{}"
    case .text(let scalar): text += scalar
    case .list(let parts):
      text += "["
      for (i, part) in parts.enumerated() {
        if i > 0 { text += "," }
        Self.write(part, to: &text)
      }
      text += "]"
    case .object(let parts):
      text += "{"
      let sorted = parts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      for (i, (key, part)) in sorted.enumerated() {
        if i > 0 { text += "," }
        text += JSONEscape.quoted(key)
        text += ":"
        Self.write(part, to: &text)
      }
      text += "}"
    }
  }

  private static func write(_ part: Part, to text: inout String) {
    switch part {
    case .text(let scalar): text += scalar
    case .node(let node): node.write(to: &text)
    }
  }
}
