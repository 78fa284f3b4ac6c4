import DigitsModel
import ExactDenoisers
import Foundation
import Schedulers
import Testing

@Suite struct InversionTests {
  /// DDIM inversion and DDIM are both of first order, so what comes back differs from the image by
  /// C/N. Each halving is of a number that has a part in 1/N² too, whence the tenth.
  @Test func `digits that are inverted and sampled again come back, with half the error for twice the steps`() throws {
    let digits = try Digits().images
    let model = try Gaussian<Double>(fittedTo: digits, predicting: .epsilon)
    // Grey values of the fit's own support, so that nothing is lost in directions that have no
    // variance.
    let image = SampleBatch(shape: [8, 64], scalars: Array(digits[..<8].joined()))
    let schedule = try NoiseSchedule(.cosine(), timesteps: 4000)
    func error(steps: Int) throws -> Double {
      let grid = try SamplingGrid(schedule, steps: steps, spacing: TimestepSpacing.linspace)
      let noise = try DDIMInversion().plan(over: grid, predicting: .epsilon).sample(
        from: image, model: model.callAsFunction)
      let back = try DDIM().plan(over: grid, predicting: .epsilon).sample(from: noise, model: model.callAsFunction)
      let squares = zip(back.scalars, image.scalars).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return (squares / Double(image.scalars.count)).squareRoot()
    }
    let errors = try [50, 100, 200, 400].map(error)
    for (coarse, fine) in zip(errors, errors.dropFirst()) {
      let order = log2(coarse / fine)
      #expect(abs(order - 1) <= 0.1, "the errors \(errors) fall with order \(order)")
    }
    #expect(errors[3] < 0.05)
  }
}
