import ExactDenoisers
import Foundation
import Schedulers
import Testing

@Suite struct VariationalBoundTests {
  /// For a model that knows that the data are one of K points, equally likely, −log₂ p(x_0) is log₂
  /// K, which the bound reaches as steps become small.
  @Test func `saying which of four points it is takes two bits`() throws {
    let points = [[-1.0, -1], [-1, 0.5], [1, -0.25], [0.75, 1]]
    let model = try Dataset<Double>(points: points, predicting: .epsilon)
    func bits(timesteps: Int) throws -> (mean: Double, error: Double) {
      let schedule = try NoiseSchedule(.cosine(), timesteps: timesteps)
      let process = try ReverseProcess(schedule, predicting: .epsilon, variance: .fixedSmall)
      let x0 = SampleBatch(shape: [200, 2], scalars: (0..<200).flatMap { points[$0 % 4] })
      var run = BitsPerDimension(VariationalBound(process, likelihood: DiscretizedGaussian(levels: 17)), of: x0)
      var noise = GaussianNoise(seed: 5)
      while let query = run.query { try run.advance(output: model(run.sample(using: &noise), query)) }
      let mean = run.total.reduce(0, +) / 200
      let variance = run.total.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 200
      return (2 * mean, 2 * (variance / 200).squareRoot())
    }
    let (coarse, fine) = (try bits(timesteps: 60), try bits(timesteps: 240))
    // It is a bound, and its gap falls with 1/T; each mean has a standard error.
    #expect(fine.mean > 2 - 4 * fine.error && fine.mean < 2 + 4 * fine.error + (coarse.mean + 4 * coarse.error - 2) / 2)
    #expect(fine.error < 0.08)
  }
}
