import ArgumentParser

/// What an evaluation of a network counts.
struct EvaluationOptions: ParsableArguments, Encodable {
  @Option(parsing: .unconditional, help: "Held-out digits whose bits are counted. (default: 128)")
  var numValidationImages: Int?
  @Option(parsing: .unconditional, help: "Samples that are compared with the held-out digits. (default: 1797)")
  var numValidationSamples: Int?
  @Option(parsing: .unconditional, help: "Guidance towards the class in evaluations. (default: 1)")
  var guidanceScale: Double?
  @Option(
    parsing: .unconditional, help: "Noise that evaluations add before the steps of a sample, in all. (default: 2)")
  var sChurn: Double?
  @Option(parsing: .unconditional, help: "The factor of that noise, above 1 against a loss of detail. (default: 1.15)")
  var sNoise: Double?
}
