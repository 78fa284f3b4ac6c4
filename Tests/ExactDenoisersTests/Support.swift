import Schedulers

@testable import ExactDenoisers

/// Standard normal rows from the library's generator.
func normals(_ rows: Int, _ columns: Int, seed: UInt64) -> [[Double]] {
  var noise = GaussianNoise(seed: seed)
  let batch = noise.next(like: Batch<Double>(zeros: [rows, columns]))
  return (0..<rows).map { Array(batch.scalars[$0 * columns..<($0 + 1) * columns]) }
}

func batch<Scalar: SampleScalar>(_ rows: [[Double]], as _: Scalar.Type = Double.self) -> Batch<Scalar> {
  Batch(shape: [rows.count, rows[0].count], scalars: rows.joined().map { Scalar($0) })
}

/// The largest difference between two lists of one length; NaN if one has a NaN.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count)
  return zip(a, b).map { abs($0 - $1) }.reduce(0) { $0 >= $1 ? $0 : $1 }
}

/// Levels of all three kinds of process, from little noise to nothing else.
let levels: [NoiseLevel] =
  [0.1, 0.5, 1, 3, 30].map { .variancePreserving(sigma: $0) }
  + [NoiseLevel(signal: 1, noise: 0.3), NoiseLevel(signal: 1, noise: 80), NoiseLevel(signal: 0.25, noise: 0.75)]
  + [NoiseLevel(signal: 0, noise: 1)]

extension ExactDenoiser {
  func x0(_ input: Batch<Scalar>, at level: NoiseLevel) -> [Double] {
    output(for: input, at: level, as: .x0).scalars.map { Double($0) }
  }
}
