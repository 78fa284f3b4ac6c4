import Foundation
import SchedulersCharts

/// A file that a chart will be written to, as the kind of picture that its name ends in.
struct ChartFile {
  /// What charts are written as.
  static let extensions = ["svg", "png"]

  private let file: OutputFile

  /// The path as it was given.
  var path: String { file.path }

  /// - Parameters:
  ///   - option: the option that names it.
  ///   - others: what else the option may name, for the remedy.
  /// - Throws: `Failure` if the file cannot be written, or its name ends in something else.
  init(_ path: String, option: String = "--output", also others: [String] = []) throws(Failure) {
    file = try OutputFile(path, option: option, extensions: Self.extensions + others)
  }

  /// Writes the chart.
  ///
  /// - Parameter isWanted: asked when all is written; throws to leave everything as it was.
  func write(_ chart: Chart, isWanted: () throws -> Void = {}) throws {
    try file.write(file.extension == "png" ? chart.png() : Data(chart.document.utf8), isWanted: isWanted)
  }
}
