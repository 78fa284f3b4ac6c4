import SchedulersFixtures
import Testing

@testable import Schedulers

/// Averages of weights. `Fixtures/recipes/averages.py` made the numbers.
@Suite struct ExponentialAverageTests {
  private static let known = Result { try Safetensors("averages.safetensors") }

  private var latest: [[Double]] {
    get throws {
      let numbers = try Self.known.get().doubles("latest")
      return stride(from: 0, to: numbers.count, by: 3).map { Array(numbers[$0..<$0 + 3]) }
    }
  }

  /// Compares an average of one array with that of an average of three numbers of another type.
  private func average(_ decay: AverageDecay, from first: [Double], updates: Int, _ latest: [[Double]]) -> [Double] {
    var arrays = ExponentialAverage(decay, of: [first], updates: updates)
    var numbers = ExponentialAverage(decay, of: first.map(Real.init), updates: updates)
    for weights in latest {
      arrays.update(with: [weights])
      numbers.update(with: weights.map(Real.init))
    }
    #expect(arrays.updates == updates + latest.count)
    #expect(zip(arrays.values[0], numbers.values).allSatisfy { abs($0 - $1.value) <= 1e-14 })
    return arrays.values[0]
  }

  @Test func `averages are those of diffusers`() throws {
    let (latest, known) = (try latest, try Self.known.get())
    for (decay, name) in [
      (AverageDecay.gradual(largest: 0.6), "gradual"),
      (.warmUp(largest: 0.85, inverseGamma: 2, power: 0.75), "warmUp"),
    ] {
      let decays = try known.doubles("decay/\(name)")
      for (n, expected) in decays.enumerated() {
        #expect(abs(decay.decay(after: n) - expected) <= 4 * unit, "\(name) after \(n)")
      }
      // What it begins with does not matter, as the first decay is 0.
      let own = average(decay, from: [.nan, 7, -7], updates: 0, latest)
      // Each of 20 updates has three roundings of numbers below 16.
      let expected = try known.doubles("average/\(name)")
      #expect(zip(own, expected).allSatisfy { abs($0 - $1) <= 20 * 3 * 16 * unit }, "\(name)")
      Comparisons.count(decays.count + 3)
    }
    // diffusers' first update takes the weights whatever the decay.
    let own = average(.constant(0.9), from: latest[0], updates: 1, Array(latest.dropFirst()))
    let expected = try known.doubles("average/constant")
    #expect(zip(own, expected).allSatisfy { abs($0 - $1) <= 20 * 3 * 16 * unit })
    Comparisons.count(3)
  }

