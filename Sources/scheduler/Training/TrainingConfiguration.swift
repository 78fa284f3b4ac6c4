import DigitsModel
import Fixtures
import Foundation
import Schedulers

/// Everything that decides what a training run does. Names and meanings are those of diffusers' training scripts.
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
  var lrWarmupSteps = 500
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
  }

  /// Keys that do not change what is learned, and so may differ where a run goes on.
  static let free: Set<CodingKeys> = [
    .checkpointingSteps, .checkpointsTotalLimit, .validationSteps, .numValidationImages, .numValidationSamples, .guidanceScale,
  ]

  init() {}

  /// Reads what is there and keeps the default of what is not. An unknown key is an error.
  init(from decoder: any Decoder) throws {
    let known = CodingKeys.allCases.map(\.rawValue)
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
      throw Failure.unknown("key", key.stringValue, known: known)
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func take<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
      if container.contains(key) { value = try container.decode(Value.self, forKey: key) }
    }
    try take(.hiddenSize, &hiddenSize)
    try take(.hiddenBlocks, &hiddenBlocks)
    try take(.trainBatchSize, &trainBatchSize)
    try take(.maxTrainSteps, &maxTrainSteps)
    try take(.numTrainEpochs, &numTrainEpochs)
    try take(.gradientAccumulationSteps, &gradientAccumulationSteps)
    try take(.learningRate, &learningRate)
    try take(.lrScheduler, &lrScheduler)
    try take(.lrWarmupSteps, &lrWarmupSteps)
    try take(.adamBeta1, &adamBeta1)
    try take(.adamBeta2, &adamBeta2)
    try take(.adamWeightDecay, &adamWeightDecay)
    try take(.adamEpsilon, &adamEpsilon)
    try take(.maxGradNorm, &maxGradNorm)
    try take(.ddpmNumSteps, &ddpmNumSteps)
    try take(.ddpmBetaSchedule, &ddpmBetaSchedule)
    try take(.predictionType, &predictionType)
    try take(.varianceType, &varianceType)
    try take(.lossType, &lossType)
    try take(.snrGamma, &snrGamma)
    try take(.noiseOffset, &noiseOffset)
    try take(.inputPerturbation, &inputPerturbation)
    try take(.timestepSampler, &timestepSampler)
    try take(.classDropout, &classDropout)
    try take(.useEMA, &useEMA)
    try take(.emaMaxDecay, &emaMaxDecay)
    try take(.emaInvGamma, &emaInvGamma)
    try take(.emaPower, &emaPower)
    try take(.seed, &seed)
    try take(.loggingSteps, &loggingSteps)
    try take(.checkpointingSteps, &checkpointingSteps)
    try take(.checkpointsTotalLimit, &checkpointsTotalLimit)
    try take(.validationSteps, &validationSteps)
    try take(.numValidationImages, &numValidationImages)
    try take(.numValidationSamples, &numValidationSamples)
    try take(.guidanceScale, &guidanceScale)
  }

  /// The text of a configuration.
  ///
  /// - Throws: `Failure` that names the key.
  static func decode(_ text: Data, from place: String) throws(Failure) -> TrainingConfiguration {
    do {
      return try JSONDecoder().decode(TrainingConfiguration.self, from: text)
    } catch let failure as Failure {
      throw Failure("\(place): \(failure)")
    } catch let error as DecodingError {
      throw Failure("\(place): \(Self.explain(error))")
    } catch {
      throw Failure("\(place) cannot be read as a configuration")
    }
  }

  private static func explain(_ error: DecodingError) -> String {
    switch error {
    case .dataCorrupted(let context) where context.codingPath.isEmpty: return "not JSON; look for a missing comma or bracket"
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context):
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      return key.isEmpty ? "not a JSON object of keys and values" : "\(key) has an unusable value: \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }
}

extension TrainingConfiguration {
  /// The keys, other than those of `free`, whose values differ.
  func differences(from other: TrainingConfiguration) -> [String] {
    func values(_ configuration: TrainingConfiguration) -> [String: String] {
      let object = try? JSONSerialization.jsonObject(with: JSONEncoder().encode(configuration)) as? [String: Any]
      return (object ?? [:]).mapValues { "\($0)" }
    }
    let (own, others) = (values(self), values(other))
    return CodingKeys.allCases.filter { !Self.free.contains($0) && own[$0.rawValue] != others[$0.rawValue] }.map(\.rawValue)
  }
}
