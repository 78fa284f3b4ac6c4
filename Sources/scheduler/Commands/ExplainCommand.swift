import ArgumentParser
import Schedulers
import SchedulersInterop
import SchedulersTraces

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explains a sampler, or a scheduler class of diffusers: its formula, its source, its numbers.",
    discussion: """
      The formula is that of the paper, in the words of the file where it stands; the numbers are its coefficients on \
      a small grid, as `scheduler plan` prints them.
      """)

  @Argument(help: "A sampler, by its name in `scheduler list`, or a class of diffusers, such as DDIMScheduler.")
  var name: String

  @Option(parsing: .unconditional, help: "The steps of the grid, 1 ... 50.")
  var steps: WholeNumber = 4

  func run() throws {
    let steps: Int = try steps.value(of: "--steps", in: 1...50)
    if let entry = SamplerCatalog[name] {
      try Console.output.print(Self.text(of: entry, steps: steps))
    } else if let schedulerClass = DiffusersConfiguration.Class(named: name) {
      try Console.output.print(Self.text(of: schedulerClass, steps: steps))
    } else {
      throw Failure.unknown(
        "sampler or class", name,
        known: SamplerCatalog.all.map(\.name) + DiffusersConfiguration.Class.allCases.map(\.rawValue))
    }
  }

  private static func text(of entry: SamplerCatalog.Entry, steps: Int) throws -> String {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: steps)
    let plan = try entry.plan(over: grid, predicting: .epsilon)
    return """
      \(formula(of: entry))

      \(counted(steps, "step")) of trailing spacing on the linear schedule, for a network that predicts epsilon:
      \(PlanTable(plan).description)
      """
  }

  private static func text(of schedulerClass: DiffusersConfiguration.Class, steps: Int) throws -> String {
    let name = schedulerClass.rawValue
    let own = SourceText.all[name]
    let relation = try schedulerClass.sampler()
    let comment = own.map { $0.text.isEmpty ? "" : "\n\n\($0.text)" } ?? ""
    var parts = ["\(name) of diffusers 0.42.1\(own.map { ", in \($0.file)" } ?? "")\(comment)"]
    if let relation {
      let verb = relation.isSame ? "is" : "is, with other options,"
      parts.append("By the mathematics and with its defaults it \(verb)\n\n\(formula(of: relation.entry))")
    }
    let configuration = try DiffusersConfiguration(schedulerClass)
    do {
      for fidelity in [Fidelity.corrected, .diffusers] {
        let run = try ConfiguredRun(.diffusers(configuration, RunArguments()), steps: steps, fidelity: fidelity)
        parts.append("\(run.title):\n\(PlanTable(run.plan).description.dropLast())")
      }
    } catch {
      throw Failure("\(error)")
    }
    let departures = configuration.deviations(steps: steps).map { "- \($0.name): \($0.what)" }
    if !departures.isEmpty {
      parts.append((["Where diffusers departs from the papers here:"] + departures).joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  /// What a sampler is, the formula and its source, and where it stands.
  private static func formula(of entry: SamplerCatalog.Entry) -> String {
    let texts = SourceText.types(of: entry.sampler).compactMap { SourceText.all[$0] }
    let noise = entry.isStochastic ? "with noise" : "without noise"
    let options = "\(entry.sampler)".replacing("Schedulers.", with: "")
    return """
      \(entry.title) (\(entry.name)): order \(entry.order), \(entry.calls) calls for N steps, \(noise)
      \(options), in \(texts.map(\.file).joined(separator: " and "))

      \(texts.map(\.text).first ?? entry.source)
      """
  }
}
