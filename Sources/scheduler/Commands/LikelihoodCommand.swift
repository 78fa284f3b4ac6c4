import ArgumentParser
import DigitsModel
import ExactDenoisers
import Foundation
import Schedulers
import SchedulersCharts

struct LikelihoodCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "likelihood",
    abstract: "Bits per dimension of digits under an exact denoiser, and where along the process they are spent.",
    discussion: """
      The variational bound of Ho et al. 2020, equation 5, with the fixed small and the fixed large variance. The data \
      set itself as a model knows every digit by heart: it needs log2(1797)/64 = 0.169 bits per dimension to say which \
      one it is. The normal distribution fitted to the digits has to say every pixel.
      """)

  @Option(help: "The exact model: dataset, gaussian.")
  var model = "dataset"

  @OptionGroup var process: ScheduleOptions

  @Option(help: "The timesteps that are kept, as \"250\", \"10,15,20\" or \"ddim50\". (default: all)")
  var respacing: String?

  @Option(help: "What the model predicts: epsilon, x0, v, flow, reverseFlow.")
  var prediction = "epsilon"

  @Option(help: "The normal distribution function of the decoder: exact, tanh (guided-diffusion's).")
  var cdf = "exact"

  @Option(parsing: .unconditional, help: "How many digits, 1 ... 1797, the first of the data set.")
  var count: WholeNumber = 64

  @Option(parsing: .unconditional, help: "The seed of the noise, 0 ... 2^64 - 1.")
  var seed: WholeNumber = 0

  @Option(help: "text, csv (one row for each timestep) or json.")
  var format = "text"

  @Option(name: .shortAndLong, help: "A file for the chart of the bound over the timesteps, .svg or .png.")
  var output: String?

  private static let variances = [Variance.fixedSmall, .fixedLarge]

  func run() throws {
    guard ["text", "csv", "json"].contains(format) else {
      throw Failure.unknown("format", format, known: ["text", "csv", "json"])
    }
    let count = try count.value(of: "--count", in: 1...1797)
    let prediction = try Prediction(named: prediction)
    guard let cdf = DiscretizedGaussian.CDF(rawValue: cdf) else {
      throw Failure.unknown("distribution function", cdf, known: DiscretizedGaussian.CDF.allCases.map(\.rawValue))
    }
    let digits = try Digits()
    let denoiser = try denoiser(of: digits, predicting: prediction)
    let schedule = try process.make()
    let respaced = try schedule.respaced(
      by: respacing.map { text throws(GridError) in try Respacing(parsing: text) } ?? .sections([schedule.timesteps]))
    let file = try output.map { path throws(Failure) in try ChartFile(path) }
    let x0 = SampleBatch(
      shape: [count, 1, Digits.side, Digits.side], scalars: Array(digits.images.prefix(count).joined()))
    // Grey values are 0 ... 16.
    let likelihood = DiscretizedGaussian(levels: 17, cdf: cdf)
    let bounds = try Self.variances.map { variance throws(Failure) in
      do throws(PlanError) {
        return VariationalBound(
          try ReverseProcess(respaced.schedule, predicting: prediction, variance: variance), likelihood: likelihood)
      } catch {
        throw Failure(error.inOptions(choosing: "keep more timesteps, by --timesteps or --respacing"))
      }
    }
    let interruption = Interruption()
    let report = try Self.evaluate(
      bounds, of: x0, told: respaced.original.indices.map { respaced.timestep($0) }, with: denoiser,
      noise: GaussianNoise(seed: seed.value(of: "--seed", in: 0...UInt64.max)), interruption)
    if let file {
      try file.write(report.chart(title), isWanted: interruption.check)
      // Beside numbers for a program, the name of a file would be in the way.
      if format == "text" { try Console.output.print("wrote \(file.path)\n") }
    }
    try Console.output.print(format == "csv" ? report.csv : format == "json" ? JSON.text(report) : report.table)
  }

  /// What was asked for, in words.
  private var title: String {
    let respacing = respacing.map { " respaced to \($0)" } ?? ""
    let digits = counted(Int(count.defaultValueDescription) ?? 0, "digit")
    return "\(digits) under the \(model) model, predicting \(prediction); \(process.schedule) schedule, "
      + "\(process.length.title)\(respacing); \(cdf) decoder, seed \(seed.defaultValueDescription)"
  }

  private func denoiser(of digits: Digits, predicting prediction: Prediction) throws -> any Denoiser<
    SampleBatch<Double>
  > {
    switch model {
    case "dataset": try Dataset<Double>(points: digits.images, predicting: prediction)
    case "gaussian": try Gaussian<Double>(fittedTo: digits.images, predicting: prediction)
    default: throw Failure.unknown("model", model, known: ["dataset", "gaussian"])
    }
  }

  /// All bounds on the same noise, so that the model is asked once for all of them.
  private static func evaluate(
    _ bounds: [VariationalBound], of x0: SampleBatch<Double>, told: [Double],
    with denoiser: any Denoiser<SampleBatch<Double>>,
    noise: GaussianNoise, _ interruption: Interruption
  ) throws -> LikelihoodReport {
    var runs = bounds.map { BitsPerDimension($0, of: x0, told: told) }
    var noises = bounds.map { _ in noise }
    var rows: [LikelihoodReport.Row] = []
    var progress = Progress(total: told.count, unit: "timesteps")
    defer { progress.finish() }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    while let query = runs[0].query {
      try interruption.check()
      let samples = runs.indices.map { runs[$0].sample(using: &noises[$0]) }
      let answer = try denoiser(samples[0], query)
      let terms = try runs.indices.map { try runs[$0].advance(output: answer) }
      rows.append(
        LikelihoodReport.Row(
          timestep: query.timestep, bounds: terms.map { mean($0.bound) }, x0Error: mean(terms[0].x0Error),
          epsilonError: mean(terms[0].epsilonError)))
      progress.advance()
    }
    return LikelihoodReport(
      variances: variances.map(\.rawValue), count: x0.sampleCount, prior: mean(runs[0].prior),
      totals: runs.map { mean($0.total) },
      rows: rows)
  }
}

