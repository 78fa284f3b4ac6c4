import ArgumentParser
import DigitsModel
import Schedulers

extension Prediction: ExpressibleByArgument {}
extension Variance: ExpressibleByArgument {}
extension TrainingLoss.Kind: ExpressibleByArgument {}
extension LearningRate.Decay: ExpressibleByArgument {}
extension TrainingConfiguration.TimestepChoice: ExpressibleByArgument {}

/// What overrides the keys of a configuration. The names are those of diffusers' training scripts
/// where those have one.
struct TrainingOptions: ParsableArguments, Encodable {
  @Option(parsing: .unconditional, help: "The width of the network. (default: 222)") var hiddenSize: Int?
  @Option(parsing: .unconditional, help: "The number of its residual blocks. (default: 4)") var hiddenBlocks: Int?
  @Option(parsing: .unconditional, help: "Digits in a batch, 1 ... 899. (default: 512)") var trainBatchSize: Int?
  @Option(parsing: .unconditional, help: "Steps of the optimizer. (default: 3000)") var maxTrainSteps: Int?
  @Option(parsing: .unconditional, help: "Passes through the data, in place of --max-train-steps.")
  var numTrainEpochs: Int?
  @Option(parsing: .unconditional, help: "Batches in a step. (default: 1)") var gradientAccumulationSteps: Int?
  @Option(parsing: .unconditional, help: "The largest learning rate. (default: 0.002)") var learningRate: Double?
  @Option(help: "What comes after the warm-up: constant, cosine. (default: cosine)")
  var lrScheduler: LearningRate.Decay?
  @Option(
    parsing: .unconditional, help: "Steps over which the learning rate rises; if not given, a sixth, at most 500.")
  var lrWarmupSteps: Int?
  @Option(parsing: .unconditional, help: "AdamW's beta1. (default: 0.9)") var adamBeta1: Double?
  @Option(parsing: .unconditional, help: "AdamW's beta2. (default: 0.999)") var adamBeta2: Double?
  @Option(parsing: .unconditional, help: "AdamW's weight decay. (default: 0.4)") var adamWeightDecay: Double?
  @Option(parsing: .unconditional, help: "AdamW's epsilon. (default: 1e-8)") var adamEpsilon: Double?
  @Option(parsing: .unconditional, help: "Longer gradients are shortened to this. (default: 1)")
  var maxGradNorm: Double?
  @Option(
    name: [.long, .customLong("timesteps")], parsing: .unconditional,
    help: "T, the timesteps of the process. (default: 1000)")
  var ddpmNumSteps: Int?
  @Option(
    name: [.long, .customLong("schedule")],
    help: "The noise schedule: \(BetaSchedule.all.map(\.name).joined(separator: ", ")). (default: cosine)")
  var ddpmBetaSchedule: String?
  @Option(
    name: [.long, .customLong("prediction")],
    help: "What the network predicts: epsilon, x0, v, flow, reverseFlow. (default: v)"
  )
  var predictionType: Prediction?
  @Option(help: "The variance of the reverse step; a learned one adds a head to the network. (default: fixedLarge)")
  var varianceType: Variance?
  @Option(help: "What is minimised; in bits where it is not mse. (default: mse)") var lossType: TrainingLoss.Kind?
  @Option(parsing: .unconditional, help: "Weights the squared error by min-SNR with this gamma; 5 is usual.")
  var snrGamma: Double?
  @Option(parsing: .unconditional, help: "The strength of offset noise. (default: 0)") var noiseOffset: Double?
  @Option(parsing: .unconditional, help: "The strength of input perturbation. (default: 0)")
  var inputPerturbation: Double?
  @Option(help: "How timesteps are drawn. (default: stratified)")
  var timestepSampler: TrainingConfiguration.TimestepChoice?
  @Option(parsing: .unconditional, help: "The part of the digits shown without their class. (default: 0.1)")
  var classDropout: Double?
  @Flag(inversion: .prefixedNo, help: "Sample from averaged weights. (default: --use-ema)") var useEma: Bool?
  @Option(parsing: .unconditional, help: "The largest decay of the average. (default: 0.9999)") var emaMaxDecay: Double?
  @Option(parsing: .unconditional, help: "Larger is a slower warm-up of the average. (default: 1)")
  var emaInvGamma: Double?
  @Option(parsing: .unconditional, help: "The power of its warm-up. (default: 0.75)") var emaPower: Double?
  @Option(
    parsing: .unconditional,
    help: "Decides the first weights, the order of the digits, timesteps and noise. (default: 0)")
  var seed: WholeNumber?
  @Option(parsing: .unconditional, help: "Steps in a row of the log. (default: 10)") var loggingSteps: Int?
  @Option(parsing: .unconditional, help: "Steps between checkpoints. (default: 1000)") var checkpointingSteps: Int?
  @Option(parsing: .unconditional, help: "How many checkpoints are kept. (default: 2)") var checkpointsTotalLimit: Int?
  @Option(parsing: .unconditional, help: "Steps between evaluations; 0 for none at all. (default: 8000)")
  var validationSteps: Int?
}
