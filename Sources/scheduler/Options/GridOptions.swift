import ArgumentParser
import Schedulers

/// Where a run calls the model.
struct GridOptions: ParsableArguments {
  @Option(
    help: """
      How the calls lie along the process: \(Spacing.all.map(\.name).joined(separator: ", ")). Those of ays were \
      optimised for Stable Diffusion; flow is rectified flow and edm the process of EDM, which have no schedule.
      """)
  var spacing = "trailing"

  @Option(
    parsing: .unconditional, help: "What leading spacing adds to each timestep; Stable Diffusion's is 1. (default: 0)")
  var offset: WholeNumber?

  @OptionGroup var range: SigmaOptions
  @OptionGroup var flow: FlowOptions

  /// - Throws: `Failure` for an unknown name, and for an option without meaning.
  func choice() throws(Failure) -> Choice {
    let spacing = try Spacing(named: spacing)
    let isLeading =
      switch spacing {
      case .timesteps(.leading), .timesteps(.oneMore(.leading)): true
      default: false
      }
    try refuse(
      "--offset", offset?.defaultValueDescription, unless: isLeading, because: "--spacing \(spacing.name)",
      instead: "--spacing leading")
    try flow.refuse(spacing)
    try range.refuse(spacing)
    return Choice(spacing: spacing, sigmas: try range.given(), options: self)
  }

  /// Options that fit each other.
  struct Choice {
    let spacing: Spacing
    /// The sigmas of the run in the place of a spacing, if they are given.
    let sigmas: [Double]?
    fileprivate let options: GridOptions
  }
}

extension GridOptions.Choice {
  /// How the grid is called on a picture.
  func title(schedule: String) -> String {
    let (name, isGiven) = (spacing.name, sigmas != nil)
    let kind = isGiven ? "given sigmas" : "\(name) spacing"
    return spacing.hasOwnProcess ? "\(kind)\(isGiven ? "" : " of \(name)")" : "\(schedule) schedule, \(kind)"
  }

  /// Throws for options of a schedule where there is none.
  func refuseSchedule(_ process: ScheduleOptions) throws(Failure) {
    guard spacing.hasOwnProcess else { return }
    if process.schedule != ScheduleOptions.usual || process.length.hasZeroTerminalSNR {
      throw Failure(
        "--spacing \(spacing.name) has no schedule; drop --schedule and --zero-terminal-snr, or use another spacing")
    }
  }

  /// The grid on which a sampler makes as many calls as possible without exceeding a number, or
  /// that of given sigmas.
  ///
  /// - Parameters:
  ///   - calls: 1 ... T; see `StepsOption`.
  ///   - entry: the sampler, for the calls of its steps.
  /// - Throws: `Failure` for numbers that do not fit the schedule; `GridError` for a grid that the
  ///   schedule does not have.
  func make(_ schedule: NoiseSchedule, calls: Int, for entry: SamplerCatalog.Entry) throws -> SamplingGrid {
    let steps = entry.steps(evaluations: calls)
    switch spacing {
    case .flow: return try options.flow.grid(steps: steps, times: sigmas)
    case .edm: return try options.range.edmGrid(steps: steps, sigmas: sigmas)
    case .aligned(let family): return try SamplingGrid(schedule, steps: steps, alignedFor: family)
    case .sigmas(let spacing):
      let (spacing, ends) = (options.range.completed(spacing), try options.range.ends(of: schedule, spacing))
      return try SamplingGrid(schedule, steps: steps, spacing: spacing, range: ends)
    case .timesteps(let spacing):
      if let sigmas { return try SamplingGrid(schedule, sigmas: sigmas) }
      return try SamplingGrid(schedule, steps: steps, spacing: completed(spacing, schedule, steps: steps))
    }
  }

  private func completed(
    _ spacing: TimestepSpacing, _ schedule: NoiseSchedule, steps: Int
  ) throws(Failure) -> TimestepSpacing {
    if case .distilled(let originalSteps) = spacing, steps > originalSteps || schedule.timesteps < originalSteps {
      throw Failure(
        "--spacing distilled chooses among \(originalSteps) timesteps, which are too few for \(counted(steps, "step")) "
          + "or too many for the \(schedule.timesteps) of the schedule; lower --steps, raise --timesteps, or use "
          + "trailing"
      )
    }
    let offset = try options.offset?.value(of: "--offset", in: 0...100_000) ?? 0
    switch spacing {
    case .leading: return .leading(offset: offset)
    case .oneMore(.leading): return .oneMore(.leading(offset: offset))
    default: return spacing
    }
  }
}

/// The number of model calls.
struct StepsOption: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "The model calls of each sampler, 1 ... T. One with several calls a step takes fewer steps. (default: 25)")
  var steps: WholeNumber?

  /// - Throws: `Failure` for a number out of its range, and for one beside given sigmas, which say
  ///   it themselves.
  func calls(of schedule: NoiseSchedule, on grid: GridOptions.Choice) throws(Failure) -> Int {
    try refuse(
      "--steps", steps?.defaultValueDescription, unless: grid.sigmas == nil, because: "given --sigmas",
      instead: "--spacing")
    return try (steps ?? 25).value(
      of: "--steps", in: 1...schedule.timesteps,
      remedy: ", the timesteps of the schedule; lower it or raise --timesteps")
  }
}
