/// The mean and the variance of p(x_{t−1} | x_t), and the x̂0 behind them; all in the shape of x_t.
public struct ReverseDistribution<Tensor: LinearSpace> {
  public let mean: Tensor
  public let variance: Tensor
  public let logVariance: Tensor
  /// x̂0 after clipping.
  public let denoised: Tensor
}

extension ReverseDistribution: Sendable where Tensor: Sendable {}

extension ReverseProcess {
  /// The distribution that a network's output stands for. All arithmetic is in Double.
  ///
  /// - `output`: in the shape of the sample, or with twice its channels if the variance is learned.
  /// - `sample`: x_t.
  /// - `transform`: what is done to x̂0 before it is clipped.
  /// - Throws: `OutputError` if the output's size does not fit or it holds NaN or an infinity.
  /// - Precondition: there is a timestep for each sample, in 0 ..< T.
  public func distribution<Tensor: ScalarTensor>(
    output: Tensor, sample: Tensor, timesteps: [Int], transform: ((Tensor) -> Tensor)? = nil
  ) throws(OutputError) -> ReverseDistribution<Tensor> {
    let p = try reading(output, of: sample, timesteps: timesteps, transform: transform)
    let x = sample.scalars
    return ReverseDistribution(
      mean: sample.mapped { n, i in
        let mean = steps[timesteps[n]].mean
        return mean.sample * Double(x[i]) + mean.output * p.denoised[i]
      },
      variance: sample.mapped { _, i in Math.exp(p.logVariance[i]) },
      logVariance: sample.mapped { _, i in p.logVariance[i] }, denoised: sample.mapped { _, i in p.denoised[i] })
  }

  /// x̂0 after clipping and the log variance of every scalar.
  @_specialize(where Tensor == SampleBatch<Float>)
  func reading<Tensor: ScalarTensor>(
    _ output: Tensor, of sample: Tensor, timesteps: [Int], transform: ((Tensor) -> Tensor)? = nil
  ) throws(OutputError) -> (denoised: [Double], logVariance: [Double]) {
    schedule.check(timesteps, for: sample)
    let parts = try OutputParts(
      output, of: sample, timesteps: timesteps.map(Double.init), learnsVariance: variance.isLearned)
    let x = sample.scalars
    let size = sample.sampleSize
    var (denoised, logVariance): ([Double], [Double]) = ([], [])
    denoised.reserveCapacity(x.count)
    logVariance.reserveCapacity(x.count)
    for (n, t) in timesteps.enumerated() {
      let step = steps[t]
      for i in n * size..<(n + 1) * size {
        denoised.append(step.denoising.sample * Double(x[i]) + step.denoising.output * parts.prediction(n, i))
        logVariance.append(step.logVariance.offset + step.logVariance.slope * parts.variance(n, i))
      }
    }
    if let transform { denoised = transform(sample.mapped { denoised[$1] }).scalars.map(Double.init) }
    clipping.apply(to: &denoised, sampleSize: size)
    return (denoised, logVariance)
  }
}
