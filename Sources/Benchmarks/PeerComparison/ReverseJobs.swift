import Schedulers

/// The jobs of training and likelihoods, on a network that has its output ready.
struct ReverseJobs {
  let shape: [Int]
  let threads: Int?

  private static let schedule = try! NoiseSchedule(.linear(), timesteps: 1000)

  func make(_ name: String) -> () -> Void {
    let learned = !name.hasPrefix("mse") && name != "bound-fixed"
    let variance: Variance = learned ? .learnedRange : .fixedSmall
    let timesteps = (0..<shape[0]).map { $0 * 61 % 1000 }
    var noise = GaussianNoise(seed: 1)
    let zeros = SampleBatch<Float>(zeros: shape)
    let (x0, epsilon) = (noise.next(like: zeros), noise.next(like: zeros))
    var outputShape = shape
    if learned { outputShape[1] *= 2 }
    let output = noise.next(like: SampleBatch<Float>(zeros: outputShape))
    let sample = Self.schedule.mix(x0, with: epsilon, at: timesteps)
    let process = try! ReverseProcess(Self.schedule, predicting: .epsilon, variance: variance, clipping: .range(-1...1))
    switch name {
    case "mse", "mse-new", "mse-mixed", "hybrid":
      let loss = try! TrainingLoss(Self.schedule, predicting: .epsilon, variance: variance, kind: .rescaledMSE)
      var (sample, gradient) = (sample, output)
      return {
        if name == "mse-new" {
          _ = try! loss(
            output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps, threads: threads)
          return
        }
        if name == "mse-mixed" {
          Self.schedule.mix(x0, with: epsilon, at: timesteps, into: &sample, threads: threads)
        }
        _ = try! loss(
          output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps, gradient: &gradient,
          threads: threads)
      }
    case "bound", "bound-fixed":
      let bound = VariationalBound(process)
      let timesteps = timesteps.map { $0 + 1 }
      return {
        _ = try! bound.term(
          output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps, threads: threads)
      }
    case "distribution":
      var made = try! process.distribution(output: output, sample: sample, timesteps: timesteps)
      return {
        try! process.distribution(
          output: output, sample: sample, timesteps: timesteps, into: &made, threads: threads)
      }
    case "distribution-new":
      return {
        _ = try! process.distribution(output: output, sample: sample, timesteps: timesteps, threads: threads)
      }
    default:
      let bound = VariationalBound(process)
      return {
        var run = BitsPerDimension(bound, of: x0)
        while run.query != nil {
          _ = run.sample(using: &noise)
          try! run.advance(output: output)
        }
      }
    }
  }
}
