extension String {
  /// In quotation marks, and not longer than a line: names come from files and may hold anything.
  package var quoted: String { "\"" + (count > 80 ? prefix(77) + "..." : self[...]) + "\"" }

  /// Without line breaks and other controls, for messages of one line that quote anything.
  package var onOneLine: String {
    let breaks: Set<Unicode.GeneralCategory> = [.control, .lineSeparator, .paragraphSeparator]
    return unicodeScalars.map { breaks.contains($0.properties.generalCategory) ? " " : String($0) }.joined()
  }
}
