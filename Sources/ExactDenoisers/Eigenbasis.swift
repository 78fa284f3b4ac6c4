import Schedulers

/// A Gaussian N(μ, Σ) in the coordinates in which Σ is diagonal: Σ = Σ_k λ_k·u_k·u_kᵀ.
///
/// A sample at (signal, noise) is distributed as N(signal·μ, signal²·Σ + noise²·I), which has the
/// same eigenvectors u_k, and the variances (signal·√λ_k)² + noise². Everything asked of a Gaussian
/// is a product of the coordinates with numbers made from these.
struct Eigenbasis: Sendable {
  let mean: [Double]
  /// √λ_k, smallest first.
  let deviations: [Double]
  /// u_k, one a row.
  private let vectors: [Double]

  var dimension: Int { mean.count }

  /// - Parameters:
  ///   - covariance: row-major and exactly symmetric.
  ///   - tolerance: how far below 0 an eigenvalue may be and still count as 0, relative to the
  ///     largest.
  /// - Throws: `ExactDenoiserError` if an eigenvalue is further below 0, or they cannot be found.
  init(mean: [Double], covariance: [Double], tolerance: Double) throws(ExactDenoiserError) {
    let (values, vectors) = try LAPACK.eigen(symmetric: covariance, order: mean.count)
    let (smallest, largest) = (values[0], values[values.count - 1])
    guard smallest >= -tolerance * max(largest, 0) else { throw .indefinite(eigenvalue: smallest, largest: largest) }
    self.mean = mean
    self.vectors = vectors
    self.deviations = values.map { max(0, $0).squareRoot() }
  }

  /// √((signal·√λ_k)² + noise²), the deviations of a sample's coordinates.
  func deviations(at level: NoiseLevel) -> [Double] {
    deviations.map { Math.hypot(level.signal * $0, level.noise) }
  }

  /// u_k·(x − signal·μ) for each sample of a tile.
  func coordinates(of tile: [Double], signal: Double) -> [Double] {
    var centred = tile
    for i in centred.indices { centred[i] -= signal * mean[i % dimension] }
    return LAPACK.product(
      centred, vectors, transposed: true, rows: Tiles.height, inner: dimension, columns: dimension)
  }

  /// signal·μ + Σ_k c_k·factors_k·u_k for each sample's coordinates c.
  func samples(_ coordinates: [Double], times factors: [Double], signal: Double) -> [Double] {
    var scaled = coordinates
    for i in scaled.indices { scaled[i] *= factors[i % dimension] }
    var tile = LAPACK.product(scaled, vectors, rows: Tiles.height, inner: dimension, columns: dimension)
    for i in tile.indices { tile[i] += signal * mean[i % dimension] }
    return tile
  }

  /// E[x0 | x] from the coordinates of samples: μ + Σ_k signal·λ_k/((signal·√λ_k)² +
  /// noise²)·c_k·u_k.
  func posteriorMean(_ coordinates: [Double], at level: NoiseLevel) -> [Double] {
    let gains = zip(deviations, deviations(at: level)).map { ($0 / $1) * (level.signal * $0 / $1) }
    return samples(coordinates, times: gains, signal: 1)
  }
}
