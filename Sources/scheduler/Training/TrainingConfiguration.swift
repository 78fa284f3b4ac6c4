import DigitsModel
import Foundation
import Schedulers
import SchedulersJSON
import SchedulersSafetensors

/// Everything that decides what a training run does. Names and meanings are those of diffusers'
/// training scripts.
struct TrainingConfiguration: Hashable, Codable {
  var hiddenSize = 222
  var hiddenBlocks = 4
  var trainBatchSize = 512
  var maxTrainSteps = 3000
  /// Takes the place of `maxTrainSteps` if it is set.
  var numTrainEpochs: Int?
  var gradientAccumulationSteps = 1
  var learningRate = 2e-3
  var lrScheduler = LearningRate.Decay.cosine
  /// A sixth of the steps, at most 500, if it is not set.
  var lrWarmupSteps: Int?
  var adamBeta1 = 0.9
  var adamBeta2 = 0.999
  var adamWeightDecay = 0.4
  var adamEpsilon = 1e-8
  var maxGradNorm = 1.0
  var ddpmNumSteps = 1000
  var ddpmBetaSchedule = "cosine"
  var predictionType = Prediction.v
  var varianceType = Variance.fixedLarge
  var lossType = TrainingLoss.Kind.mse
  var snrGamma: Double?
  var noiseOffset = 0.0
  var inputPerturbation = 0.0
  var timestepSampler = TimestepChoice.stratified
  /// How many of the pictures are shown without their class.
  var classDropout = 0.1
  var useEMA = true
  var emaMaxDecay = 0.9999
  var emaInvGamma = 1.0
  var emaPower = 0.75
  var seed: UInt64 = 0
  var loggingSteps = 10
  var checkpointingSteps = 1000
  var checkpointsTotalLimit = 2
  /// 0 for none at all.
  var validationSteps = 8000
  /// Held-out digits whose bits are counted.
  var numValidationImages = 128
  /// Samples that are compared with the held-out digits.
  var numValidationSamples = 1797
  var guidanceScale = 1.0
  /// The `amount` and `noise` of the churn that samples of an evaluation are drawn with.
  var sChurn = 2.0
  var sNoise = 1.15

  /// Which timesteps are drawn.
  enum TimestepChoice: String, Codable, CaseIterable {
    case uniform, stratified
    case logitNormal = "logit-normal"
    case lossSecondMoment = "loss-second-moment"
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case hiddenSize = "hidden_size"
    case hiddenBlocks = "hidden_blocks"
    case trainBatchSize = "train_batch_size"
    case maxTrainSteps = "max_train_steps"
    case numTrainEpochs = "num_train_epochs"
    case gradientAccumulationSteps = "gradient_accumulation_steps"
    case learningRate = "learning_rate"
    case lrScheduler = "lr_scheduler"
    case lrWarmupSteps = "lr_warmup_steps"
    case adamBeta1 = "adam_beta1"
    case adamBeta2 = "adam_beta2"
    case adamWeightDecay = "adam_weight_decay"
    case adamEpsilon = "adam_epsilon"
    case maxGradNorm = "max_grad_norm"
    case ddpmNumSteps = "ddpm_num_steps"
    case ddpmBetaSchedule = "ddpm_beta_schedule"
    case predictionType = "prediction_type"
    case varianceType = "variance_type"
    case lossType = "loss_type"
    case snrGamma = "snr_gamma"
    case noiseOffset = "noise_offset"
    case inputPerturbation = "input_perturbation"
    case timestepSampler = "timestep_sampler"
    case classDropout = "class_dropout"
    case useEMA = "use_ema"
    case emaMaxDecay = "ema_max_decay"
    case emaInvGamma = "ema_inv_gamma"
    case emaPower = "ema_power"
    case seed
    case loggingSteps = "logging_steps"
    case checkpointingSteps = "checkpointing_steps"
    case checkpointsTotalLimit = "checkpoints_total_limit"
    case validationSteps = "validation_steps"
    case numValidationImages = "num_validation_images"
    case numValidationSamples = "num_validation_samples"
    case guidanceScale = "guidance_scale"
    case sChurn = "s_churn"
    case sNoise = "s_noise"
  }

  /// Keys that do not change what is learned, and so may differ where a run goes on.
  static let free: Set<CodingKeys> = [
    .checkpointingSteps, .checkpointsTotalLimit, .validationSteps, .numValidationImages, .numValidationSamples,
    .guidanceScale,
    .sChurn, .sNoise,
  ]

  /// The defaults.
  init() {}

  /// A configuration as a text, which leaves out what is as by default. An unknown key is an error.
  ///
  /// - Throws: `Failure` that names the key.
  static func decode(_ text: Data, from place: String) throws(Failure) -> TrainingConfiguration {
    do { try JSONCheck.check(Array(text)) } catch { throw Failure("cannot follow \(place): the file has \(error)") }
    guard let json = try? JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed) else {
      throw Failure("cannot follow \(place): a number in it is larger than a Double can be; make it smaller")
    }
    guard let values = json as? [String: Any] else {
      throw Failure("cannot follow \(place): it is no JSON object of keys and values")
    }
    return try TrainingConfiguration().with(values, from: place)
  }

  /// The configuration with what was given of some options.
  ///
  /// - Throws: `Failure` if a value has no place in it.
  func with(_ options: some Encodable) throws(Failure) -> TrainingConfiguration {
    try with(Self.object(options).filter { !($0.value is NSNull) }, from: "the options")
  }

  private func with(_ values: [String: Any], from place: String) throws(Failure) -> TrainingConfiguration {
    let known = CodingKeys.allCases.map(\.rawValue)
    for key in values.keys.sorted() where !known.contains(key) {
      throw Failure("cannot follow \(place): \(Failure.unknown("key", key, known: known))")
    }
    func merged(_ values: [String: Any]) throws -> TrainingConfiguration {
      let data = try JSONSerialization.data(withJSONObject: Self.object(self).merging(values) { $1 })
      return try JSON.decoder.decode(TrainingConfiguration.self, from: data)
    }
    do { return try merged(values) } catch {
      // The decoder does not say where a number is that does not fit.
      let culprit = values.sorted { $0.key < $1.key }.first { (try? merged([$0.key: $0.value])) == nil }
      guard let (key, value) = culprit else {
        throw Failure("cannot follow \(place): it is no configuration of `scheduler train`")
      }
      throw Failure(
        "cannot follow \(place): \(key) has an unusable value: "
          + "\(Self.explain(error) ?? "\(value) is no whole number that fits")"
      )
    }
  }

  /// Keys, spelt as those of a configuration, and values.
  private static func object(_ value: some Encodable) -> [String: Any] {
    let encoder = JSON.encoder
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let object = try? JSONSerialization.jsonObject(with: encoder.encode(value))
    return object as? [String: Any] ?? [:]
  }

  /// What is wrong with a value, unless it is a number that does not fit.
  private static func explain(_ error: any Error) -> String? {
    switch error as? DecodingError {
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context):
      context.codingPath.isEmpty ? nil : context.debugDescription
    default: "\(error)"
    }
  }
}

extension TrainingConfiguration {
  /// The keys, other than those of `free`, whose values differ.
  func differences(from other: TrainingConfiguration) -> [String] {
    let (own, others) = (Self.object(self).mapValues { "\($0)" }, Self.object(other).mapValues { "\($0)" })
    return CodingKeys.allCases.filter { !Self.free.contains($0) && own[$0.rawValue] != others[$0.rawValue] }.map(
      \.rawValue)
  }
}
