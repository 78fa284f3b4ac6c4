import DigitsModel
import Schedulers

// What a configuration stands for.

extension TrainingConfiguration {
  /// Throws `Failure` for a value out of its range, and for values that exclude each other.
  func validate() throws {
    func remedy(_ key: CodingKeys) -> String { "; set --\(key.rawValue.replacing("_", with: "-"))" }
    func whole(_ key: CodingKeys, _ value: Int, _ range: ClosedRange<Int>) throws(Failure) {
      guard range.contains(value) else {
        throw Failure(
          "\(key.rawValue) \(value) must be in \(range.lowerBound) ... \(range.upperBound)\(remedy(key))")
      }
    }
    func number(_ key: CodingKeys, _ value: Double, _ range: ClosedRange<Double>) throws(Failure) {
      try check(key.rawValue, value, in: range, remedy: remedy(key))
    }
    func positive(_ key: CodingKeys, _ value: Double) throws(Failure) {
      guard value > 0, value.isFinite else {
        throw Failure("\(key.rawValue) \(brief(value)) must be above 0 and finite\(remedy(key))")
      }
    }
    try whole(.hiddenSize, hiddenSize, 1...Architecture.largest.hidden)
    try whole(.hiddenBlocks, hiddenBlocks, 0...Architecture.largest.blocks)
    guard (1...DigitSplit.trainingCount).contains(trainBatchSize) else {
      throw Failure(
        "train_batch_size \(trainBatchSize) must be in 1 ... \(DigitSplit.trainingCount), the digits there are to "
          + "train on"
      )
    }
    try whole(.maxTrainSteps, maxTrainSteps, 1...100_000_000)
    if let numTrainEpochs { try whole(.numTrainEpochs, numTrainEpochs, 1...1_000_000) }
    try whole(.gradientAccumulationSteps, gradientAccumulationSteps, 1...10_000)
    try positive(.learningRate, learningRate)
    guard (0...steps).contains(warmup) else {
      throw Failure(
        "lr_warmup_steps \(warmup) must be in 0 ... \(steps), the steps of the run; set --lr-warmup-steps")
    }
    try number(.adamBeta1, adamBeta1, 0...1.0.nextDown)
    try number(.adamBeta2, adamBeta2, 0...1.0.nextDown)
    try number(.adamWeightDecay, adamWeightDecay, 0...1)
    try positive(.adamEpsilon, adamEpsilon)
    try positive(.maxGradNorm, maxGradNorm)
    try whole(.ddpmNumSteps, ddpmNumSteps, 2...100_000)
    if let snrGamma {
      try positive(.snrGamma, snrGamma)
      guard lossType == .mse || lossType == .rescaledMSE else {
        throw Failure(
          "snr_gamma weights a squared error, which the loss \(lossType.rawValue) does not have; drop one of the two")
      }
    }
    guard predictionType != .previous else {
      throw Failure("prediction_type previous cannot be sampled with every sampler; choose epsilon, x0, v or flow")
    }
    try number(.noiseOffset, noiseOffset, 0...10)
    try number(.inputPerturbation, inputPerturbation, 0...10)
    try number(.classDropout, classDropout, 0...1)
    try number(.emaMaxDecay, emaMaxDecay, 0...1.0.nextDown)
    try positive(.emaInvGamma, emaInvGamma)
    try positive(.emaPower, emaPower)
    try whole(.loggingSteps, loggingSteps, 1...1_000_000)
    try whole(.checkpointingSteps, checkpointingSteps, 1...100_000_000)
    try whole(.checkpointsTotalLimit, checkpointsTotalLimit, 1...10_000)
    try whole(.validationSteps, validationSteps, 0...100_000_000)
    try whole(.numValidationImages, numValidationImages, 1...DigitSplit.heldOutCount)
    try whole(.numValidationSamples, numValidationSamples, 100...100_000)
    try number(.guidanceScale, guidanceScale, 0...100)
    try number(.sChurn, sChurn, 0...1000)
    try number(.sNoise, sNoise, 0...10)
    _ = try loss()
  }

  /// How many steps the optimizer makes.
  var steps: Int {
    guard let numTrainEpochs else { return maxTrainSteps }
    let digits = trainBatchSize * gradientAccumulationSteps
    return numTrainEpochs * ((DigitSplit.trainingCount + digits - 1) / digits)
  }

  /// Over how many steps the learning rate rises.
  var warmup: Int { lrWarmupSteps ?? min(500, steps / 6) }

  var architecture: Architecture {
    Architecture(hidden: hiddenSize, blocks: hiddenBlocks, learnsVariance: varianceType.isLearned)
  }

  func schedule() throws -> NoiseSchedule {
    guard let formula = BetaSchedule.all.first(where: { $0.name == ddpmBetaSchedule }) else {
      throw Failure.unknown("ddpm_beta_schedule", ddpmBetaSchedule, known: BetaSchedule.all.map(\.name))
    }
    return try NoiseSchedule(formula, timesteps: ddpmNumSteps)
  }

  func loss() throws -> TrainingLoss {
    try TrainingLoss(
      schedule(), predicting: predictionType, variance: varianceType, kind: lossType,
      weighting: snrGamma.map { .minSNR(gamma: $0) } ?? .uniform,
      likelihood: DiscretizedGaussian(levels: DigitSplit.greyLevels)
    )
  }

  /// Where timesteps come from. The one that learns is part of the state of a run.
  func sampler() throws -> any TimestepSampler {
    let uniform = try TimestepDistribution.uniform(timesteps: ddpmNumSteps)
    return switch timestepSampler {
    case .uniform: uniform
    case .stratified: Stratified(uniform)
    case .logitNormal: try TimestepDistribution.logitNormal(timesteps: ddpmNumSteps)
    case .lossSecondMoment: try LossSecondMoment(timesteps: ddpmNumSteps)
    }
  }

  var rate: LearningRate {
    LearningRate(peak: learningRate, decay: lrScheduler, warmup: warmup, steps: steps)
  }

  var optimizer: AdamW<Float>.Options {
    var options = AdamW<Float>.Options()
    options.beta1 = adamBeta1
    options.beta2 = adamBeta2
    options.epsilon = adamEpsilon
    options.weightDecay = adamWeightDecay
    return options
  }

  var average: MovingAverage<Float>.Options {
    var options = MovingAverage<Float>.Options()
    options.maximum = emaMaxDecay
    options.inverseGamma = emaInvGamma
    options.power = emaPower
    return options
  }
}
