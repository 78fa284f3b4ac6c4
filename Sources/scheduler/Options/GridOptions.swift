import ArgumentParser
import Schedulers

/// Where a run calls the model.
struct GridOptions: ParsableArguments {
  @Option(
    help: "How the calls lie along the process: \(Self.names.joined(separator: ", ")).")
  var spacing = "trailing"

  @Option(parsing: .unconditional, help: "What leading spacing adds to each timestep; Stable Diffusion's is 1. (default: 0)")
  var offset: WholeNumber?

  private static var timestepSpacings: [TimestepSpacing] { TimestepSpacing.all + [.distilled()] }
  private static var names: [String] { timestepSpacings.map(\.name) + SigmaSpacing.all.map(\.name) }

  /// The grid on which a sampler makes as many calls as possible without exceeding a number.
  ///
  /// - Parameters:
  ///   - calls: 1 ... T; see `StepsOption`.
  ///   - entry: the sampler, for the calls of its steps.
  /// - Throws: `Failure` for an unknown name; `GridError` for a grid that the schedule does not have.
  func make(_ schedule: NoiseSchedule, calls: Int, for entry: SamplerCatalog.Entry) throws -> SamplingGrid {
    let steps = entry.steps(evaluations: calls)
    if let spacing = SigmaSpacing.all.first(where: { $0.name == spacing }) {
      try refuseOffset()
      guard schedule.sigmas.last!.isFinite else {
        throw Failure(
          "--spacing \(self.spacing) needs a largest sigma, and a schedule without signal at its end has none; use trailing, or "
            + "drop --zero-terminal-snr")
      }
      return try SamplingGrid(schedule, steps: steps, spacing: spacing)
    }
    guard let named = Self.timestepSpacings.first(where: { $0.name == spacing }) else {
      throw Failure.unknown("spacing", spacing, known: Self.names)
    }
    if case .distilled(let originalSteps) = named, steps > originalSteps || schedule.timesteps < originalSteps {
      throw Failure(
        "--spacing distilled chooses among \(originalSteps) timesteps, which are too few for \(counted(steps, "step")) or too many for "
          + "the \(schedule.timesteps) of the schedule; lower --steps, raise --timesteps, or use trailing")
    }
    guard case .leading = named else {
      try refuseOffset()
      return try SamplingGrid(schedule, steps: steps, spacing: named)
    }
    let offset = try offset?.value(of: "--offset", in: 0...100_000) ?? 0
    return try SamplingGrid(schedule, steps: steps, spacing: .leading(offset: offset))
  }

  private func refuseOffset() throws(Failure) {
    if let offset {
      throw Failure("--offset \(offset.defaultValueDescription) is for leading spacing; drop it, or use --spacing leading")
    }
  }
}

/// The number of model calls.
struct StepsOption: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "The model calls of each sampler, 1 ... T. One with several calls a step takes fewer steps.")
  var steps: WholeNumber = 25

  func calls(of schedule: NoiseSchedule) throws(Failure) -> Int {
    try steps.value(
      of: "--steps", in: 1...schedule.timesteps, remedy: ", the timesteps of the schedule; lower it or raise --timesteps")
  }
}
