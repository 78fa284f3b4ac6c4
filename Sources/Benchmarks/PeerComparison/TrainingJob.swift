import DigitsModel
import Schedulers

/// A training step of the digits' network, as `scheduler train` takes it: noise, timesteps, output,
/// loss, gradient, optimizer, average.
struct TrainingJob {
  private let loss: TrainingLoss
  private var network = Network<Float>(Architecture(), seed: 0)
  private var optimizer: AdamW<Float>
  private var average: MovingAverage<Float>
  private var generator = PhiloxGenerator(seed: 0)
  private var noise = GaussianNoise(seed: 0)
  private let x0: SampleBatch<Float>
  private let threads: Int
  private let labels: [Int?] = (0..<128).map { $0 % 11 < 10 ? $0 % 11 : nil }

  init(threads: Int) throws {
    self.threads = threads
    let schedule = try NoiseSchedule(.cosine(), timesteps: 1000)
    loss = try TrainingLoss(schedule, predicting: .v)
    optimizer = AdamW(count: network.parameters.count)
    average = MovingAverage(of: network.parameters)
    var pictures = GaussianNoise(seed: 1)
    x0 = pictures.next(like: SampleBatch(zeros: [128, 1, 8, 8]))
  }

  mutating func step() throws {
    let timesteps = (0..<128).map { _ in Int.random(in: 0..<1000, using: &generator) }
    let epsilon = noise.next(like: x0)
    let sample = loss.bound.process.schedule.mix(x0, with: epsilon, at: timesteps)
    let tape = network.run(sample.scalars, timesteps: timesteps.map(Double.init), labels: labels, threads: threads)
    let value = try loss(
      output: SampleBatch(shape: x0.shape, scalars: tape.output), x0: x0, epsilon: epsilon, sample: sample,
      timesteps: timesteps
    )
    var gradient = [Float](repeating: 0, count: network.parameters.count)
    network.addGradient(of: tape, slope: value.gradient.scalars, to: &gradient)
    let norm = GradientClipping.norm(of: gradient)
    optimizer.step(
      &network.parameters, gradient: gradient, scale: GradientClipping.scale(norm: norm, limit: 1), rate: 1e-3)
    average.update(with: network.parameters)
  }
}
