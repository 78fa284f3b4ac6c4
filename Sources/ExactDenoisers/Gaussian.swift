import Schedulers

/// The exact denoiser of normally distributed data, x0 ~ N(μ, Σ).
///
///     D(x) = μ + signal·Σ·(signal²·Σ + noise²·I)⁻¹·(x − signal·μ)
///
/// For any data with this mean and covariance, it is the best denoiser that is affine in x. Σ may
/// be singular: data on a plane.
///
/// - Cost: 4·dimension² floating-point operations a sample; 10·dimension³ or so once, for the
///   eigenvectors of Σ.
/// - Accuracy: relative to |x|/signal and |μ|, about dimension·2⁻⁵², more where a variance below
///   2⁻⁵² of the largest decides.
///
/// Source: Bishop, *Pattern Recognition and Machine Learning*, 2006, equations 2.113 to 2.117.
public struct Gaussian<Scalar: SampleScalar>: ExactDenoiser {
  public typealias Tensor = SampleBatch<Scalar>

  public let prediction: Prediction
  /// Σ, row by row.
  public let covariance: [[Double]]
  let basis: Eigenbasis

  /// μ.
  public var mean: [Double] { basis.mean }
  public var dimension: Int { basis.dimension }

  /// The denoiser of a given distribution.
  ///
  /// Entries of Σ that were each summed up in Double differ from their mirror images by up to
  /// (dimension + 1)·2⁻⁵²·max|Σ_ij|. That much is taken for rounding, and the mean of the two is
  /// used. In the same way an eigenvalue may be negative by up to 2·dimension·2⁻⁵²·λ_max, half of
  /// it for the rounding of the entries and half for that of the eigenvalues, and counts as 0.
  ///
  /// - Parameters:
  ///   - mean: μ, at least one value.
  ///   - covariance: Σ, as many rows and columns, symmetric and positive semidefinite.
  ///   - prediction: what a call answers.
  /// - Throws: `ExactDenoiserError` if the sizes do not fit, a value is not finite, Σ is not as
  ///   said, or the prediction is `.previous`.
  public init(
    mean: [Double], covariance: [[Double]], predicting prediction: Prediction = .x0
  ) throws(ExactDenoiserError) {
    let size = try Validation.joined([mean], name: "mean").length
    guard covariance.count == size else {
      throw .count("the list of covariance rows", covariance.count, expected: size)
    }
    let entries = try Validation.joined(covariance, name: "covariance row", length: size).values
    try Self.checkSymmetry(of: covariance)
    try self.init(mean: mean, entries: entries, tolerance: 2 * Double(size) * .ulpOfOne, predicting: prediction)
  }

  /// The denoiser of the normal distribution with the mean and the covariance of given points,
  /// (1/N)·Σ (y − μ)·(y − μ)ᵀ.
  ///
  /// - Parameter points: one or more, all of one length.
  /// - Throws: `ExactDenoiserError` if there are no points, their lengths differ, a value is not
  ///   finite, or the prediction is `.previous`.
  public init(fittedTo points: [[Double]], predicting prediction: Prediction = .x0) throws(ExactDenoiserError) {
    let size = try Validation.joined(points, name: "point").length
    let count = Double(points.count)
    let mean = (0..<size).map { j in points.reduce(0) { $0 + $1[j] } / count }
    let columns = (0..<size).flatMap { j in points.map { $0[j] - mean[j] } }
    let scatter = LAPACK.product(
      columns, columns, transposed: true, rows: size, inner: points.count, columns: size)
    // Each entry is a sum of N products, wrong by at most N·2⁻⁵³·√(Σ_ii·Σ_jj), and the matrix so by
    // N·2⁻⁵³ of its trace.
    let tolerance = Double(size) * (count + 2) * .ulpOfOne
    try self.init(mean: mean, entries: scatter.map { $0 / count }, tolerance: tolerance, predicting: prediction)
  }

  private init(
    mean: [Double], entries: [Double], tolerance: Double, predicting prediction: Prediction
  ) throws(ExactDenoiserError) {
    let size = mean.count
    let symmetric = (0..<size * size).map { entries[$0] / 2 + entries[$0 % size * size + $0 / size] / 2 }
    self.prediction = try Validation.prediction(prediction)
    self.covariance = (0..<size).map { Array(symmetric[$0 * size..<($0 + 1) * size]) }
    self.basis = try Eigenbasis(mean: mean, covariance: symmetric, tolerance: tolerance)
  }

  private static func checkSymmetry(of rows: [[Double]]) throws(ExactDenoiserError) {
    let largest = rows.joined().reduce(0) { max($0, abs($1)) }
    let tolerance = Double(rows.count + 1) * .ulpOfOne * largest
    for i in rows.indices {
      for j in 0..<i where abs(rows[i][j] - rows[j][i]) > tolerance {
        throw .asymmetric(row: i, column: j, rows[i][j], mirror: rows[j][i])
      }
    }
  }

  public func posteriorMean(of samples: [Double], at level: NoiseLevel) -> [Double] {
    check(samples, at: level)
    return Tiles.map(samples, dimension: dimension) { tile, _ in
      basis.posteriorMean(basis.coordinates(of: tile, signal: level.signal), at: level)
    }
  }
}
