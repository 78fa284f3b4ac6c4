import Schedulers

/// The exact denoiser of a finite data set: each point is a possible x0.
///
///     D(x) = Σ w_i·y_i,    w = softmax(ln p_i − |x − signal·y_i|²/(2·noise²))
///
/// Sampling with it gives back the points. Where noise goes to 0, D(x) is the point nearest to
/// x/signal; where signal is 0, the weighted mean of all points.
///
/// - Cost: 4·points·dimension floating-point operations a sample.
/// - Accuracy: the square is multiplied out, so that the exponents have errors of about
///   dimension·2⁻⁵³·|x|·max|y_i|·signal/noise².
///
/// Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 57, there for equal
/// weights and signal 1.
public struct Dataset<Scalar: SampleScalar>: ExactDenoiser {
  public typealias Tensor = SampleBatch<Scalar>

  public let prediction: Prediction
  public let dimension: Int
  /// The number of points with a weight above 0.
  public let count: Int

  /// count × dimension.
  private let points: [Double]
  private let halfSquares: [Double]
  private let logWeights: [Double]

  /// The denoiser of given points.
  ///
  /// - Parameters:
  ///   - points: x0, one or more, all of one length.
  ///   - weights: how often each occurs, up to a common factor; equal if `nil`. A point of weight 0
  ///     is left out.
  ///   - prediction: what a call answers.
  /// - Throws: `ExactDenoiserError` if there are no points, their lengths differ, a value is not
  ///   finite, a weight is negative or not finite, all weights are 0, their number is not that of
  ///   the points, or the prediction is `.previous`.
  public init(
    points: [[Double]], weights: [Double]? = nil, predicting prediction: Prediction = .x0
  ) throws(ExactDenoiserError) {
    let dimension = try Validation.joined(points, name: "point").length
    let weights = try Validation.weights(weights, count: points.count, of: "points")
    let kept = points.indices.filter { weights[$0] > 0 }
    self.prediction = try Validation.prediction(prediction)
    self.dimension = dimension
    self.count = kept.count
    self.points = kept.flatMap { points[$0] }
    self.halfSquares = kept.map { i in points[i].reduce(0) { $0 + $1 * $1 } / 2 }
    self.logWeights = kept.map { Math.log(weights[$0]) }
  }

  /// The denoiser of those points that have a given label: a model conditioned on a class.
  ///
  /// - Parameter labels: one for each point.
  /// - Throws: `ExactDenoiserError` as the other initialiser does, and if there are not as many
  ///   labels as points, or none is `label`.
  public init(
    points: [[Double]], labels: [Int], label: Int, predicting prediction: Prediction = .x0
  ) throws(ExactDenoiserError) {
    guard labels.count == points.count else {
      throw .count("the list of labels for \(points.count) points", labels.count, expected: points.count)
    }
    guard points.isEmpty || labels.contains(label) else { throw .label(label, known: Set(labels).sorted()) }
    try self.init(points: zip(points, labels).filter { $0.1 == label }.map(\.0), predicting: prediction)
  }

  public func posteriorMean(of samples: [Double], at level: NoiseLevel) -> [Double] {
    check(samples, at: level)
    return Tiles.map(samples, dimension: dimension) { tile, samples in
      var weights = LAPACK.product(
        tile, points, transposed: true, rows: Tiles.height, inner: dimension, columns: count)
      let sums = weights.withUnsafeMutableBufferPointer { weights in
        (0..<samples).map { weigh(.init(rebasing: weights[$0 * count..<($0 + 1) * count]), at: level) }
      }
      var means = LAPACK.product(weights, points, rows: Tiles.height, inner: count, columns: dimension)
      for (sample, sum) in sums.enumerated() {
        for i in sample * dimension..<(sample + 1) * dimension { means[i] /= sum }
      }
      return means
    }
  }

  /// Turns the products x·y_i of one sample into weights, the largest of them 1, and returns their
  /// sum.
  private func weigh(_ row: UnsafeMutableBufferPointer<Double>, at level: NoiseLevel) -> Double {
    let (signal, noise) = (level.signal, level.noise)
    var nearest = -Double.infinity
    for i in 0..<count {
      row[i] = signal * (row[i] - signal * halfSquares[i])
      nearest = max(nearest, row[i])
    }
    // The nearest point is taken off before the division, and the division is by noise twice:
    // noise² can underflow, and a difference of infinities would be NaN.
    var largest = -Double.infinity
    for i in 0..<count {
      row[i] = (row[i] - nearest) / noise / noise + logWeights[i]
      largest = max(largest, row[i])
    }
    var sum = 0.0
    for i in 0..<count {
      row[i] = Math.exp(row[i] - largest)
      sum += row[i]
    }
    return sum
  }
}
