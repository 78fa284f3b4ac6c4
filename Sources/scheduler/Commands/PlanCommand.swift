import ArgumentParser
import Schedulers

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Prints the coefficients of a run: for each model call, how its answer makes the next sample.",
    discussion: """
      x is the sample, F the model's output, x0 the data it predicts, E what the sampler extrapolates, z fresh noise; \
      [-1] is one call ago. The table shows six digits, JSON all of them.
      """)

  @Option(help: "The sampler, by its name in `scheduler list`.")
  var sampler = "ddim"

  @OptionGroup var steps: StepsOption
  @OptionGroup var process: ScheduleOptions
  @OptionGroup var spacing: GridOptions
  @OptionGroup var options: SamplerOptions

  @Option(help: "text or json.")
  var format = "text"

  func run() throws {
    guard let entry = SamplerCatalog[sampler] else {
      throw Failure.unknown("sampler", sampler, known: SamplerCatalog.all.map(\.name))
    }
    guard format == "text" || format == "json" else {
      throw Failure.unknown("format", format, known: ["text", "json"])
    }
    let schedule = try process.make()
    let choice = try spacing.choice()
    try choice.refuseSchedule(process)
    let grid = try choice.make(schedule, calls: try steps.calls(of: schedule, on: choice), for: entry)
    let plan = try options.plan(entry, over: grid, predicting: options.prediction(on: choice.spacing))
    try Console.output.print(format == "json" ? JSON.text(plan) : Self.table(plan).description)
  }

  private static func table(_ plan: SamplingPlan) -> TextTable {
    var table = TextTable(["step", "timestep", "signal", "noise", "x0", "E", "next x"], textColumns: [4, 5, 6])
    for (i, step) in plan.steps.enumerated() {
      let level = step.query.level
      table.append([
        "\(i)", brief(step.query.timestep), brief(level.signal), brief(level.noise),
        sum([(step.denoising.sample, "x"), (step.denoising.output, "F")]),
        sum([(step.keeping.sample, "x"), (step.keeping.output, "x0")]),
        sum(terms(of: step.next)),
      ])
    }
    return table
  }

  private static func terms(of form: LinearForm) -> [(Double, String)] {
    func named(_ factors: [Double], _ symbol: String) -> [(Double, String)] {
      factors.enumerated().map { ago, factor in (factor, ago == 0 ? symbol : "\(symbol)[-\(ago)]") }
    }
    return named(form.samples, "x") + named(form.estimates, "E") + [
      (form.predicted, "x0 unclipped"), (form.output, "F"), (form.noise, "z"),
    ]
  }

  private static func sum(_ terms: [(factor: Double, symbol: String)]) -> String {
    var text = ""
    for term in terms where term.factor != 0 {
      let magnitude = abs(term.factor)
      let product = magnitude == 1 ? term.symbol : "\(brief(magnitude)) \(term.symbol)"
      let sign = text.isEmpty ? (term.factor < 0 ? "-" : "") : (term.factor < 0 ? " - " : " + ")
      text += sign + product
    }
    return text.isEmpty ? "0" : text
  }
}
