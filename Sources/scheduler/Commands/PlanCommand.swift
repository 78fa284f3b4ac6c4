import ArgumentParser
import Schedulers

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Prints the coefficients of a run: for each model call, how its answer makes the next sample.",
    discussion: """
      x is the sample, F the model's output, x0 the data it predicts, E what the sampler extrapolates, z fresh noise; \
      [-1] is one call ago. sigma is noise/signal, on rectified flow the time. Where the model is not given x itself, \
      input is what x is multiplied by for it. The table shows six digits, JSON all of them.
      """)

  @Argument(help: "A configuration of another library, as with --config.")
  var file: String?

  @OptionGroup var configuration: ConfigurationOptions

  @Option(help: "The sampler, by its name in `scheduler list`.")
  var sampler = "ddim"

  @OptionGroup var steps: StepsOption
  @OptionGroup var process: ScheduleOptions
  @OptionGroup var spacing: GridOptions
  @OptionGroup var options: SamplerOptions

  @Option(help: "text or json.")
  var format = "text"

  func run() throws {
    guard format == "text" || format == "json" else {
      throw Failure.unknown("format", format, known: ["text", "json"])
    }
    let configured = try configuration.run(file, steps: steps.steps, beside: ["--format"])
    let plan = try configured?.plan ?? makePlan()
    try Console.output.print(
      format == "json" ? JSON.text(plan) : (configured?.summary ?? "") + PlanTable(plan).description)
  }

  /// The plan that the tool's own options ask for.
  private func makePlan() throws -> SamplingPlan {
    guard let entry = SamplerCatalog[sampler] else {
      throw Failure.unknown("sampler", sampler, known: SamplerCatalog.all.map(\.name))
    }
    let schedule = try process.make()
    let choice = try spacing.choice()
    try choice.refuseSchedule(process)
    let grid = try choice.make(schedule, calls: try steps.calls(of: schedule, on: choice), for: entry)
    return try options.plan(entry, over: grid, predicting: options.prediction(on: choice.spacing))
  }
}
