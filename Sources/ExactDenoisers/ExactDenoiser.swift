import Schedulers

/// A denoiser that knows the answer: x̂0 is the mean of the data given the noisy sample, E[x0 | x],
/// computed from the distribution of the data and not learned.
///
/// It stands in for a trained network wherever one is asked for, and shows what a perfectly trained
/// one would say.
///
/// ```swift
/// let digits = try Dataset<Float>(points: images, predicting: .v)
/// let sample = plan.sample(from: xT, model: digits.callAsFunction)
/// ```
///
/// All arithmetic is in Double, whatever the scalars of the batch. A sample's answer is bit for bit
/// the same whatever batch it comes in, and at whatever position.
///
/// The posterior mean is the minimum of the training loss: Karras et al. 2022,
/// https://arxiv.org/abs/2206.00364, appendix B.3.
public protocol ExactDenoiser<Scalar>: Denoiser, Sendable where Tensor == SampleBatch<Scalar>, Failure == Never {
  associatedtype Scalar: SampleScalar
  /// The number of scalars in a sample.
  var dimension: Int { get }

  /// E[x0 | x] for samples x = signal·x0 + noise·epsilon with some noise.
  ///
  /// - Parameters:
  ///   - samples: one after another, `dimension` values each.
  ///   - level: has noise > 0. Where signal is 0 the answer is the mean of the data.
  /// - Returns: as many values. Those of a sample with NaN are NaN.
  /// - Precondition: there are whole samples, and the level has noise.
  func posteriorMean(of samples: [Double], at level: NoiseLevel) -> [Double]
}

extension ExactDenoiser {
  /// The output for an input at the level that the network sees, query.level scaled by
  /// query.inputScale, as `prediction`.
  ///
  /// - Precondition: the input's samples have `dimension` scalars; the level has noise, unless
  ///   `prediction` is x0.
  public func callAsFunction(_ input: SampleBatch<Scalar>, _ query: SamplingPlan.Query) -> SampleBatch<Scalar> {
    output(for: input, at: query.level.scaled(by: query.inputScale), as: prediction)
  }

  /// What a perfect network with the given kind of output answers for an input.
  ///
  /// - Parameters:
  ///   - input: samples of `dimension` scalars each, in any shape.
  ///   - level: their noise level. Without noise x̂0 is x/signal.
  ///   - previous: the next level of the process, needed by `.previous` alone.
  ///   - prediction: what to answer; epsilon, v and flow need a level with noise.
  /// - Precondition: the samples have `dimension` scalars, and the sample and the data determine
  ///   the prediction at this level.
  /// - Accuracy: with e the error of x̂0, that of epsilon is signal/noise·e, that of v (signal² +
  ///   noise²)/noise·e, and that of flow (signal + noise)/noise·e, each before the rounding to
  ///   `Scalar`.
  public func output(
    for input: SampleBatch<Scalar>, at level: NoiseLevel, previous: NoiseLevel? = nil, as prediction: Prediction
  ) -> SampleBatch<Scalar> {
    checkSize(of: input)
    guard let readout = Prediction.x0.conversion(to: prediction, at: level, previous: previous) else {
      preconditionFailure(
        prediction == .previous
          ? "previous prediction at \(level) needs the level it goes to, with signal and less noise; "
            + "got \(previous.map { "\($0)" } ?? "none")"
          : "\(prediction) is not determined at \(level), where there is no noise; ask for x0, or at a level with noise"
      )
    }
    let samples = input.doubles
    let x0 = level.noise > 0 ? posteriorMean(of: samples, at: level) : samples.map { $0 / level.signal }
    return SampleBatch(doubles: Double.combination([(readout.sample, samples), (readout.output, x0)]), like: input)
  }

  func check(_ samples: [Double], at level: NoiseLevel) {
    precondition(
      samples.count.isMultiple(of: dimension), "\(samples.count) values are no samples of \(dimension) values each")
    precondition(level.noise > 0, "a posterior mean needs noise; there is none at \(level), where x0 is x/signal")
  }

  func checkSize(of input: SampleBatch<Scalar>) {
    precondition(
      input.sampleSize == dimension,
      "a sample of shape \(Array(input.shape.dropFirst())) has \(input.sampleSize) scalars; this denoiser is for "
        + "\(dimension)"
    )
  }
}

extension SampleBatch {
  /// The scalars in Double, each exactly.
  var doubles: [Double] {
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    get { scalars.map { Double($0) } }
  }

  /// A batch in the shape of another; each value is rounded once.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  init(doubles: [Double], like other: SampleBatch) {
    self.init(scalars: doubles.map { Scalar($0) }, like: other)
  }
}
