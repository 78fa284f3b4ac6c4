import DigitsModel
import Schedulers

/// How good a network is: what held-out digits cost, how its samples compare with them, and whether
/// it has learned digits by heart.
struct TrainingEvaluator {
  /// Of the network, with the seed, the guidance and the numbers of digits of the evaluation.
  let configuration: TrainingConfiguration
  let data: DigitSplit
  /// The digits that are coded and compared with.
  var half = DigitSplit.Half.heldOut
  /// Called before each call of the network.
  let onCall: () throws -> Void

  private static let samplingSteps = 50

  /// What an evaluation finds.
  struct Result {
    /// Of digits of the half, given their class.
    let bitsPerDimension: Double
    /// From the digits of the half to the samples.
    let frechetDistance: Double
    /// The part of the samples that nearest neighbours in the half recognise.
    let recognised: Double
    let samples: (images: [[Double]], labels: [Int])

    var text: String {
      "\(brief(bitsPerDimension, digits: 4)) bits per dimension, Frechet distance "
        + "\(brief(frechetDistance, digits: 3)), \(brief(100 * recognised, digits: 3)) % recognised"
    }
  }

  func evaluate(_ network: Network<Float>) throws -> Result {
    let samples = try sample(network)
    let (distance, recognised) = try compare(samples)
    return Result(
      bitsPerDimension: try bitsPerDimension(network), frechetDistance: distance, recognised: recognised,
      samples: samples)
  }

  /// The Fréchet distance of pictures to the digits of the half, and the part of them that those
  /// recognise.
  func compare(_ samples: (images: [[Double]], labels: [Int])) throws -> (distance: Double, recognised: Double) {
    let (images, labels) = data[half]
    return (
      try FrechetDistance(from: images)(to: samples.images),
      NearestNeighbours(images, labels: labels).accuracy(on: samples.images, labels: samples.labels)
    )
  }

  /// Samples of all classes with guidance, in the order of the classes.
  ///
  /// A network that has not seen enough removes more of a sample than is noise, so that samples
  /// vary less than digits do: the noise of the churn, a little too much of it, makes up for it.
  ///
  /// Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, section 4 and algorithm 2.
  private func sample(_ network: Network<Float>) throws -> (images: [[Double]], labels: [Int]) {
    let grid = try SamplingGrid(
      configuration.schedule(), steps: min(Self.samplingSteps, configuration.ddpmNumSteps), spacing: .trailing)
    let plan = try Churn(Euler(), amount: configuration.sChurn, noise: configuration.sNoise).plan(
      over: grid, predicting: configuration.predictionType, learnsVariance: network.architecture.learnsVariance)
    var images: [[Double]] = []
    var labels: [Int] = []
    let count = configuration.numValidationSamples
    for label in 0..<Architecture.classes {
      let own = (count + Architecture.classes - 1 - label) / Architecture.classes
      let model = TrainedModel(network, configuration).denoiser(label: label, guidance: configuration.guidanceScale)
      var noise = GaussianNoise(seed: configuration.seed, firstSample: UInt64(label) << 32)
      let z = noise.next(like: SampleBatch<Double>(zeros: [own, 1, Digits.side, Digits.side]))
      let start = SampleBatch.combination([(plan.initialScale, z)])
      let made: SampleBatch<Double> = try plan.sample(from: start, using: &noise) { x, query throws(any Error) in
        try onCall()
        return try model(x, query)
      }
      guard made.scalars.allSatisfy(\.isFinite) else {
        throw Failure(
          "the network's samples of class \(label) are not finite: it is damaged, or was trained at too high a "
            + "learning rate; use another")
      }
      images += (0..<own).map { made[$0].scalars }
      labels += Array(repeating: label, count: own)
    }
    return (images, labels)
  }

  /// The mean bound of the first digits of the half, given their class.
  private func bitsPerDimension(_ network: Network<Float>) throws -> Double {
    let count = configuration.numValidationImages
    let x0 = SampleBatch(
      shape: [count, 1, Digits.side, Digits.side], scalars: data[half].images.prefix(count).joined().map { Float($0) })
    let labels = data[half].labels.prefix(count).map(Optional.some)
    var run = BitsPerDimension(try configuration.loss().bound, of: x0)
    var noise = GaussianNoise(seed: configuration.seed)
    while let query = run.query {
      try onCall()
      let sample = run.sample(using: &noise)
      let output = network.run(
        sample.scalars, timesteps: Array(repeating: query.timestep, count: count), labels: Array(labels)
      ).output
      try run.advance(
        output: SampleBatch(shape: [count, output.count / x0.scalars.count, Digits.side, Digits.side], scalars: output))
    }
    return run.total.reduce(0, +) / Double(count)
  }

  /// Ten samples of each class, and beside each the digit of the training data that is nearest to
  /// it, and that of the held-out ones. If the former is much nearer, the network repeats what it
  /// was shown.
  func sheet(of result: Result, title: String) -> ContactSheet {
    let samples = result.samples
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
      title: title,
      panels: [
        ContactSheet.Panel(title: "samples", subtitle: "guidance \(brief(configuration.guidanceScale))", digits: shown),
        panel("nearest, training", data[.training]), panel("nearest, held out", data[.heldOut]),
      ], stripTitle: "", strip: [])
  }
}
