import DigitsModel
import Fixtures
import Schedulers

/// How good a network is: what held-out digits cost, how its samples compare with them, and whether it has learned digits by heart.
struct TrainingEvaluator {
  let configuration: TrainingConfiguration
  let data: DigitSplit
  /// Called before each call of the network.
  let onCall: () throws -> Void

  private static let samplingSteps = 50

  /// What an evaluation finds.
  struct Result {
    let numbers: TrainingLog.Evaluation
    let sheet: ContactSheet
  }

  func evaluate(_ state: TrainingState) throws -> Result {
    let samples = try sample(state.result)
    let recogniser = NearestNeighbours(data.heldOut.images, labels: data.heldOut.labels)
    let numbers = TrainingLog.Evaluation(
      step: state.progress.step, bitsPerDimension: try bitsPerDimension(state.result),
      frechetDistance: try FrechetDistance(from: data.heldOut.images)(to: samples.images),
      recognised: recogniser.accuracy(on: samples.images, labels: samples.labels))
    return Result(numbers: numbers, sheet: sheet(of: samples, numbers))
  }

  /// Samples of all classes with guidance, in the order of the classes.
  private func sample(_ network: Network<Float>) throws -> (images: [[Double]], labels: [Int]) {
    let grid = try SamplingGrid(
      configuration.schedule(), steps: min(Self.samplingSteps, configuration.ddpmNumSteps), spacing: .trailing)
    let plan = try DPMSolverPlusPlus().plan(
      over: grid, predicting: configuration.predictionType, learnsVariance: network.architecture.learnsVariance)
    var images: [[Double]] = []
    var labels: [Int] = []
    let count = configuration.numValidationSamples
    for label in 0..<Architecture.classes {
      let own = (count + Architecture.classes - 1 - label) / Architecture.classes
      let model = TrainedModel(network, configuration).denoiser(label: label, guidance: configuration.guidanceScale)
      var noise = GaussianNoise(seed: configuration.seed, firstSample: UInt64(label) << 32)
      let z = noise.next(like: Batch<Double>(zeros: [own, 1, Digits.side, Digits.side]))
      let start = Batch.combination([(plan.initialScale, z)])
      let made: Batch<Double> = try plan.sample(from: start, using: &noise) { x, query throws(any Error) in
        try onCall()
        return try model(x, query)
      }
      images += (0..<own).map { made[$0].scalars }
      labels += Array(repeating: label, count: own)
    }
    return (images, labels)
  }

  /// The mean bound of the first held-out digits, given their class.
  private func bitsPerDimension(_ network: Network<Float>) throws -> Double {
    let count = configuration.numValidationImages
    let x0 = Batch(
      shape: [count, 1, Digits.side, Digits.side], scalars: data.heldOut.images.prefix(count).joined().map { Float($0) })
    let labels = data.heldOut.labels.prefix(count).map(Optional.some)
    var run = BitsPerDimension(try configuration.loss().bound, of: x0)
    var noise = GaussianNoise(seed: configuration.seed)
    while let query = run.query {
      try onCall()
      let sample = run.sample(using: &noise)
      let output = network.run(
        sample.scalars, timesteps: Array(repeating: query.timestep, count: count), labels: Array(labels)
      ).output
      try run.advance(
        output: Batch(shape: [count, output.count / x0.scalars.count, Digits.side, Digits.side], scalars: output))
    }
    return run.total.reduce(0, +) / Double(count)
  }

  /// Ten samples of each class, and beside each the digit of the training data that is nearest to it, and that of the held-out ones. If the
  /// former is much nearer, the network repeats what it was shown.
  private func sheet(of samples: (images: [[Double]], labels: [Int]), _ numbers: TrainingLog.Evaluation) -> ContactSheet {
    let shown = (0..<Architecture.classes).flatMap { label in
      samples.labels.indices.filter { samples.labels[$0] == label }.prefix(10).map { samples.images[$0] }
    }
    func panel(_ title: String, _ half: (images: [[Double]], labels: [Int])) -> ContactSheet.Panel {
      let space = NearestNeighbours(half.images, labels: half.labels)
      let nearest = shown.map { space.nearest(to: $0, count: 1)[0] }
      let mean = nearest.reduce(0) { $0 + $1.distance } / Double(nearest.count)
      return ContactSheet.Panel(
        title: title, subtitle: "distance \(brief(mean, digits: 3))", digits: nearest.map { half.images[$0.index] })
    }
    return ContactSheet(
      title: "step \(numbers.step): \(brief(numbers.bitsPerDimension, digits: 4)) bits per dimension, Frechet distance "
        + "\(brief(numbers.frechetDistance, digits: 3)), \(brief(100 * numbers.recognised, digits: 3)) % recognised",
      panels: [
        ContactSheet.Panel(title: "samples", subtitle: "guidance \(brief(configuration.guidanceScale))", digits: shown),
        panel("nearest, training", data.training), panel("nearest, held out", data.heldOut),
      ], stripTitle: "", strip: [])
  }
}
