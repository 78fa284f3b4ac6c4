import ArgumentParser
import Schedulers
import SchedulersInterop

/// Where a run calls the model.
struct GridOptions: ParsableArguments {
  @Option(
    help: """
      How the calls lie along the process: \(GridSpacing.all.map(\.name).joined(separator: ", ")). Those of ays were \
      optimised for Stable Diffusion; flow is rectified flow and edm the process of EDM, which have no schedule. \
      Or a name of another program, as comfyui:karras: `scheduler list names` has them.
      """)
  var spacing = "trailing"

  @Option(
    parsing: .unconditional, help: "What leading spacing adds to each timestep; Stable Diffusion's is 1. (default: 0)")
  var offset: WholeNumber?

  @OptionGroup var range: SigmaOptions
  @OptionGroup var flow: FlowOptions

  /// - Throws: `Failure` for an unknown name, and for an option without meaning.
  func choice() throws(Failure) -> Choice {
    let spacing: GridSpacing
    do { spacing = try .known(self.spacing) } catch { throw Failure(error) }
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

  /// The options that were given beside the spacing, in words.
  fileprivate var settings: [String] {
    let numbers = [
      ("smallest sigma", range.sigmaMin), ("largest sigma", range.sigmaMax), ("rho", range.rho), ("shift", flow.shift),
      ("mu", flow.mu), ("terminal", flow.shiftTerminal),
    ]
    return (offset.map { ["offset \($0.defaultValueDescription)"] } ?? [])
      + numbers.compactMap { name, value in value.map { "\(name) \(brief($0))" } }
      + (flow.imageSize.map { ["\($0) pixels"] } ?? [])
  }

  /// Options that fit each other.
  struct Choice {
    let spacing: GridSpacing
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
    let parts = [spacing.hasOwnProcess ? (isGiven ? "\(kind) of \(name)" : kind) : "\(schedule) schedule, \(kind)"]
    return (parts + options.settings).joined(separator: ", ")
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
    var request = GridRequest()
    request.spacing = spacing
    request.offset = try options.offset?.value(of: "--offset", in: 0...100_000) ?? 0
    (request.sigmaMin, request.sigmaMax) = (options.range.sigmaMin, options.range.sigmaMax)
    (request.rho, request.sigmas) = (options.range.rho, sigmas)
    (request.shift, request.mu) = (options.flow.shift, try options.flow.chosenMu())
    request.shiftTerminal = options.flow.shiftTerminal
    do { return try request.grid(schedule, steps: steps) } catch let failure as GridRequest.Failure {
      throw self.failure(failure, steps: steps, schedule)
    }
  }

  /// A failure in the words of the options.
  private func failure(_ failure: GridRequest.Failure, steps: Int, _ schedule: NoiseSchedule) -> Failure {
    switch failure {
    case .ends(let least, let most):
      Failure(
        "the smallest sigma, \(brief(least)), must be below the largest, \(brief(most)); see --sigma-min and "
          + "--sigma-max")
    case .noLargest:
      Failure(
        "--spacing \(spacing.name) needs a largest sigma, and a schedule without signal at its end has none; use "
          + "trailing, or drop --zero-terminal-snr")
    case .distilled(let originalSteps):
      Failure(
        "--spacing distilled chooses among \(originalSteps) timesteps, which are too few for \(counted(steps, "step")) "
          + "or too many for the \(schedule.timesteps) of the schedule; lower --steps, raise --timesteps, or use "
          + "trailing")
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
