import Schedulers

@testable import ExactDenoisers

/// Standard normal rows from the library's generator.
func normals(_ rows: Int, _ columns: Int, seed: UInt64) -> [[Double]] {
  var noise = GaussianNoise(seed: seed)
  let batch = noise.next(like: SampleBatch<Double>(zeros: [rows, columns]))
  return (0..<rows).map { Array(batch.scalars[$0 * columns..<($0 + 1) * columns]) }
}

func batch<Scalar: SampleScalar>(_ rows: [[Double]], as _: Scalar.Type = Double.self) -> SampleBatch<Scalar> {
  SampleBatch(shape: [rows.count, rows[0].count], scalars: rows.joined().map { Scalar($0) })
}

extension SampleBatch {
  var values: [Double] { scalars.map { Double($0) } }
  var rows: [[Double]] { (0..<sampleCount).map { self[$0].values } }
}

/// The largest difference between two lists of one length; NaN if there is one.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count)
  return zip(a, b).map { abs($0 - $1) }.reduce(0) { $0 >= $1 ? $0 : $1 }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// A covariance of full rank, AᵀA + I/4 with random A.
func covariance(_ size: Int, seed: UInt64) -> [[Double]] {
  let a = normals(size, size, seed: seed)
  return (0..<size).map { i in
    (0..<size).map { j in a.reduce(i == j ? 0.25 : 0) { $0 + $1[i] * $1[j] } }
  }
}

/// Levels of all three kinds of process, from little noise to nothing else.
let levels: [NoiseLevel] =
  [0.1, 0.5, 1, 3, 30].map { .variancePreserving(sigma: $0) }
  + [NoiseLevel(signal: 1, noise: 0.3), NoiseLevel(signal: 1, noise: 80), NoiseLevel(signal: 0.25, noise: 0.75)]
  + [NoiseLevel(signal: 0, noise: 1)]

/// One of each kind in five dimensions, and the digits' own size for the data set.
func denoisers(predicting prediction: Prediction = .x0) throws -> [any ExactDenoiser<Double>] {
  let gaussians = try (0..<3).map { k in
    try Gaussian<Double>(mean: normals(1, 5, seed: 20 + k)[0], covariance: covariance(5, seed: 30 + k))
  }
  return [
    try Dataset(points: normals(40, 5, seed: 10), predicting: prediction),
    try Gaussian(mean: gaussians[0].mean, covariance: gaussians[0].covariance, predicting: prediction),
    try GaussianMixture(components: gaussians, weights: [1, 2, 3], predicting: prediction),
  ]
}

extension ExactDenoiser {
  /// The end of a run of a plan that draws no noise.
  func sample(_ plan: SamplingPlan, from start: SampleBatch<Scalar>) -> SampleBatch<Scalar> {
    var run = SamplingRun(plan, from: start)
    while let query = run.query { run.advance(output: self(run.input, query)) }
    return run.sample
  }
}