/// What the bound of some digits is made of; means over the digits, in bits per dimension, one for
/// each variance.
struct LikelihoodReport: Encodable {
  /// One timestep.
  struct Row: Encodable {
    let timestep: Double
    let bounds: [Double]
    let x0Error: Double
    let epsilonError: Double
  }

  let variances: [String]
  let count: Int
  let prior: Double
  let totals: [Double]
  /// From the last timestep to the first.
  let rows: [Row]

  var table: String {
    var table = TextTable(["bits per dimension"] + variances, textColumns: [0])
    let decoder = rows[rows.count - 1].bounds
    table.append(["prior"] + variances.map { _ in number(prior) })
    table.append(["t > 0"] + variances.indices.map { number(totals[$0] - prior - decoder[$0]) })
    table.append(["decoder (t = 0)"] + decoder.map(number))
    table.append(["total"] + totals.map(number))
    return "\(counted(count, "digit")), \(counted(rows.count, "timestep"))\n" + table.description
  }

  private func number(_ bits: Double) -> String { String(format: "%.4f", bits) }

  var csv: String {
    let header = "timestep," + variances.joined(separator: ",") + ",x0 error,epsilon error\n"
    return header
      + rows.map { row in
        ([row.timestep] + row.bounds + [row.x0Error, row.epsilonError]).map { "\($0)" }.joined(separator: ",") + "\n"
      }.joined()
  }

  /// The bound over the timesteps.
  ///
  /// - Parameter subtitle: what it was made with.
  func chart(_ subtitle: String) -> Chart {
    let lines = variances.indices.map { k in
      Chart.Series(name: variances[k], points: rows.map { (x: $0.timestep + 1, y: $0.bounds[k]) })
    }
    // What is a ten millionth of the most is nothing, and would flatten the rest.
    let values = lines.flatMap { $0.points.map(\.y) }
    let most = values.max() ?? 1
    return Chart(
      title: "Where the bits are spent", subtitle: subtitle,
      x: Axis("t + 1", scale: .logarithmic, spanning: rows.map { $0.timestep + 1 }),
      y: Axis("bits per dimension", scale: .logarithmic, spanning: values.filter { $0 > 1e-7 * most }), series: lines)
  }
}
