import ArgumentParser
import DigitsModel

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Says how good a trained network is: bits per dimension, Frechet distance, recognition.",
    discussion: """
      As `scheduler train` does at the end, against the half of the digits that was held out, so that networks from \
      elsewhere are judged by the same measure. What is not given is as the model was trained. Docs/Training.md \
      explains the numbers.
      """)

  @Option(help: "The model: trained (the network that comes with the tool), or a file of `scheduler train`.")
  var model = "trained"

  @OptionGroup var options: EvaluationOptions

  @Option(parsing: .unconditional, help: "The seed of the noise, 0 ... 2^64 - 1. (default: that of the training)")
  var seed: WholeNumber?

  @Option(help: "The half of the digits that is coded and compared with: held-out, training.")
  var half = DigitSplit.Half.heldOut.rawValue

  func run() throws {
    guard let half = DigitSplit.Half(rawValue: half) else {
      throw Failure.unknown("half", half, known: DigitSplit.Half.allCases.map(\.rawValue))
    }
    let model = try TrainedModel.named(model)
    var configuration = try model.configuration.with(options)
    if let seed { configuration.seed = try seed.value(of: "--seed", in: 0...UInt64.max) }
    try configuration.validate()
    // As the training's evaluations, whose last bits depend on it.
    NetworkThreads.use(1)
    let interruption = Interruption()
    let data = try DigitSplit()
    let evaluator = TrainingEvaluator(configuration: configuration, data: data, half: half, onCall: interruption.check)
    let result = try evaluator.evaluate(model.network)
    // What the other half of the real digits would be judged to be.
    let real = try evaluator.compare(data[half.other])
    let digits = "\(half.rawValue) digits"
    var table = TextTable(["figure", "value", "of"], textColumns: [0, 2])
    table.append([
      "bits per dimension", brief(result.bitsPerDimension), "\(configuration.numValidationImages) \(digits)",
    ])
    table.append([
      "Frechet distance", brief(result.frechetDistance),
      "\(configuration.numValidationSamples) samples to \(digits), guidance \(brief(configuration.guidanceScale))",
    ])
    table.append([
      "its multiple", brief(result.frechetDistance / real.distance),
      "of that between the halves of the real digits, \(brief(real.distance))",
    ])
    table.append([
      "recognised, %", brief(100 * result.recognised), "real digits of the other half: \(brief(100 * real.recognised))",
    ])
    try Console.output.print(table.description)
  }
}
