import ArgumentParser
import DigitsModel
import ExactDenoisers
import Foundation
import Schedulers
import SchedulersCharts
import SchedulersInterop

struct PlotErrorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "error", abstract: "The error of ODE samplers against the number of model calls.",
    discussion: """
      The data are the normal distribution fitted to the digits, for which both the model and the solution of the \
      probability-flow ODE are exact. The error is the root mean square distance, over the pixels of 64 samples, \
      between where a sampler ends and where the ODE leads from the same start. Dotted lines fall as the samplers' \
      orders of convergence say.
      """)

  @Option(
    help: """
      A sampler, by its name in `scheduler list`, or all that draw no noise; may be repeated or separated by commas. \
      (default: \(Self.usual.joined(separator: ",")); where runs start without \
      signal: \(Self.usualFromNoise.joined(separator: ",")))
      """)
  var sampler: [String] = []

  @OptionGroup var process: ScheduleOptions
  @OptionGroup var spacing: GridOptions

  @Option(
    help: "What the model predicts: epsilon, x0, v, flow, reverseFlow. (default: epsilon; flow with --spacing flow)")
  var prediction: String?

  @OptionGroup var chart: ChartOptions

  /// A baseline, what is common, and what is said to be better: as many as can be told apart.
  private static let usual = ["ddim", "dpm++2m", "dpm++3m", "heun", "unipc", "deis"]
  private static let usualFromNoise = ["ddim", "dpm++2m", "dpm++3m", "flow-heun", "unipc"]
  private static let callCounts = [5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100]
  private static let sampleCount = 64

  func run() throws {
    try refuse("--sigmas", spacing.range.sigmas, unless: false, because: "runs of many lengths", instead: "--spacing")
    let choice = try spacing.choice()
    let startsAtNoise = choice.spacing == .flow || process.length.hasZeroTerminalSNR
    let entries = try chosenEntries(on: choice.spacing, startsAtNoise: startsAtNoise)
    let prediction = try prediction.map(Prediction.init(named:)) ?? choice.spacing.usualPrediction
    let schedule = try process.make()
    try choice.refuseSchedule(process)
    let destination = try chart.destination()
    // A distilled network knows few timesteps, which are then the longest run.
    let most = if case .timesteps(.distilled(let count)) = choice.spacing { count } else { schedule.timesteps }
    let counts = Self.callCounts.filter { $0 <= min(most, schedule.timesteps) }
    guard !counts.isEmpty else {
      throw Failure("--timesteps \(schedule.timesteps) leaves no run to measure; use \(Self.callCounts[0]) or more")
    }
    let interruption = Interruption()
    let model = try Gaussian<Double>(fittedTo: Digits().images, predicting: prediction)
    var noise = GaussianNoise(seed: 0)
    let z = noise.next(like: SampleBatch<Double>(zeros: [Self.sampleCount, 1, Digits.side, Digits.side]))

    let lines = try entries.map { entry in
      var points: [(x: Double, y: Double)] = []
      for calls in counts {
        let grid = try choice.make(schedule, calls: calls, for: entry)
        let plan = try entry.plan(over: grid, predicting: prediction)
        // A sampler with several calls a step makes the same run for several numbers of calls.
        if let last = points.last, last.x == Double(plan.steps.count) { continue }
        let start = SampleBatch.combination([(plan.initialScale, z)])
        let end = try plan.sample(from: start) { x, query throws(any Error) in
          try interruption.check()
          return model(x, query)
        }
        let exact = model.flow(start, from: plan.start, to: grid.points[grid.steps].level)
        points.append((x: Double(plan.steps.count), y: Self.distance(end, exact)))
      }
      return Chart.Series(name: entry.title, points: points)
    }
    let length = choice.spacing.hasOwnProcess ? "" : ", \(process.length.title)"
    let subtitle =
      "\(choice.title(schedule: process.schedule))\(length), predicting \(prediction); \(Self.sampleCount) samples of "
      + "the digits' Gaussian, seed 0"
    let drawn = Self.chart(lines, guides: Self.guides(Array(zip(entries, lines))), subtitle: subtitle)
    try chart.write(drawn, to: destination, isWanted: interruption.check)
  }

  /// - Parameter startsAtNoise: whether runs start where there is no signal, which not every
  ///   sampler can.
  private func chosenEntries(
    on spacing: GridSpacing, startsAtNoise: Bool
  ) throws(Failure) -> [SamplerCatalog.Entry] {
    if sampler == ["all"] {
      return SamplerCatalog.all.filter { !$0.isStochastic && !$0.isInversion && !($0.needsSignal && startsAtNoise) }
    }
    let entries = try ChosenSamplers.entries(
      !sampler.isEmpty ? sampler : startsAtNoise ? Self.usualFromNoise : Self.usual, on: spacing)
    for entry in entries where entry.isStochastic || entry.isInversion {
      throw Failure(
        "--sampler \(entry.name) \(entry.isInversion ? "goes from data to noise" : "draws noise"), so the ODE does not "
          + "say where it ends; choose one that does not")
    }
    return entries
  }

  private static func distance(_ a: SampleBatch<Double>, _ b: SampleBatch<Double>) -> Double {
    let squares = zip(a.scalars, b.scalars).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (squares / Double(a.scalars.count)).squareRoot()
  }

  /// A line with the slope of each order, at half the error of its first sampler from 15 calls on.
  private static func guides(_ lines: [(entry: SamplerCatalog.Entry, line: Chart.Series)]) -> [Chart.Series] {
    Set(lines.map(\.entry.order)).sorted().compactMap { order in
      let points = lines.first { $0.entry.order == order }?.line.points.filter { $0.x >= 15 } ?? []
      guard order > 0, let first = points.first else { return nil }
      return Chart.Series(
        name: "N" + ["⁻¹", "⁻²", "⁻³", "⁻⁴"][order - 1],
        points: points.map { ($0.x, first.y / 2 * pow(first.x / $0.x, Double(order))) })
    }
  }

  private static func chart(_ lines: [Chart.Series], guides: [Chart.Series], subtitle: String) -> Chart {
    let points = lines.flatMap(\.points)
    return Chart(
      title: "Distance from the exact solution", subtitle: subtitle,
      x: Axis("model calls", scale: .logarithmic, spanning: points.map(\.x)),
      y: Axis("root mean square error", scale: .logarithmic, spanning: (points + guides.flatMap(\.points)).map(\.y)),
      series: lines, guides: guides,
      hasDots: true)
  }
}
