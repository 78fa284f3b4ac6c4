import ArgumentParser
import Schedulers

/// The process: a named schedule and its number of timesteps.
struct ScheduleOptions: ParsableArguments {
  @Option(help: "The noise schedule: \(BetaSchedule.all.map(\.name).joined(separator: ", ")).")
  var schedule = Self.usual

  static let usual = "linear"

  @OptionGroup var length: TimestepOptions

  /// - Throws: `Failure` for an unknown name or a number out of its range; `ScheduleError` where
  ///   the schedule does not exist.
  func make() throws -> NoiseSchedule {
    guard let formula = BetaSchedule.all.first(where: { $0.name == schedule }) else {
      throw Failure.unknown("schedule", schedule, known: BetaSchedule.all.map(\.name))
    }
    return try length.make(formula)
  }
}

/// What all schedules share.
struct TimestepOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "The number of timesteps T of the process, 1 ... 100000.")
  var timesteps: WholeNumber = 1000

  @Flag(name: .customLong("zero-terminal-snr"), help: "Rescale the schedule so that its last timestep holds no signal.")
  var hasZeroTerminalSNR = false

  /// The process in words, for pictures.
  var title: String {
    "\(timesteps.defaultValueDescription) timesteps\(hasZeroTerminalSNR ? ", zero terminal SNR" : "")"
  }

  /// Whether nothing but the defaults was chosen.
  var isUsual: Bool { timesteps.defaultValueDescription == "1000" && !hasZeroTerminalSNR }

  /// A schedule of this length.
  func make(_ formula: BetaSchedule) throws -> NoiseSchedule {
    let count = try timesteps.value(of: "--timesteps", in: 1...100_000)
    let schedule = try NoiseSchedule(formula, timesteps: count)
    return hasZeroTerminalSNR ? try schedule.rescaledToZeroTerminalSNR() : schedule
  }
}
