import ArgumentParser
import Schedulers

/// Where a run calls the model.
struct GridOptions: ParsableArguments {
  @Option(
    help: """
      How the calls lie along the process: \(Self.names.joined(separator: ", ")). Those of ays were optimised for Stable Diffusion; flow is \
      rectified flow and edm the process of EDM, which have no schedule.
      """)
  var spacing = "trailing"

  @Option(parsing: .unconditional, help: "What leading spacing adds to each timestep; Stable Diffusion's is 1. (default: 0)")
  var offset: WholeNumber?

  @OptionGroup var range: SigmaOptions
  @OptionGroup var flow: FlowOptions

  private static let timestepSpacings = TimestepSpacing.all + [.distilled()]
  private static let aligned: KeyValuePairs<String, AlignYourSteps> = [
    "ays": .stableDiffusion, "ays-xl": .stableDiffusionXL, "ays-video": .stableVideoDiffusion,
  ]
  private static let names =
    timestepSpacings.map(\.name) + SigmaSpacing.all.map(\.name) + aligned.map(\.key) + ["flow", "edm"]

  /// Whether the process is the spacing's own, and no schedule's.
  var hasOwnProcess: Bool { spacing == "flow" || spacing == "edm" }

  /// What a network of that process usually predicts.
  var usualPrediction: Prediction { spacing == "flow" ? .flow : .epsilon }

  /// How the grid is called on a picture.
  func title(schedule: String) -> String {
    let kind = range.sigmas == nil ? "\(spacing) spacing" : "given sigmas"
    return hasOwnProcess ? "\(kind)\(range.sigmas == nil ? "" : " of \(spacing)")" : "\(schedule) schedule, \(kind)"
  }

  /// Throws for options of a schedule where there is none.
  func refuseSchedule(_ process: ScheduleOptions) throws(Failure) {
    guard hasOwnProcess else { return }
    if process.schedule != ScheduleOptions.usual || process.length.hasZeroTerminalSNR {
      throw Failure("--spacing \(spacing) has no schedule; drop --schedule and --zero-terminal-snr, or use another spacing")
    }
  }

  /// The grid on which a sampler makes as many calls as possible without exceeding a number, or that of given sigmas.
  ///
  /// - Parameters:
  ///   - calls: 1 ... T; see `StepsOption`.
  ///   - entry: the sampler, for the calls of its steps.
  /// - Throws: `Failure` for an unknown name, and for an option without meaning; `GridError` for a grid that the schedule does not have.
  func make(_ schedule: NoiseSchedule, calls: Int, for entry: SamplerCatalog.Entry) throws -> SamplingGrid {
    guard Self.names.contains(spacing) else { throw Failure.unknown("spacing", spacing, known: Self.names) }
    try refuse(
      "--offset", offset?.defaultValueDescription, unless: spacing == "leading", because: "--spacing \(spacing)",
      instead: "--spacing leading")
    try flow.refuse(spacing)
    try range.refuse(spacing)
    let steps = entry.steps(evaluations: calls)
    let given = try range.given()
    switch spacing {
    case "flow": return try flow.grid(steps: steps, times: given)
    case "edm": return try range.edmGrid(steps: steps, sigmas: given)
    default: break
    }
    if let given { return try SamplingGrid(schedule, sigmas: given) }
    if let family = Self.aligned.first(where: { $0.key == spacing })?.value {
      return try SamplingGrid(schedule, steps: steps, alignedFor: family)
    }
    if let spacing = try range.spacing(named: spacing) {
      return try SamplingGrid(schedule, steps: steps, spacing: spacing, range: range.ends(of: schedule, spacing))
    }
    return try SamplingGrid(schedule, steps: steps, spacing: timestepSpacing(schedule, steps: steps))
  }

  private func timestepSpacing(_ schedule: NoiseSchedule, steps: Int) throws(Failure) -> TimestepSpacing {
    let named = Self.timestepSpacings.first { $0.name == spacing }!
    if case .distilled(let originalSteps) = named, steps > originalSteps || schedule.timesteps < originalSteps {
      throw Failure(
        "--spacing distilled chooses among \(originalSteps) timesteps, which are too few for \(counted(steps, "step")) or too many for "
          + "the \(schedule.timesteps) of the schedule; lower --steps, raise --timesteps, or use trailing")
    }
    guard case .leading = named else { return named }
    return .leading(offset: try offset?.value(of: "--offset", in: 0...100_000) ?? 0)
  }
}

/// The number of model calls.
struct StepsOption: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "The model calls of each sampler, 1 ... T. One with several calls a step takes fewer steps. (default: 25)")
  var steps: WholeNumber?

  /// - Throws: `Failure` for a number out of its range, and for one beside given sigmas, which say it themselves.
  func calls(of schedule: NoiseSchedule, on grid: GridOptions) throws(Failure) -> Int {
    try refuse(
      "--steps", steps?.defaultValueDescription, unless: grid.range.sigmas == nil, because: "given --sigmas",
      instead: "--spacing")
    return try (steps ?? 25).value(
      of: "--steps", in: 1...schedule.timesteps, remedy: ", the timesteps of the schedule; lower it or raise --timesteps")
  }
}
