import ExactDenoisers
import Schedulers

/// An exact model that answers every plan: what it says of x̂0 is put into the words of the plan.
struct TestModel {
  private let denoiser: any ExactDenoiser<Double>

  static let names = ["gaussian", "mixture"]

  /// The model of a name for samples of so many numbers.
  ///
  /// - Throws: `Failure` for an unknown name.
  init(named name: String, dimension: Int) throws {
    // Means of −1 ... 1 and deviations about ½, so that clipping has something to do.
    func gaussian(_ seed: Int) throws -> Gaussian<Double> {
      let mean = (0..<dimension).map { Double(($0 * 7 + seed * 3) % 11 - 5) / 5 }
      let line = (0..<dimension).map { Double(($0 * 3 + seed) % 7 - 3) / 12 }
      let covariance = line.indices.map { i in
        line.indices.map { j in line[i] * line[j] + (i == j ? 0.15 + 0.05 * Double(i % 5) : 0) }
      }
      return try Gaussian(mean: mean, covariance: covariance)
    }
    switch name {
    case "gaussian": denoiser = try gaussian(0)
    case "mixture":
      denoiser = try GaussianMixture(components: (0..<3).map(gaussian), weights: [0.5, 0.3, 0.2])
    default: throw Failure.unknown("model", name, known: Self.names)
    }
  }

  /// F for a sample, and beside it, in as many channels more, what a network would say of the
  /// variance.
  func output<Scalar: SampleScalar>(
    _ sample: SampleBatch<Scalar>, at step: SamplingPlan.Step, learnsVariance: Bool
  ) -> SampleBatch<Scalar> {
    let (x, level) = (sample.scalars.map { Double($0) }, step.query.level)
    let x0 = level.noise > 0 ? denoiser.posteriorMean(of: x, at: level) : x.map { $0 / level.signal }
    let (p, q) = (step.denoising.sample, step.denoising.output)
    // x̂0 = p·x + q·F; where F has no say, any will do.
    let said = zip(x, x0).map { x, x0 in Scalar(q == 0 ? x0 : (x0 - p * x) / q) }
    guard learnsVariance else { return SampleBatch(shape: sample.shape, scalars: said) }
    // Any numbers of −1 ... 1 are logarithms of variances, or lie between their bounds.
    let isVariance = if case .output = step.variance { true } else { false }
    let variance = x0.map { x0 in
      let v = x0 / (1 + abs(x0))
      return Scalar(isVariance ? 0.5 + 0.4 * v : v)
    }
    var halves: [Scalar] = []
    for start in stride(from: 0, to: said.count, by: sample.sampleSize) {
      let one = start..<start + sample.sampleSize
      halves += said[one] + variance[one]
    }
    var shape = sample.shape
    shape[1] *= 2
    return SampleBatch(shape: shape, scalars: halves)
  }
}
