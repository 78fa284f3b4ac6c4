/// The probability density of a step that was taken, p(x' | x), and its gradient: what policy
/// gradients of a sampler are made of.
///
///     ln p(x' | x) = Σ −½·z² − ln deviation − ½·ln 2π,    z = (x' − mean)/deviation
///
/// ```swift
/// while let query = run.query {
///   let output = unet(run.input, query.timestep)
///   let before = run
///   run.advance(output: output, using: &noise)
///   if let p = before.probability(of: run.sample, output: output) {
///     record(p.logProbabilities)
///   }
/// }
/// ```
///
/// In training, the same call with the recorded samples and the output of today's network gives the
/// ratio of probabilities, and `gradient` its derivative.
///
/// Source: [Black et al. 2023](https://arxiv.org/abs/2305.13301), section 4.3 (DDPO);
/// [Liu et al. 2025](https://arxiv.org/abs/2505.05470) (Flow-GRPO). Their programs take the mean
/// over a sample's scalars where this is the sum, the logarithm of a density.
public struct StepProbability<Tensor: ScalarTensor> {
  /// The mean of p(x' | x).
  public let mean: Tensor
  /// The standard deviation of p(x' | x), one number for each scalar; all are the same unless the
  /// network learns its variance.
  public let deviation: Tensor
  /// ln p(x' | x) of each sample, in nats: the sum over its scalars.
  public let logProbabilities: [Double]
  /// The gradient of each sample's ln p by the network's output, in the shape of that; `nil` if the
  /// plan clips x̂0 by a quantile, which mixes the scalars.
  public let gradient: Tensor?
}

extension StepProbability: Sendable where Tensor: Sendable {}

extension SamplingRun where Tensor: ScalarTensor {
  /// The probability density of going from the current sample to another by the next step.
  ///
  /// Noise of a `BrownianNoise` that overlaps that of an earlier step is not independent of it, as
  /// the density takes it to be.
  ///
  /// - Parameters:
  ///   - next: x', the sample that the step made, or would have made.
  ///   - output: the network's, for the current query.
  /// - Returns: `nil` where the step draws no noise: it leads to one point, and has no density.
  /// - Accuracy: the mean is that of the run, in the tensor's numbers; the rest is in Double.
  /// - Precondition: a step is left, and the sizes fit.
  public func probability(of next: Tensor, output: Tensor) -> StepProbability<Tensor>? {
    guard let step else {
      stop("the run is at its end, after \(evaluations) evaluations; there is no step to take")
    }
    guard step.next.noise != 0 else { return nil }
    next.checkSize(as: sample)
    var run = self
    run.keepsDenoised = false
    run.advance(output: output, noise: sample.mapped { _, _ in 0 })
    let mean = run.sample
    return probability(of: next, mean: mean, output: output, step)
  }

  private func probability(
    of next: Tensor, mean: Tensor, output: Tensor, _ step: SamplingPlan.Step
  ) -> StepProbability<Tensor> {
    let (size, stride) = (sample.sampleSize, output.sampleSize)
    let (ends, means, outputs) = (next.scalars, mean.scalars, output.scalars)
    var deviations = [Double](repeating: step.next.noise, count: ends.count)
    if let variance = step.variance, variance.isLearned {
      for i in deviations.indices {
        deviations[i] *= variance.learnedDeviation(Double(outputs[i / size * stride + size + i % size]))
      }
    }
    let slopes = meanSlopes(output: output, step)
    var logProbabilities: [Double] = []
    var gradient = [Double](repeating: 0, count: outputs.count)
    for n in 0..<sample.sampleCount {
      var sum = 0.0
      for i in n * size..<(n + 1) * size {
        let z = (Double(ends[i]) - Double(means[i])) / deviations[i]
        sum -= z * z / 2 + Math.log(abs(deviations[i])) + Self.halfLogTwoPi
        let place = n * stride + i % size
        gradient[place] = z / deviations[i] * (slopes?[i] ?? 0)
        if let variance = step.variance, variance.isLearned {
          gradient[place + size] = (z * z - 1) * variance.logDeviationSlope(Double(outputs[place + size]))
        }
      }
      logProbabilities.append(sum)
    }
    return StepProbability(
      mean: mean, deviation: sample.mapped { _, i in abs(deviations[i]) }, logProbabilities: logProbabilities,
      gradient: slopes.map { _ in output.mapped { _, i in gradient[i] } })
  }

  /// The derivative of each scalar of the mean by the output at its place.
  private func meanSlopes(output: Tensor, _ step: SamplingPlan.Step) -> [Double]? {
    let count = sample.sampleCount * sample.sampleSize
    switch plan.clipping {
    case .none: return [Double](repeating: step.folded.output, count: count)
    case .dynamic: return nil
    case .range(let range):
      let (size, stride) = (sample.sampleSize, output.sampleSize)
      let (x, outputs) = (sample.scalars, output.scalars)
      let clipped = step.limited.folded.output
      return (0..<count).map { i in
        let denoised =
          step.denoising.sample * Double(x[i]) + step.denoising.output * Double(outputs[i / size * stride + i % size])
        let slope = (range.contains(denoised) ? clipped : 0) + step.next.predicted
        return slope * step.denoising.output + step.next.output
      }
    }
  }

  /// ½·ln 2π.
  private static var halfLogTwoPi: Double { 0x1.d67f1c864beb5p-1 }
}

extension StepVariance {
  /// The derivative of the logarithm of the learned deviation by what the network says.
  fileprivate func logDeviationSlope(_ said: Double) -> Double {
    switch self {
    case .fixed: 0
    case .learned(let logarithm): logarithm.slope / 2
    case .output: 1 / (2 * said)
    }
  }
}
