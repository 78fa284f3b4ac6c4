import ExactDenoisers

/// How far apart two sets of pictures are: the Fréchet distance between the normal distributions
/// with their means and covariances.
///
///     |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·(√Σ₁·Σ₂·√Σ₁)^½)
///
/// The features are fixed: the values themselves, 64 dimensions in which every pixel and every pair
/// of pixels counts. Of two sets drawn from the same distribution it is not 0 but falls as 1/n₁ +
/// 1/n₂, so distances are compared between sets of the same sizes.
///
/// Source: Heusel et al. 2017, https://arxiv.org/abs/1706.08500, equation 6, with other features;
/// Dowson and Landau 1982, https://doi.org/10.1016/0047-259X(82)90077-X, equation 4.
public struct FrechetDistance: Sendable {
  private let mean: [Double]
  private let covariance: [Double]
  /// √Σ of the reference.
  private let root: [Double]

  private var dimension: Int { mean.count }

  /// Distances from a reference.
  ///
  /// - Parameter reference: two samples or more, of one size.
  /// - Throws: `ExactDenoiserError` if LAPACK does not converge, as for values that are not finite.
  /// - Precondition: as said of the reference.
  public init(from reference: [[Double]]) throws(ExactDenoiserError) {
    (mean, covariance) = Self.moments(of: reference)
    let (values, vectors) = try LAPACK.eigen(symmetric: covariance, order: mean.count)
    let size = mean.count
    let scaled = vectors.indices.map { vectors[$0] * max(0, values[$0 / size]).squareRoot().squareRoot() }
    // Σ_k √λ_k·u_k·u_kᵀ, as the product of the columns ⁴√λ_k·u_k with themselves.
    let columns = Self.transposed(scaled, order: size)
    root = LAPACK.product(columns, columns, transposed: true, rows: size, inner: size, columns: size)
  }

  /// The distance to other samples.
  ///
  /// - Returns: 0 or more, but for rounding: about dimension·2⁻⁵²·tr(Σ) about 0.
  /// - Throws: `ExactDenoiserError` if LAPACK does not converge.
  /// - Precondition: there are two samples or more, of the size of the reference.
  public func callAsFunction(to samples: [[Double]]) throws(ExactDenoiserError) -> Double {
    let (otherMean, otherCovariance) = Self.moments(of: samples)
    precondition(
      otherMean.count == dimension, "samples of \(otherMean.count) values against a reference of \(dimension)")
    let half = LAPACK.product(root, otherCovariance, rows: dimension, inner: dimension, columns: dimension)
    let middle = LAPACK.product(half, root, rows: dimension, inner: dimension, columns: dimension)
    let values = try LAPACK.eigen(symmetric: middle, order: dimension).values
    var distance = 0.0
    for k in 0..<dimension {
      let shift = mean[k] - otherMean[k]
      distance += shift * shift + covariance[k * dimension + k] + otherCovariance[k * dimension + k]
      distance -= 2 * max(0, values[k]).squareRoot()
    }
    return distance
  }

  /// The mean and the unbiased covariance.
  private static func moments(of samples: [[Double]]) -> (mean: [Double], covariance: [Double]) {
    precondition(
      samples.count >= 2 && samples.allSatisfy { $0.count == samples[0].count && !$0.isEmpty },
      "a covariance takes two samples or more of one size; got \(samples.count)")
    let size = samples[0].count
    let mean = (0..<size).map { k in samples.reduce(0) { $0 + $1[k] } / Double(samples.count) }
    let columns = (0..<size).flatMap { k in samples.map { $0[k] - mean[k] } }
    let scatter = LAPACK.product(columns, columns, transposed: true, rows: size, inner: samples.count, columns: size)
    return (mean, scatter.map { $0 / Double(samples.count - 1) })
  }

  private static func transposed(_ matrix: [Double], order: Int) -> [Double] {
    matrix.indices.map { matrix[$0 % order * order + $0 / order] }
  }
}
