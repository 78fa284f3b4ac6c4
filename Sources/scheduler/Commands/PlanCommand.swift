import ArgumentParser
import Schedulers
import SchedulersInterop

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Prints the coefficients of a run: for each model call, how its answer makes the next sample.",
    discussion: """
      x is the sample, F the model's output, x0 the data it predicts, E what the sampler extrapolates, z fresh noise; \
      [-1] is one call ago. sigma is noise/signal, on rectified flow the time. Where the model is not given x itself, \
      input is what x is multiplied by for it. The table shows six digits, JSON and C all of them; \
      Docs/Plan.md says how to run a plan in other languages.
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

  @Option(help: "text, json (a file of the format scheduler-plan/1), or c (the same as an initialiser in C).")
  var format = "text"

  func run() throws {
    guard ["text", "json", "c"].contains(format) else {
      throw Failure.unknown("format", format, known: ["text", "json", "c"])
    }
    let configured = try configuration.run(file, steps: steps.steps, beside: ["--format"])
    let document = try configured?.document() ?? makePlan()
    switch format {
    case "json": try Console.output.print(JSON.text(document))
    case "c": try Console.output.print(PlanSource(document.plan).description)
    default: try Console.output.print((configured?.summary ?? "") + PlanTable(document.plan).description)
    }
  }

  /// The plan that the tool's own options ask for.
  private func makePlan() throws -> PlanDocument {
    let choice = try spacing.choice()
    let entry = try ChosenSamplers.entry(sampler, on: choice.spacing)
    let schedule = try process.make()
    try choice.refuseSchedule(process)
    let grid = try choice.make(schedule, calls: try steps.calls(of: schedule, on: choice), for: entry)
    let prediction = try options.prediction(on: choice.spacing)
    let plan = try options.plan(entry, over: grid, predicting: prediction)
    var made: [String: DiffusersConfiguration.Value] = [
      "sampler": .string(entry.name), "prediction": .string(prediction.rawValue),
      "spacing": .string(choice.spacing.name),
      "steps": .integer(plan.steps.count), "command": .string(CommandLineOptions.text),
    ]
    if !choice.spacing.hasOwnProcess { made["schedule"] = .string(process.schedule) }
    return PlanDocument(plan, provenance: made)
  }
}
