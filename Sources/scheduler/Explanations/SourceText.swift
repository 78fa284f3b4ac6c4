import Schedulers

/// What the source of this package says of a type: where it stands and its doc comment.
struct SourceText: Hashable {
  /// The file, from the root of the repository.
  let file: String
  /// The comment, with the formula of the paper and the source; empty if there is none.
  let text: String

  init(_ file: String, _ text: String = "") { (self.file, self.text) = (file, text) }
}

extension SourceText {
  /// The names of the types that make a sampler, the outermost first: of `Churn<Heun>` two.
  static func types(of sampler: any Sampler) -> [String] {
    "\(type(of: sampler))".split { "<>, ".contains($0) }.map(String.init)
  }
}
