// The forward process with a timestep for each sample of a batch, in one pass over memory. Its
// moments are read from the schedule's tables, which are made anew at each call: O(T).

/// A normal distribution for each sample of a batch: a mean for every scalar, and one variance.
public struct SampleNormals<Tensor: ScalarTensor> {
  public let mean: Tensor
  /// The variance of each sample.
  public let variance: [Double]
  /// Its logarithm.
  public let logVariance: [Double]
}

extension SampleNormals: Sendable where Tensor: Sendable {}

extension NoiseSchedule {
  /// Forward noising with a timestep for each sample: a draw from q(x_t | x_0) for normal epsilon.
  ///
  /// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equation 4.
  ///
  /// - Precondition: each sample has a timestep in 0 ..< T, and the two tensors have one size.
  public func mix<Tensor: ScalarTensor>(_ x0: Tensor, with epsilon: Tensor, at timesteps: [Int]) -> Tensor {
    check(timesteps, for: x0).map { self[$0] }.mix(x0, with: epsilon)
  }

  /// The same, where the caller has room for it.
  ///
  /// - `sample`: a tensor of the data's size, whose numbers do not matter.
  /// - `threads`: how many threads it is spread over; `nil` for as many as pay.
  public func mix<Tensor: ContiguousTensor>(
    _ x0: Tensor, with epsilon: Tensor, at timesteps: [Int], into sample: inout Tensor, threads: Int? = nil
  ) {
    check(timesteps, for: x0).map { self[$0] }.mix(x0, with: epsilon, into: &sample, threads: threads)
  }

  /// q(x_t | x_0), with a timestep for each sample.
  ///
  /// Source: Ho et al. 2020, equation 4.
  ///
  /// - Precondition: there is a timestep for each sample, in 0 ..< T.
  public func forward<Tensor: ScalarTensor>(from x0: Tensor, at timesteps: [Int]) -> SampleNormals<Tensor> {
    check(timesteps, for: x0)
    let (signals, variances, logs) = (self.signals, oneMinusAlphaBars, logOneMinusAlphaBars)
    return SampleNormals(
      mean: .combination(x0, x0, timesteps.map { SamplingPlan.Readout(sample: signals[$0], output: 0) }),
      variance: timesteps.map { variances[$0] }, logVariance: timesteps.map { logs[$0] })
  }

  /// q(x_{t−1} | x_t, x_0), with a timestep for each sample; the logarithm of its variance, which
  /// is −∞ at t = 0, is there that of t = 1.
  ///
  /// Source: Ho et al. 2020, equation 7.
  ///
  /// - Precondition: each sample has a timestep in 0 ..< T, and the two tensors have one size.
  public func posterior<Tensor: ScalarTensor>(of x0: Tensor, given sample: Tensor, at timesteps: [Int])
    -> SampleNormals<Tensor>
  {
    check(timesteps, for: x0)
    let (ofX0, ofSample) = (posteriorX0Coefficient, posteriorSampleCoefficient)
    let (variances, logs) = (posteriorVariance, posteriorLogVarianceClipped)
    return SampleNormals(
      mean: .combination(x0, sample, timesteps.map { SamplingPlan.Readout(sample: ofX0[$0], output: ofSample[$0]) }),
      variance: timesteps.map { variances[$0] }, logVariance: timesteps.map { logs[$0] })
  }

  /// The timesteps, if there is one for each sample and all are in range.
  @discardableResult
  func check(_ timesteps: [Int], for batch: some ScalarTensor) -> [Int] {
    stop(
      unless: timesteps.count == batch.sampleCount,
      "\(timesteps.count) timesteps for a batch of \(batch.sampleCount) samples"
    )
    for (n, t) in timesteps.enumerated() {
      stop(
        unless: betas.indices.contains(t),
        "timestep \(t) of sample \(n) is outside the schedule's 0 ... \(self.timesteps - 1)")
    }
    return timesteps
  }
}
