import Schedulers

/// Why there is nothing by the name of a sampler or a spacing.
package enum NameFailure: Error {
  /// Nobody calls one so; what is known instead.
  case unknown(kind: String, name: String, known: [String])
  /// A program has it and this library does not; the reason is the end of a sentence about it.
  case missing(kind: String, name: String, reason: String)

  /// - Parameters:
  ///   - own: what this library calls its own.
  ///   - others: what programs call theirs, each with the word of the program.
  fileprivate static func unknown(_ kind: String, _ name: String, own: [String], others: [String]) -> NameFailure {
    guard name.contains(":") else { return .unknown(kind: kind, name: name, known: own) }
    let ofProgram = others.filter { $0.hasPrefix(name.prefix { $0 != ":" } + ":") }
    return .unknown(kind: kind, name: name, known: ofProgram.isEmpty ? others : ofProgram)
  }
}

extension SamplerCatalog {
  /// The entry of a name of the catalog, or of a program as `comfyui:euler`, whose sampler may be
  /// another one on rectified flow.
  package static func entry(named name: String, on spacing: GridSpacing) throws(NameFailure) -> Entry {
    if let entry = SamplerCatalog[name] { return entry }
    guard let found = SamplerName.named(name) else {
      throw .unknown("sampler", name, own: all.map(\.name), others: SamplerName.all.map(\.text))
    }
    guard let entry = found.entry(isFlow: spacing.isFlow) else {
      throw .missing(kind: "sampler", name: name, reason: found.note)
    }
    return entry
  }
}

extension GridSpacing {
  /// The spacing of a name here or in a program, as `comfyui:karras`.
  package static func known(_ name: String) throws(NameFailure) -> GridSpacing {
    if let spacing = named(name) { return spacing }
    guard let found = SpacingName.named(name) else {
      throw .unknown("spacing", name, own: all.map(\.name), others: SpacingName.all.map(\.text))
    }
    guard let spacing = found.spacing ?? found.flow else {
      throw .missing(kind: "spacing", name: name, reason: found.note)
    }
    return spacing
  }
}
