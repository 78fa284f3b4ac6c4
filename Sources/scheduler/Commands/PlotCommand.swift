import ArgumentParser
import Foundation
import Schedulers
import SchedulersCharts

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Draws a chart as SVG, or prints its numbers.",
    subcommands: [PlotSchedulesCommand.self, PlotSNRCommand.self, PlotErrorCommand.self])
}

/// Where a chart goes.
struct ChartOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The SVG file to write.")
  var output: String?

  @Option(help: "svg, or csv for the plotted numbers, on the standard output unless --output names a file.")
  var format = "svg"

  /// Checks that the chart can be written, before it is made.
  func file() throws(Failure) -> OutputFile? {
    switch (format, output) {
    case ("svg", nil): throw Failure("--output is missing; name the SVG file to write, or use --format csv")
    case ("svg", let path?), ("csv", let path?): return try OutputFile(path)
    case ("csv", nil): return nil
    default: throw Failure.unknown("format", format, known: ["svg", "csv"])
    }
  }

  func write(_ chart: Chart, to file: OutputFile?, isWanted: () throws -> Void = {}) throws {
    let text = format == "csv" ? Self.csv(chart) : chart.document
    guard let file else { return try Console.output.print(text) }
    try file.write(Data(text.utf8), isWanted: isWanted)
    try Console.output.print("wrote \(file.path): \(chart.title), \(chart.series.count) lines\n")
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
    let file = try chart.file()
    let lines = try ScheduleCurves.make(process) { $0.alphaBars }
    try chart.write(
      Chart(
        title: "Signal left at each timestep", x: Axis("t / T", scale: .linear, spanning: [0, 1]),
        y: Axis("alphaBar", scale: .linear, spanning: [0, 1]), series: lines), to: file)
  }
}

struct PlotSNRCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snr", abstract: "The log signal-to-noise ratio of every schedule along the process.")

  @OptionGroup var process: TimestepOptions
  @OptionGroup var chart: ChartOptions

  func run() throws {
    let file = try chart.file()
    let lines = try ScheduleCurves.make(process) { $0.logSNR }
    try chart.write(
      Chart(
        title: "Log signal-to-noise ratio", x: Axis("t / T", scale: .linear, spanning: [0, 1]),
        y: Axis("ln(signal²/noise²)", scale: .linear, spanning: lines.flatMap { $0.points.map(\.y) }), series: lines),
      to: file)
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
