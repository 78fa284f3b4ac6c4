import DigitsModel
import Schedulers

/// A training run between two steps: all that has to be saved for it to go on as if it had never
/// stopped.
struct TrainingState {
  /// What is not the network's: small, and saved as JSON.
  struct Progress: Hashable, Codable {
    /// How many steps the optimizer has made.
    var step = 0
    var order = DataOrder()
    /// Decides the order of the digits, which of them lose their class, and the timesteps.
    var generator: PhiloxGenerator
    var noise: GaussianNoise
    /// The sampler of timesteps that learns, if it is that one.
    var learned: LossSecondMoment?
    var log: [TrainingLog.Row] = []
    var evaluations: [TrainingLog.Evaluation] = []
    /// Of the steps since the last row of the log.
    var pending: [Double] = []
  }

  private(set) var configuration: TrainingConfiguration
  var network: Network<Float>
  var optimizer: AdamW<Float>
  var average: MovingAverage<Float>?
  var progress: Progress

  /// A run at its beginning.
  init(_ configuration: TrainingConfiguration) throws {
    self.configuration = configuration
    network = Network(configuration.architecture, seed: configuration.seed)
    optimizer = AdamW(configuration.optimizer, count: network.parameters.count)
    average = configuration.useEMA ? MovingAverage(configuration.average, of: network.parameters) : nil
    // The first weights are the noise of sample 0.
    progress = Progress(
      generator: PhiloxGenerator(seed: configuration.seed),
      noise: GaussianNoise(seed: configuration.seed, firstSample: 1),
      learned: try configuration.sampler() as? LossSecondMoment)
  }

  /// A run that goes on, with another configuration as far as that may differ.
  init(_ configuration: TrainingConfiguration, goingOnFrom state: TrainingState) {
    self = state
    self.configuration = configuration
  }

  /// The network that is sampled from: the averaged one if there is one.
  var result: Network<Float> {
    guard let average else { return network }
    return Network(network.architecture, parameters: average.parameters)
  }
}

/// What the steps of a run need and do not change.
struct TrainingLoop {
  let configuration: TrainingConfiguration
  let data: DigitSplit
  private let loss: TrainingLoss
  private let schedule: NoiseSchedule
  private let sampler: any TimestepSampler
  private let rate: LearningRate

  init(_ configuration: TrainingConfiguration, data: DigitSplit) throws {
    self.configuration = configuration
    self.data = data
    loss = try configuration.loss()
    schedule = loss.bound.process.schedule
    sampler = try configuration.sampler()
    rate = configuration.rate
  }

  /// One step of the optimizer: Ho et al. 2020, https://arxiv.org/abs/2006.11239, algorithm 1, with
  /// what has been found since.
  ///
  /// - Throws: `OutputError` if the network has come to answer with infinities.
  func step(_ state: inout TrainingState) throws {
    let c = configuration
    var gradient = [Float](repeating: 0, count: state.network.parameters.count)
    var total = 0.0
    for _ in 0..<c.gradientAccumulationSteps {
      let chosen = state.progress.order.next(c.trainBatchSize, using: &state.progress.generator)
      let x0 = data.batch(chosen)
      let labels = chosen.map {
        Double.random(in: 0..<1, using: &state.progress.generator) < c.classDropout ? nil : data.training.labels[$0]
      }
      let draws = (state.progress.learned ?? sampler).draw(count: chosen.count, using: &state.progress.generator)
      let timesteps = draws.map(\.timestep)
      let epsilon =
        c.noiseOffset > 0
        ? state.progress.noise.next(like: x0, offsetBy: c.noiseOffset) : state.progress.noise.next(like: x0)
      let hidden =
        c.inputPerturbation > 0 ? state.progress.noise.perturbing(epsilon, by: c.inputPerturbation) : epsilon
      let sample = schedule.mix(x0, with: hidden, at: timesteps)

      let tape = state.network.run(sample.scalars, timesteps: timesteps.map(Double.init), labels: labels, threads: 2)
      let output = SampleBatch(
        shape: [chosen.count, tape.output.count / x0.scalars.count] + x0.shape.dropFirst(2), scalars: tape.output)
      let value = try loss(
        output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps, weights: draws.map(\.weight))
      state.network.addGradient(of: tape, slope: value.gradient.scalars, to: &gradient)

      try state.progress.learned?.update(
        with: zip(timesteps, value.losses).map { TimestepLoss(timestep: $0, loss: max($1, 0)) })
      total += value.total / Double(c.gradientAccumulationSteps)
    }
    let norm = GradientClipping.norm(of: gradient) / Double(c.gradientAccumulationSteps)
    state.optimizer.step(
      &state.network.parameters, gradient: gradient,
      scale: GradientClipping.scale(norm: norm, limit: c.maxGradNorm) / Double(c.gradientAccumulationSteps),
      rate: rate[state.progress.step])
    state.average?.update(with: state.network.parameters)
    state.progress.take(loss: total, norm: norm, rate: rate[state.progress.step], every: c.loggingSteps)
  }
}
