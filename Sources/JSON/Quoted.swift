extension String {
  /// In quotation marks, and not longer than a line: names come from files and may hold anything.
  package var quoted: String { "\"" + (count > 80 ? prefix(77) + "..." : self[...]) + "\"" }
}
