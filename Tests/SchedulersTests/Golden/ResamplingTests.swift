import Schedulers
import SchedulersFixtures
import Testing

/// guided-diffusion's resample.py: the loss-aware sampler at several points of a training, and the
/// batches that it draws there.
@Suite struct ResamplingTests {
  private static let golden = Result { try Safetensors("resampling.safetensors") }

  @Test(arguments: [(7, 3, 0.05), (20, 10, 0.001), (1, 2, 0.5)])
  func `probabilities, draws and weights are those of guided-diffusion`(count: Int, length: Int, uniform: Double) throws
  {
    let golden = try Self.golden.get()
    let name = "\(count)/\(length)/\(uniform)"
    let losses = zip(try golden.integers("\(name).timesteps"), try golden.doubles("\(name).losses"))
      .map { TimestepLoss(timestep: $0, loss: $1) }
    let checkpoints = try golden.integers("\(name).checkpoints")
    let probabilities = try golden.doubles("\(name).probabilities")
    let (uniforms, drawn) = (try golden.doubles("\(name).uniforms"), try golden.integers("\(name).drawn"))
    let weights = try golden.floats("\(name).weights")
    // A sum of n rounded squares is off by n + 1 units, half of that as a root; the sum over T by
    // T; at most eight operations follow, in either implementation.
    let tolerance = 2 * Double(length + count + 10) * unit

    var sampler = try LossSecondMoment(timesteps: count, historyLength: length, uniformProbability: uniform)
    var learned = 0
    for (look, checkpoint) in checkpoints.enumerated() {
      try sampler.update(with: Array(losses[learned..<checkpoint]))
      learned = checkpoint
      #expect(sampler.isWarmedUp == (look >= 3))
      let ours = sampler.distribution.probabilities
      let theirs = probabilities[look * count..<(look + 1) * count]
      #expect(zip(ours, theirs).allSatisfy { isClose($0, $1, relative: tolerance) }, "after \(checkpoint) losses")

      let batch = look * 16..<(look + 1) * 16
      var replay = Replay(uniforms: Array(uniforms[batch]))
      let draws = sampler.draw(count: 16, using: &replay)
      #expect(draws.map(\.timestep) == Array(drawn[batch]))
      // Rounded to Float there: one unit of Float, and what rounding may turn to the other side.
      let areClose = zip(draws, weights[batch]).allSatisfy { isClose($0.weight, Double($1), relative: 0x1p-23) }
      #expect(areClose, "after \(checkpoint) losses")
    }
    #expect(learned == losses.count)
    Comparisons.count(checkpoints.count * (count + 32))
  }
}
