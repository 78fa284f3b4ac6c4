import ArgumentParser

/// What an evaluation of a network counts.
struct EvaluationOptions: ParsableArguments, Encodable {
  @Option(help: "Held-out digits whose bits are counted. (default: 128)") var numValidationImages: Int?
  @Option(help: "Samples that are compared with the held-out digits. (default: 1797)") var numValidationSamples: Int?
  @Option(parsing: .unconditional, help: "Guidance towards the class in evaluations. (default: 1)")
  var guidanceScale: Double?
}
