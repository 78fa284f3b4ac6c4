import Schedulers

/// The exact denoiser of a mixture of normal distributions, x0 ~ Σ_k w_k·N(μ_k, Σ_k).
///
///     D(x) = Σ_k r_k·D_k(x),    r_k ∝ w_k·N(x; signal·μ_k, signal²·Σ_k + noise²·I)
///
/// D_k is the denoiser of component k, r_k the probability that x comes from it. Covariances may be
/// singular.
///
/// - Cost: 4·components·dimension² floating-point operations a sample.
/// - Accuracy: that of `Gaussian` for each D_k; the exponents of r_k have errors of about
///   dimension·2⁻⁵² of their size.
///
/// Source: Bishop, *Pattern Recognition and Machine Learning*, 2006, equations 9.7 and 9.13 for the
/// responsibilities.
public struct GaussianMixture<Scalar: SampleScalar>: ExactDenoiser {
  public typealias Tensor = SampleBatch<Scalar>

  public let prediction: Prediction
  public let dimension: Int
  /// The components with a weight above 0.
  private let components: [Eigenbasis]
  private let logWeights: [Double]

  /// The denoiser of a mixture.
  ///
  /// - Parameters:
  ///   - components: one or more, all of one dimension. What they predict themselves does not
  ///     matter.
  ///   - weights: their probabilities, up to a common factor; equal if `nil`.
  ///   - prediction: what a call answers.
  /// - Throws: `ExactDenoiserError` if there are no components, their dimensions differ, a weight
  ///   is negative or not finite, all weights are 0, their number is not that of the components, or
  ///   the prediction is `.previous`.
  public init(
    components: [Gaussian<Scalar>], weights: [Double]? = nil, predicting prediction: Prediction = .x0
  ) throws(ExactDenoiserError) {
    let dimension = try Validation.joined(components.map(\.mean), name: "component").length
    let weights = try Validation.weights(weights, count: components.count, of: "components")
    let kept = components.indices.filter { weights[$0] > 0 }
    self.prediction = try Validation.prediction(prediction)
    self.dimension = dimension
    self.components = kept.map { components[$0].basis }
    self.logWeights = kept.map { Math.log(weights[$0]) }
  }

  public func posteriorMean(of samples: [Double], at level: NoiseLevel) -> [Double] {
    check(samples, at: level)
    let deviations = components.map { $0.deviations(at: level) }
    // ln w_k − ln √det of the covariance at this level.
    let offsets = zip(logWeights, deviations).map { weight, deviations in
      deviations.reduce(weight) { $0 - Math.log($1) }
    }
    return Tiles.map(samples, dimension: dimension) { tile, count in
      let coordinates = components.map { $0.coordinates(of: tile, signal: level.signal) }
      let means = zip(components, coordinates).map { $0.posteriorMean($1, at: level) }
      var result = [Double](repeating: 0, count: tile.count)
      for sample in 0..<count {
        let range = sample * dimension..<(sample + 1) * dimension
        let standard = zip(coordinates, deviations).map { coordinates, deviations in
          zip(coordinates[range], deviations).map { $0 / $1 }
        }
        for (mean, responsibility) in zip(means, Self.responsibilities(standard, offsets: offsets)) {
          for i in range { result[i] += responsibility * mean[i] }
        }
      }
      return result
    }
  }

  /// softmax_k(offset_k − |c_k|²/2) for coordinates in units of their deviations.
  private static func responsibilities(_ coordinates: [[Double]], offsets: [Double]) -> [Double] {
    // The squares are of coordinates divided by the largest of all, and the nearest component is
    // taken off before the factor comes back: near noise 0 the squares themselves overflow, and a
    // difference of infinities would be NaN.
    let scale = coordinates.joined().reduce(1) { max($0, abs($1)) }
    let squares = coordinates.map { $0.reduce(0) { $0 + ($1 / scale) * ($1 / scale) } }
    let nearest = squares.min()!
    let exponents = zip(offsets, squares).map { $0 - ($1 - nearest) * scale * scale / 2 }
    let largest = exponents.max()!
    let likelihoods = exponents.map { Math.exp($0 - largest) }
    let sum = likelihoods.reduce(0, +)
    return likelihoods.map { $0 / sum }
  }
}
