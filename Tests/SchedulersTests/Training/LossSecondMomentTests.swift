import Foundation
import Schedulers
import Testing

@Suite struct LossSecondMomentTests {
  private func pairs(_ losses: (Int, Double)...) -> [TimestepLoss] {
    losses.map { TimestepLoss(timestep: $0.0, loss: $0.1) }
  }

  @Test func `the defaults are those of guided-diffusion`() throws {
    let sampler = try LossSecondMoment(timesteps: 3)
    #expect(sampler.historyLength == 10)
    #expect(sampler.uniformProbability == 0.001)
  }

  @Test func `it is uniform until the last history is full, then follows the root mean square`() throws {
    var sampler = try LossSecondMoment(timesteps: 2, historyLength: 2, uniformProbability: 0.5)
    try sampler.update(with: pairs((0, 3), (0, 4), (0, 5), (1, 0)))
    #expect(sampler.history == [[4, 5], [0]])
    #expect(!sampler.isWarmedUp)
    #expect(sampler.distribution.probabilities == [0.5, 0.5])
    try sampler.update(with: pairs((0, 3), (0, 4), (1, 0)))
    #expect(sampler.isWarmedUp)
    // All of the loss is at timestep 0; the uniform half is shared.
    #expect(sampler.distribution.probabilities == [0.75, 0.25])
    #expect(sampler.distribution.weights == [1 / 1.5, 2])
    // Root mean squares 5·√½ and 10·√½.
    try sampler.update(with: pairs((1, 6), (1, 8)))
    let (first, second) = (sampler.distribution.probabilities[0], sampler.distribution.probabilities[1])
    #expect(isClose(first, 0.25 + 1.0 / 6, relative: 16 * unit))
    #expect(isClose(second, 0.25 + 1.0 / 3, relative: 16 * unit))
  }

  @Test func `losses of 0, and losses whose squares overflow or vanish, leave a distribution`() throws {
    for (loss, other, share) in [(0.0, 0.0, 0.5), (1e308, 1e308, 0.5), (1e-200, 1e-200, 0.5), (1e300, 0, 0.95)] {
      // The sum of two losses of 1e308 overflows too.
      var sampler = try LossSecondMoment(timesteps: 2, historyLength: 2, uniformProbability: 0.1)
      try sampler.update(with: pairs((0, loss), (0, loss), (1, other), (1, other)))
      #expect(isClose(sampler.distribution.probabilities[0], share, relative: 8 * unit))
    }
  }

  @Test func `a loss or a timestep that cannot be is refused, and nothing is learned`() throws {
    var sampler = try LossSecondMoment(timesteps: 4, historyLength: 2)
    try sampler.update(with: pairs((0, 1)))
    let before = sampler
    for bad in [-1, -.infinity, .infinity, -.leastNonzeroMagnitude] as [Double] {
      let expected = TimestepSamplingError.loss(bad, timestep: 2, worker: 1, index: 1)
      #expect(throws: expected) { try sampler.update(with: [pairs((0, 1)), pairs((1, 1), (2, bad))]) }
      #expect(sampler == before)
    }
    #expect(throws: TimestepSamplingError.self) { try sampler.update(with: pairs((1, 1), (3, .nan))) }
    for t in [-1, 4, .max, .min] {
      let expected = TimestepSamplingError.timestep(t, timesteps: 4, worker: 0, index: 1)
      #expect(throws: expected) { try sampler.update(with: pairs((1, 1), (t, 1))) }
    }
    #expect(sampler == before)
    let loss = TimestepSamplingError.loss(.nan, timestep: 3, worker: 2, index: 5).description
    #expect(loss.hasPrefix("loss nan at timestep 3, number 5 of worker 2, must be finite and 0 or more: "))
    let timestep = TimestepSamplingError.timestep(9, timesteps: 4, worker: 2, index: 5).description
    #expect(timestep.hasPrefix("timestep 9 of loss number 5 of worker 2 must be in 0 ... 3: "))
  }

  @Test func `parameters that make no sampler are refused`() {
    #expect(throws: TimestepSamplingError.timesteps(0)) { try LossSecondMoment(timesteps: 0) }
    #expect(throws: TimestepSamplingError.parameter("historyLength", 0, allowed: "1 or more")) {
      try LossSecondMoment(timesteps: 1, historyLength: 0)
    }
    for value in [0, -1, 1.5, 1e-13, .nan, .infinity] as [Double] {
      #expect(throws: TimestepSamplingError.self) { try LossSecondMoment(timesteps: 1, uniformProbability: value) }
    }
  }

  @Test func `a saved sampler is the same, and a damaged file is refused`() throws {
    var sampler = try LossSecondMoment(timesteps: 2, historyLength: 2, uniformProbability: 0.25)
    try sampler.update(with: pairs((0, 0.1), (0, 1e-300), (0, 3)))
    let data = try JSONEncoder().encode(Stratified(sampler))
    #expect(try JSONDecoder().decode(Stratified<LossSecondMoment>.self, from: data) == Stratified(sampler))
    for (length, probability, history) in [
      ("0", "0.1", "[[]]"), ("1", "0", "[[]]"), ("1", "0.1", "[]"), ("1", "0.1", "[[1, 2]]"), ("1", "0.1", "[[-1]]"),
    ] {
      let json = #"{"historyLength": \#(length), "uniformProbability": \#(probability), "history": \#(history)}"#
      #expect(throws: DecodingError.self, "\(json)") {
        try JSONDecoder().decode(LossSecondMoment.self, from: Data(json.utf8))
      }
    }
  }
}
