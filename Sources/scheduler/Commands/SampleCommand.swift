import ArgumentParser
import DigitsModel
import Schedulers
import SchedulersCharts
import SchedulersInterop

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Samples digits with several samplers from the same noise and writes a contact sheet as PNG.",
    discussion: """
      The model is exact: the best denoiser there can be for the 1,797 digits of the embedded data set. Differences \
      between the panels are therefore differences between the samplers. With --model it is a network that was trained \
      on half of them.
      """)

  @Option(
    help: """
      A sampler, by its name in `scheduler list`, or all; may be repeated or separated by commas. \
      (default: \(Self.usual.joined(separator: ",")), with flow-heun for heun where a network was trained, or with \
      --spacing flow)
      """)
  var sampler: [String] = []

  @OptionGroup var configuration: ConfigurationOptions
  @OptionGroup var steps: StepsOption
  @OptionGroup var process: ScheduleOptions
  @OptionGroup var spacing: GridOptions
  @OptionGroup var options: SamplerOptions
  @OptionGroup var condition: ConditionOptions
  @OptionGroup var image: ImageOptions
  @OptionGroup var noise: NoiseOptions

  @Option(parsing: .unconditional, help: "How many digits, 1 ... 4096.")
  var count: WholeNumber = 64

  @Option(
    parsing: .unconditional,
    help: """
      How many digits are sampled at a time, 1 ... 4096. It does not change the file, unless --noise is another \
      library's.
      """
  )
  var batchSize: WholeNumber = 64

  @Option(name: .shortAndLong, help: "The PNG file to write.")
  var output = "digits.png"

  private static let usual = ["ddpm", "ddpm-large", "ddim", "heun", "dpm++2m"]
  /// From where the cosine schedule begins, Heun's first correction would magnify the errors of a
  /// network; from where rectified flow does, it does not exist.
  private static let usualFromNoise = usual.map { SamplerCatalog[$0]!.needsSignal ? "flow-heun" : $0 }

  /// What a configuration leaves to be chosen.
  private static let besideConfiguration: Set = [
    "--model", "--class", "--guidance", "--noise", "--seed", "--precision", "--arithmetic", "--device", "--count",
    "--batch-size", "--output",
  ]

  func run() throws {
    let setting = try makeSetting()
    let job = SamplingJob(
      runs: setting.runs, model: setting.model, image: try image.digit(),
      noise: try noise.choice(), count: try count.value(of: "--count", in: 1...4096),
      batchSize: try batchSize.value(of: "--batch-size", in: 1...4096))
    let file = try OutputFile(output, extensions: ["png"])
    let interruption = Interruption()
    let results = try job.run(interruption)
    let picture = sheet(of: results, by: job, grid: setting.title).picture()
    try file.write(try PNG.encode(picture), isWanted: interruption.check)
    for remark in setting.remarks { Console.error.write("scheduler: \(remark)\n") }
    try Console.output.print(
      "wrote \(output): \(picture.width) x \(picture.height) pixels, \(counted(job.count, "digit")) from "
        + "\(counted(setting.runs.count, "sampler"))\n")
  }

  /// What is run, and how the picture names it.
  private struct Setting {
    let runs: [SamplingJob.Run]
    let model: SamplingJob.Model
    let title: String
    var remarks: [String] = []
  }

  private func makeSetting() throws -> Setting {
    if let configured = try configuration.run(steps: steps.steps, beside: Self.besideConfiguration) {
      try configured.checkSamples()
      return Setting(
        runs: [SamplingJob.Run(title: configured.source.name, plan: configured.plan)],
        model: try condition.converted(), title: configured.title)
    }
    let trained = try condition.trained()
    let choice = try spacing.choice()
    let (runs, remarks) = try makeRuns(trained, choice)
    let denoiser = try condition.denoiser(trained, predicting: options.prediction(on: choice.spacing))
    return Setting(
      runs: runs, model: { try denoiser($0, SamplingPlan.Query($1.query)) },
      title: choice.title(schedule: trained?.configuration.ddpmBetaSchedule ?? process.schedule), remarks: remarks)
  }

  /// Each sampler with its plan; all plans are made before the first model call, so that what
  /// cannot be done fails at once. And what is to be said of them.
  private func makeRuns(
    _ trained: TrainedModel?, _ choice: GridOptions.Choice
  ) throws -> (runs: [SamplingJob.Run], remarks: [String]) {
    let usual = trained != nil || choice.spacing.isFlow ? Self.usualFromNoise : Self.usual
    let entries = try ChosenSamplers.entries(sampler.isEmpty ? usual : sampler, on: choice.spacing)
    for entry in entries where entry.isInversion {
      throw Failure(
        "--sampler \(entry.name) goes from data to noise and samples nothing; choose another, or see it with "
          + "`scheduler plan`"
      )
    }
    let schedule =
      try trained.map { model in
        try refuseProcess(of: model, choice.spacing)
        return try model.configuration.schedule()
      } ?? process.make()
    try choice.refuseSchedule(process)
    let prediction = try trained?.configuration.predictionType ?? options.prediction(on: choice.spacing)
    let learnsVariance = trained?.network.architecture.learnsVariance ?? false
    let calls = try steps.calls(of: schedule, on: choice)
    let grids = try entries.map { try choice.make(schedule, calls: calls, for: $0) }
    let runs = try zip(entries, grids).map { entry, grid in
      let plan = try options.plan(
        entry, over: image.shortened(grid), predicting: prediction, learnsVariance: learnsVariance)
      return SamplingJob.Run(title: entry.title, plan: plan)
    }
    return (runs, try zip(entries, grids).compactMap { try image.remark(on: $1, of: $0.name) })
  }

  /// A network knows one process and predicts one thing.
  private func refuseProcess(of model: TrainedModel, _ spacing: GridSpacing) throws(Failure) {
    let own = "the model \(condition.model) brings its own; drop the option"
    if process.schedule != ScheduleOptions.usual {
      throw Failure("--schedule \(process.schedule) cannot be chosen: \(own)")
    }
    if !process.length.isUsual { throw Failure("--timesteps and --zero-terminal-snr cannot be chosen: \(own)") }
    if let prediction = options.prediction { throw Failure("--prediction \(prediction) cannot be chosen: \(own)") }
    if spacing.hasOwnProcess { throw Failure("--spacing \(spacing.name) cannot be chosen: \(own)") }
  }

  /// What a frame was made at.
  private static func label(timestep: Double, sigma: Double?) -> String {
    if let sigma { return "sigma \(brief(sigma, digits: 2))" }
    return "t \(abs(timestep) < 10 ? brief(timestep, digits: 2) : brief(timestep.rounded()))"
  }

  private func sheet(
    of results: [SamplingJob.Result], by job: SamplingJob, grid: String
  ) -> ContactSheet {
    let (runs, count) = (job.runs, job.count)
    let given = job.image.map { [ContactSheet.Frame(label: "given", sample: $0, range: 1, denoised: nil)] } ?? []
    let panels = zip(runs, results).map { run, result in
      ContactSheet.Panel(
        title: run.title, subtitle: counted(run.plan.steps.count, "model call"), digits: result.digits)
    }
    let what = condition.title ?? counted(count, "digit")
    let start = image.title.map { ", from \($0)" } ?? ""
    let way = job.image == nil ? "from noise to picture" : "on its way from the given one"
    let tellsSigma = runs[0].plan.tellsSigma
    let whose = noise.noise == "philox" ? "" : " of \(noise.noise)"
    return ContactSheet(
      title: "\(what), seed \(noise.seed.defaultValueDescription)\(whose), \(grid)\(start)",
      panels: panels,
      stripTitle: "\(runs[0].title): the first digit \(way)",
      strip: given
        + results[0].frames.map { frame in
          ContactSheet.Frame(
            label: frame.timestep.map { Self.label(timestep: $0, sigma: tellsSigma ? frame.level.sigma : nil) }
              ?? "done",
            sample: frame.sample,
            // Two deviations of noise beside the data show its grain without blackening it.
            range: frame.level.signal + 2 * frame.level.noise, denoised: frame.denoised)
        })
  }
}
