/// Rows of text as columns of equal width.
struct TextTable {
  /// The names of the columns.
  let header: [String]
  /// The columns, by number, that hold text and are set flush left. Numbers are set flush right.
  var textColumns: Set<Int> = []
  private(set) var rows: [[String]] = []

  init(_ header: [String], textColumns: Set<Int> = []) {
    self.header = header
    self.textColumns = textColumns
  }

  /// Adds a row, one cell for each column.
  mutating func append(_ row: [String]) {
    precondition(row.count == header.count, "a row of \(row.count) cells in a table of \(header.count) columns")
    rows.append(row)
  }

  /// The lines, each ended by a line feed.
  var description: String {
    let widths = header.indices.map { column in
      rows.reduce(header[column].unicodeScalars.count) { max($0, $1[column].unicodeScalars.count) }
    }
    return ([header] + rows).map { row in
      row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].unicodeScalars.count)
        guard textColumns.contains(column) else { return space + row[column] }
        return column == row.count - 1 ? row[column] : row[column] + space
      }.joined(separator: "  ") + "\n"
    }.joined()
  }
}
