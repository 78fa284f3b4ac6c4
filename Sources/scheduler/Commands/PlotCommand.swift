import ArgumentParser
import Foundation
import Schedulers
import SchedulersCharts

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Draws a chart as SVG or PNG, or prints its numbers.",
    subcommands: [PlotSchedulesCommand.self, PlotSNRCommand.self, PlotErrorCommand.self])
}

/// Where a chart goes.
struct ChartOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The file to write: .svg or .png for the picture, .csv for its numbers.")
  var output: String?

  @Option(
    help: """
      csv: the plotted numbers, on the standard output unless --output names a file. svg, png: the picture. (default: \
      what --output ends in)
      """)
  var format: String?

  /// Where the chart goes.
  enum Destination {
    case picture(ChartFile)
    case numbers(OutputFile)
    case standardOutput
  }

  /// Checks that the chart can be written, before it is made.
  func destination() throws(Failure) -> Destination {
    let formats = ChartFile.extensions + ["csv"]
    if let format, !formats.contains(format) { throw Failure.unknown("format", format, known: formats) }
    guard let output else {
      if format == "csv" { return .standardOutput }
      throw Failure("--output is missing; name the .svg or .png file to write, or print the numbers with --format csv")
    }
    // Numbers may have any name but that of a picture.
    let ending = OutputFile.extension(of: output)
    if format == "csv", !ChartFile.extensions.contains(ending) { return .numbers(try OutputFile(output)) }
    if let format, formats.contains(ending), ending != format {
      throw Failure(
        "--format \(format) is not what --output \(output) ends in; drop --format, or name a .\(format) file")
    }
    if ending == "csv" { return .numbers(try OutputFile(output)) }
    return .picture(try ChartFile(output, also: ["csv"]))
  }

  /// Writes the chart, or its numbers.
  func write(_ chart: Chart, to destination: Destination, isWanted: () throws -> Void = {}) throws {
    let path: String
    switch destination {
    case .standardOutput: return try Console.output.print(Self.csv(chart))
    case .picture(let file):
      try file.write(chart, isWanted: isWanted)
      path = file.path
    case .numbers(let file):
      try file.write(Data(Self.csv(chart).utf8), isWanted: isWanted)
      path = file.path
    }
    try Console.output.print("wrote \(path): \(chart.title), \(counted(chart.series.count, "line"))\n")
  }

  private static func csv(_ chart: Chart) -> String {
    let rows = chart.series.flatMap { line in line.points.map { "\(line.name.quoted),\($0.x),\($0.y)\n" } }
    return "\("series"),\(chart.x.title.quoted),\(chart.y.title.quoted)\n" + rows.joined()
  }
}

extension String {
  /// A field of CSV.
  fileprivate var quoted: String {
    contains(where: { ",\"\n".contains($0) }) ? "\"" + replacing("\"", with: "\"\"") + "\"" : self
  }
}

struct PlotSchedulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedules", abstract: "The signal power of every schedule along the process.")

  @OptionGroup var process: TimestepOptions
  @OptionGroup var chart: ChartOptions

  func run() throws {
    let destination = try chart.destination()
    let lines = try ScheduleCurves.make(process) { $0.alphaBars }
    try chart.write(
      Chart(
        title: "Signal left at each timestep", subtitle: process.title,
        x: Axis("t / T", scale: .linear, spanning: [0, 1]),
        y: Axis("alphaBar", scale: .linear, spanning: [0, 1]), series: lines), to: destination)
  }
}

struct PlotSNRCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snr", abstract: "The log signal-to-noise ratio of every schedule along the process.")

  @OptionGroup var process: TimestepOptions
  @OptionGroup var chart: ChartOptions

  func run() throws {
    let destination = try chart.destination()
    let lines = try ScheduleCurves.make(process) { $0.logSNR }
    try chart.write(
      Chart(
        title: "Log signal-to-noise ratio", subtitle: process.title,
        x: Axis("t / T", scale: .linear, spanning: [0, 1]),
        y: Axis("ln(signal²/noise²)", scale: .linear, spanning: lines.flatMap { $0.points.map(\.y) }), series: lines),
      to: destination)
  }
}

/// A table of every schedule as curves over t/T.
enum ScheduleCurves {
  static func make(_ process: TimestepOptions, _ table: (NoiseSchedule) -> [Double]) throws -> [Chart.Series] {
    try BetaSchedule.all.map { formula in
      let values = table(try process.make(formula))
      // More points than pixels would only make the file larger.
      let stride = max(1, values.count / 500)
      let indices = Array(Swift.stride(from: 0, to: values.count - 1, by: stride)) + [values.count - 1]
      let points = indices.map { t in (x: Double(t + 1) / Double(values.count), y: values[t]) }
      return Chart.Series(name: formula.name, points: points.filter(\.y.isFinite))
    }
  }
}
