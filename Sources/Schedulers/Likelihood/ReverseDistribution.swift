import SchedulersKernelInterface
import SchedulersKernels

/// The mean and the variance of p(x_{t−1} | x_t), and the x̂0 behind them; all in the shape of x_t.
public struct ReverseDistribution<Tensor: LinearSpace> {
  public internal(set) var mean: Tensor
  public internal(set) var variance: Tensor
  public internal(set) var logVariance: Tensor
  /// x̂0 after clipping.
  public internal(set) var denoised: Tensor

  /// Room for the distribution of a batch of the size of another tensor.
  public init(like other: Tensor) { (mean, variance, logVariance, denoised) = (other, other, other, other) }
}

extension ReverseDistribution: Sendable where Tensor: Sendable {}

extension ReverseProcess {
  /// The distribution that a network's output stands for. All arithmetic is in Double.
  ///
  /// - `output`: in the shape of the sample, or with twice its channels if the variance is learned.
  /// - `sample`: x_t.
  /// - `transform`: what is done to x̂0 before it is clipped.
  /// - `threads`: how many threads it is spread over; `nil` for as many as pay.
  /// - Throws: `OutputError` if the output's size does not fit or it holds NaN or an infinity.
  /// - Precondition: there is a timestep for each sample, in 0 ..< T.
  public func distribution<Tensor: ScalarTensor>(
    output: Tensor, sample: Tensor, timesteps: [Int], transform: ((Tensor) -> Tensor)? = nil, threads: Int? = nil
  ) throws(OutputError) -> ReverseDistribution<Tensor> {
    schedule.check(timesteps, for: sample)
    try output.checkSize(asOutputFor: sample, learnsVariance: variance.isLearned)
    if transform == nil, readsByScalar, let loops = Tensor.Scalar._loops(of: Kernels.table) {
      let made = parts(output.scalars, sample.scalars, timesteps, loops, threads)
      if !made.isFinite { try output.checkFinite(timesteps: timesteps.map(Double.init)) }
      return ReverseDistribution(made) { Tensor(scalars: $0, like: sample) }
    }
    try output.checkFinite(timesteps: timesteps.map(Double.init))
    let read = denoised(output, of: sample, timesteps: timesteps, transform: transform)
    let made = parts(
      read, sample.scalars.map(Double.init), timesteps, Kernels.table.double, threads, isDenoised: true)
    return ReverseDistribution(made) { Tensor(scalars: Tensor.Scalar.rounding($0), like: sample) }
  }

  /// Writes the distribution that a network's output stands for where another one of the same shape
  /// was, without allocating.
  ///
  /// After an error the distribution is neither the old one nor the new.
  public func distribution<Tensor: ContiguousTensor>(
    output: Tensor, sample: Tensor, timesteps: [Int], into distribution: inout ReverseDistribution<Tensor>,
    threads: Int? = nil
  ) throws(OutputError) {
    guard readsByScalar, let loops = Tensor.Scalar._loops(of: Kernels.table) else {
      return distribution = try self.distribution(output: output, sample: sample, timesteps: timesteps)
    }
    schedule.check(timesteps, for: sample)
    try output.checkSize(asOutputFor: sample, learnsVariance: variance.isLearned)
    let count = sample.sampleCount * sample.sampleSize
    let isFinite = output.withScalars { values in
      sample.withScalars { x in
        distribution.withMutableScalars(count) { written in
          let batch = ReverseBatch(
            process: self, timesteps: timesteps, size: sample.sampleSize, stride: output.sampleSize,
            sample: x.baseAddress!, output: values.baseAddress!)
          return batch.write(written, loops, threads)
        }
      }
    }
    if !isFinite { try output.checkFinite(timesteps: timesteps.map(Double.init)) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func parts<Scalar: SampleScalar>(
    _ output: [Scalar], _ sample: [Scalar], _ timesteps: [Int], _ loops: KernelTable.Loops<Scalar>, _ threads: Int?,
    isDenoised: Bool = false
  ) -> DistributionParts<Scalar> {
    func make(_ body: (UnsafeMutablePointer<Scalar>) -> Void) -> [Scalar] {
      [Scalar](unsafeUninitializedCapacity: sample.count) { values, initialized in
        if let values = values.baseAddress { body(values) }
        initialized = sample.count
      }
    }
    var parts = DistributionParts<Scalar>()
    let batches = max(timesteps.count, 1)
    parts.mean = make { mean in
      parts.variance = make { variance in
        parts.logVariance = make { logVariance in
          parts.denoised = make { denoised in
            output.withUnsafeBufferPointer { output in
              sample.withUnsafeBufferPointer { sample in
                let batch = ReverseBatch(
                  process: self, timesteps: timesteps, size: sample.count / batches, stride: output.count / batches,
                  sample: sample.baseAddress!, output: output.baseAddress!, isDenoised: isDenoised)
                parts.isFinite = batch.write(
                  .init(mean: mean, variance: variance, logVariance: logVariance, denoised: denoised), loops, threads)
              }
            }
          }
        }
      }
    }
    return parts
  }
}

/// The scalars of a distribution, before they are tensors.
private struct DistributionParts<Scalar> {
  var mean, variance, logVariance, denoised: [Scalar]
  var isFinite = true
  init() { (mean, variance, logVariance, denoised) = ([], [], [], []) }
}

extension ReverseDistribution {
  fileprivate init<Scalar>(_ parts: DistributionParts<Scalar>, _ tensor: ([Scalar]) -> Tensor) {
    (mean, variance) = (tensor(parts.mean), tensor(parts.variance))
    (logVariance, denoised) = (tensor(parts.logVariance), tensor(parts.denoised))
  }
}

extension ReverseBatch {
  /// Writes the distribution, and returns whether the output is finite.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func write(_ all: ReverseCall<Scalar>.Distribution, _ loops: KernelTable.Loops<Scalar>, _ threads: Int?) -> Bool {
    tiles(threads: threads) { tile in
      let first = tile.sample * size
      let written = ReverseCall<Scalar>.Distribution(
        mean: all.mean + first, variance: all.variance + first, logVariance: all.logVariance + first,
        denoised: all.denoised + first)
      return withUnsafePointer(to: call(tile)) { loops.reverse.distribution($0, written) }
    }.allSatisfy { $0 }
  }
}

extension ReverseDistribution where Tensor: ContiguousTensor {
  /// Lends the four tensors for changes.
  fileprivate mutating func withMutableScalars<Result>(
    _ count: Int, _ body: (ReverseCall<Tensor.Scalar>.Distribution) -> Result
  ) -> Result {
    mean.withMutableScalars { mean in
      variance.withMutableScalars { variance in
        logVariance.withMutableScalars { logVariance in
          denoised.withMutableScalars { denoised in
            for lent in [mean, variance, logVariance, denoised] {
              stop(
                unless: lent.count == count,
                "a distribution of \(lent.count) scalars does not hold that of \(count); make one for this batch")
            }
            return body(
              .init(
                mean: mean.baseAddress!, variance: variance.baseAddress!, logVariance: logVariance.baseAddress!,
                denoised: denoised.baseAddress!))
          }
        }
      }
    }
  }
}
