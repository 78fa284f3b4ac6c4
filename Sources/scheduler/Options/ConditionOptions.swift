import ArgumentParser
import DigitsModel
import ExactDenoisers
import Schedulers

/// The model, which digits it knows, and how it leans towards them.
struct ConditionOptions: ParsableArguments {
  @Option(
    help: "The model: dataset (exact), trained (a network that comes with the tool), or a file of `scheduler train`.")
  var model = "dataset"

  @Option(name: .customLong("class"), parsing: .unconditional, help: "Sample this digit only, 0 ... 9.")
  var label: WholeNumber?

  @Option(
    parsing: .unconditional,
    help: "Classifier-free guidance towards --class, 0 ... 100: 1 is the class alone, more exaggerates it. (default: 1)"
  )
  var guidance: Double?

  /// What is sampled, if it is not everything.
  var title: String? {
    label.map { "digit \($0.defaultValueDescription), guidance \(brief(guidance ?? 1))" }
  }

  /// The trained model, if it is one.
  func trained() throws -> TrainedModel? {
    try model == "dataset" ? nil : .named(model)
  }

  /// The denoiser of the digits: the trained one, or else the exact one.
  ///
  /// - Throws: `Failure` for a class or a scale out of its range, or a scale without a class;
  ///   `DigitsResources.Failure` if the data are missing.
  func denoiser(_ trained: TrainedModel?, predicting prediction: Prediction) throws -> any Denoiser<SampleBatch<Double>>
  {
    if let guidance { try check("--guidance", guidance, in: 0...100) }
    let wanted = try label?.value(of: "--class", in: 0...9)
    if wanted == nil, let guidance {
      throw Failure("--guidance \(brief(guidance)) needs a class to lean towards; add --class")
    }
    if let trained { return trained.denoiser(label: wanted, guidance: guidance ?? 1) }
    let digits = try Digits()
    let everything = try Dataset<Double>(points: digits.images, predicting: prediction)
    guard let wanted else { return everything }
    let conditional = try Dataset<Double>(
      points: digits.images, labels: digits.labels, label: wanted, predicting: prediction)
    return ClassifierFreeGuidance(conditional: conditional, unconditional: everything, scale: guidance ?? 1)
  }
}
