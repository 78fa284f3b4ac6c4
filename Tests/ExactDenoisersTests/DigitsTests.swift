import DigitsModel
import Schedulers
import Testing

@testable import ExactDenoisers

@Suite struct DigitsTests {
  /// 16 samples from noise in 25 steps of DDIM.
  private func sample<Scalar: SampleScalar>(_ denoiser: Dataset<Scalar>) throws -> SampleBatch<Scalar> {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    let plan = try DDIM().plan(over: SamplingGrid(schedule, steps: 25), predicting: denoiser.prediction)
    var noise = GaussianNoise(seed: 7)
    return denoiser.sample(plan, from: noise.next(like: SampleBatch(zeros: [16, 1, 8, 8])))
  }

  /// The distance to the nearest of some images, and which that is.
  private func nearest(to row: [Double], among images: [[Double]]) -> (distance: Double, index: Int) {
    var best = (square: Double.infinity, index: 0)
    for (i, image) in images.enumerated() {
      var square = 0.0
      for j in row.indices { square += (row[j] - image[j]) * (row[j] - image[j]) }
      if square < best.square { best = (square, i) }
    }
    return (best.square.squareRoot(), best.index)
  }

  // The last evaluation is at timestep 39, where sigma² = 0.020. The two images nearest to each
  // other differ by 0.4375 in the square; beside one of them the other weighs exp(−0.4375/0.040) =
  // 2e-5, and draws the sample 1e-5 away. Most are at 4 from their next. Epsilon in Float brings
  // 2^-24·|x|/signal at each step.
  @Test func ddimLandsOnTrainingDigits() throws {
    let images = try Digits().images
    for row in try sample(Dataset<Double>(points: images, predicting: .epsilon)).rows {
      #expect(nearest(to: row, among: images).distance < 1e-3)
    }
    for row in try sample(Dataset<Float>(points: images, predicting: .epsilon)).rows {
      #expect(nearest(to: row, among: images).distance < 1e-3)
    }
  }

  @Test func ofOneClassItLandsOnThatClass() throws {
    let digits = try Digits()
    let threes = try Dataset<Double>(points: digits.images, labels: digits.labels, label: 3, predicting: .v)
    for row in try sample(threes).rows {
      let (distance, index) = nearest(to: row, among: digits.images)
      #expect(distance < 1e-3)
      #expect(digits.labels[index] == 3)
    }
  }
}