  @Test func `what cannot be averaged is refused`() async throws {
    await #expect(processExitsWith: .failure) {
      var average = ExponentialAverage(.constant(0.5), of: [[1.0]])
      average.update(with: [[1.0], [2.0]])
    }
    await #expect(processExitsWith: .failure) { _ = AverageDecay.constant(1.5).decay(after: 0) }
    await #expect(processExitsWith: .failure) { _ = AverageDecay.gradual().decay(after: -1) }
    await #expect(processExitsWith: .failure) { _ = try PowerAverage(exponent: 1).decay(at: 0) }
    #expect(throws: AverageError.parameter("exponent", -0.5, allowed: "in 0 ... 1e6")) {
      try PowerAverage(exponent: -0.5)
    }
    for wrong in [0.3, 0, .nan] { #expect(throws: AverageError.self) { try PowerAverage(relativeDeviation: wrong) } }
    let average = try PowerAverage(exponent: 5)
    #expect(throws: AverageError.snapshots(count: 0)) { try average.weights(at: 10, from: []) }
    #expect(throws: AverageError.snapshots(count: 2)) {
      try average.weights(at: 10, from: [.init(average, at: 10), .init(average, at: 10)])
    }
    #expect(throws: AverageError.parameter("step", 0, allowed: "1 or more")) {
      try average.weights(at: 10, from: [.init(average, at: 0)])
    }
    #expect("\(AverageError.snapshots(count: 0))".hasPrefix("0 snapshots do not determine weights"))
    #expect("\(AverageError.parameter("exponent", -1, allowed: "in 0 ... 1e6"))" == "exponent -1 must be in 0 ... 1e6")
  }

  @Test func `exponents are those of their relative deviations`() throws {
    let known = try Self.known.get()
    let (deviations, exponents) = (try known.doubles("deviations"), try known.doubles("exponents"))
    for (deviation, exponent) in zip(deviations, exponents) {
      let own = try PowerAverage(relativeDeviation: deviation)
      #expect(abs(own.exponent - exponent) <= 0x1p-48 * (exponent + 1), "\(deviation): \(own.exponent), \(exponent)")
      #expect(isClose(own.relativeDeviation, deviation, relative: 16 * unit))
    }
    let largest = try PowerAverage(exponent: 0).relativeDeviation
    #expect(isClose(largest, 1 / 12.0.squareRoot(), relative: 4 * unit))
    #expect(try PowerAverage(relativeDeviation: largest).exponent < 1e-15)
    Comparisons.count(exponents.count)
  }

  @Test func `the updates of a power average have its profile`() throws {
    // The k-th of N numbers counts by (k/N)^(γ + 1) − ((k − 1)/N)^(γ + 1).
    let (gamma, count) = (6.5, 40)
    for k in [1, 7, 39, 40] {
      var average = ExponentialAverage(.power(try PowerAverage(exponent: gamma)), of: [Real(5)])
      for n in 1...count { average.update(with: [Real(n == k ? 1 : 0)]) }
      func below(_ k: Int) -> Double { Math.pow(Double(k) / Double(count), gamma + 1) }
      // 40 updates of three roundings each, of a number below 1.
      #expect(abs(average.values[0].value - (below(k) - below(k - 1))) <= 120 * unit)
    }
  }

  @Test func `weights of snapshots are those of 50-digit arithmetic`() throws {
    let known = try Self.known.get()
    let (numbers, targets) = (try known.doubles("snapshots"), try known.doubles("targets"))
    let weights = try known.doubles("weights")
    let snapshots = try stride(from: 0, to: numbers.count, by: 2).map {
      PowerAverage.Snapshot(try PowerAverage(exponent: numbers[$0]), at: Int(numbers[$0 + 1]))
    }
    for k in 0..<targets.count / 2 {
      let target = try PowerAverage(exponent: targets[2 * k])
      let own = try target.weights(at: Int(targets[2 * k + 1]), from: snapshots)
      #expect(own.count == snapshots.count)
      for (j, weight) in own.enumerated() {
        // The expected weight is a Double; what the equations lose, at the most 10 digits of 32, is
        // of the largest weight.
        let expected = weights[k * snapshots.count + j]
        #expect(abs(weight - expected) <= unit * abs(expected) + 1e-20, "\(k), \(j): \(weight), \(expected)")
      }
    }
    Comparisons.count(weights.count)
  }

  @Test func `an average is reconstructed as far as its profile is`() throws {
    let known = try Self.known.get()
    let (numbers, targets) = (try known.doubles("snapshots"), try known.doubles("targets"))
    let residuals = try known.doubles("residuals")
    let kept = try [numbers[0], numbers[2]].map { try PowerAverage(exponent: $0) }
    for k in residuals.indices {
      let (wanted, end) = (try PowerAverage(exponent: targets[2 * k]), Int(targets[2 * k + 1]))
      var averages = kept.map { ExponentialAverage(.power($0), of: [Real(0)]) }
      var direct = ExponentialAverage(.power(wanted), of: [Real(0)])
      var (saved, squares, reference): ([(snapshot: PowerAverage.Snapshot, value: Real)], Double, Double) = ([], 0, 0)
      for step in 1...1000 {
        let latest = Real(Math.sin(Double(step) / 90) + Double(step) / 700)
        squares += latest.value * latest.value
        for i in 0..<2 {
          averages[i].update(with: [latest])
          if step.isMultiple(of: 250) { saved.append((.init(kept[i], at: step), averages[i].values[0])) }
        }
        direct.update(with: [latest])
        if step == end { reference = direct.values[0].value }
      }
      let made = try wanted.reconstructed(at: end, from: saved)
      // Cauchy and Schwarz: the error is the product of the weights' course with the difference of
      // the profiles, and at most that of their norms; 1e-12 for a thousand roundings.
      #expect(abs(made.value - reference) <= residuals[k] * squares.squareRoot() + 1e-12, "\(k)")
    }
  }
}
