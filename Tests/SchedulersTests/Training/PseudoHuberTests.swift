import Schedulers
import SchedulersFixtures
import Testing

/// Losses beside the squared error. `Fixtures/recipes/training_laws.py` made the numbers.
@Suite struct PseudoHuberTests {
  private static let known = Result { try Safetensors("training-laws.safetensors") }

  @Test(arguments: PseudoHuber.allCases)
  func `the loss of a batch and its gradient are those of 50-digit arithmetic`(loss: PseudoHuber) throws {
    let known = try Self.known.get()
    let (errors, thresholds) = (try known.doubles("error"), try known.doubles("threshold"))
    let (values, slopes) = (try known.doubles("\(loss)"), try known.doubles("\(loss).slope"))
    for (n, c) in thresholds.enumerated() {
      for (i, error) in errors.enumerated() {
        let (value, slope) = (values[n * errors.count + i], slopes[n * errors.count + i])
        #expect(isClose(loss.value(of: error, threshold: c), value, relative: 8 * unit))
        #expect(isClose(loss.slope(at: error, threshold: c), slope, relative: 8 * unit))
      }
    }
    // The errors of e from a target of its own, so that the sign of each matters.
    let (count, size) = (thresholds.count, errors.count)
    let target = SampleBatch<Double>(shape: [count, size], scalars: (0..<count * size).map { Double($0 % 4) })
    let output = SampleBatch(
      shape: [count, size], scalars: (0..<count * size).map { errors[$0 % size] + Double($0 % 4) })
    let weights = [1, 2, 0.5]
    let made = try loss(output: output, target: target, thresholds: thresholds, weights: weights)
    let plain = try loss(output: output, target: target, thresholds: thresholds)
    for n in 0..<count {
      let mean = values[n * size..<(n + 1) * size].reduce(0, +) / Double(size)
      // Errors are off by a rounding of numbers below 2²⁰ + 4, the largest of which decide.
      #expect(isClose(made.losses[n], weights[n] * mean, relative: 32 * unit))
      #expect(isClose(plain.losses[n], mean, relative: 32 * unit))
    }
    #expect(isClose(made.total, made.losses.reduce(0, +) / 3, relative: 8 * unit))
    for k in 0..<count * size {
      let expected = weights[k / size] * slopes[k] / Double(count * size)
      // An error of 2⁻²⁰ beside a target of up to 3 has a rounding of 2⁻⁵².
      #expect(abs(made.gradient.scalars[k] - expected) <= 0x1p-30 * abs(expected))
    }
    Comparisons.count(2 * values.count)
  }

  @Test func `an output of another size and thresholds that are none are refused`() async {
    let (a, b) = (SampleBatch<Float>(zeros: [2, 3]), SampleBatch<Float>(zeros: [2, 4]))
    #expect(throws: OutputError.self) { try PseudoHuber.huber(output: a, target: b, thresholds: [1, 1]) }
    await #expect(processExitsWith: .failure) {
      let batch = SampleBatch<Float>(zeros: [2, 3])
      _ = try PseudoHuber.huber(output: batch, target: batch, thresholds: [1])
    }
    await #expect(processExitsWith: .failure) {
      let batch = SampleBatch<Float>(zeros: [2, 3])
      _ = try PseudoHuber.huber(output: batch, target: batch, thresholds: [1, 0])
    }
    await #expect(processExitsWith: .failure) { _ = HuberSchedule.constant(0).threshold(at: .clean, time: 0) }
  }

  @Test func `thresholds follow kohya's schedules`() throws {
    let schedule = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    for (scheduled, name) in [(HuberSchedule.exponential(smallest: 0.1), "exponential"), (.snr(smallest: 0.1), "snr")] {
      let own = scheduled.thresholds(over: schedule)
      #expect(own.count == 1000)
      let expected = try Self.known.get().doubles("threshold/\(name)")
      for (i, threshold) in expected.enumerated() {
        // 2 units of ln c·t/T < 2.4, or roundings of a sum of positive numbers.
        #expect(isClose(own[37 * i], threshold, relative: 16 * unit), "\(name) at \(37 * i)")
      }
      Comparisons.count(expected.count)
    }
    #expect(HuberSchedule.constant(0.25).thresholds(over: schedule).allSatisfy { $0 == 0.25 })
    #expect(HuberSchedule.snr(smallest: 0.25).threshold(at: NoiseLevel(signal: 0, noise: 1), time: 1) == 0.25)
    #expect(HuberSchedule.snr(smallest: 0.25).threshold(at: .clean, time: 0) == 1)
  }

  @Test func `debiased estimation weights every prediction alike`() throws {
    let schedule = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    for (prediction, name) in [(Prediction.epsilon, "epsilon"), (.v, "v"), (.flow, "flow"), (.reverseFlow, "flow")] {
      let weights = LossWeighting.debiased.weights(over: schedule, for: prediction)
      let expected = try Self.known.get().doubles("debiased/\(name)")
      for (i, weight) in expected.enumerated() {
        #expect(isClose(weights[37 * i], weight, relative: 32 * unit), "\(name) at \(37 * i)")
      }
      Comparisons.count(expected.count)
    }
  }

  @Test func `EDM2's uncertainty makes every level count alike`() throws {
    let rows = try Self.known.get().doubles("uncertainty")
    for k in stride(from: 0, to: rows.count, by: 6) {
      let loss = UncertaintyLoss(error: rows[k], weight: rows[k + 1], logVariance: rows[k + 2])
      // A few roundings of each term of a sum, none above 12.
      #expect(abs(loss.value - rows[k + 3]) <= 16 * 12 * unit)
      #expect(isClose(loss.errorGradient, rows[k + 4], relative: 8 * unit))
      #expect(abs(loss.logVarianceGradient - rows[k + 5]) <= 16 * max(1, abs(rows[k + 5])) * unit)
    }
    Comparisons.count(rows.count / 2)
    let best = UncertaintyLoss(error: 3, weight: 5, logVariance: Math.log(15))
    #expect(abs(best.logVarianceGradient) <= 8 * unit)
  }
}
