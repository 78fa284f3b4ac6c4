import SchedulersKernelInterface
import SchedulersKernels

/// The variational bound on the bits that a sample takes, in bits per dimension (per scalar).
///
///     −log₂ p(x_0) ≤ prior + Σ_t L_t
///     L_0 = −log₂ p(x_0 | x_1)
///     L_t = KL(q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t))
///
/// ```swift
/// var run = BitsPerDimension(VariationalBound(process), of: images)
/// while let query = run.query {
///   let term = try run.advance(
///     output: unet(run.sample(using: &noise), query.timestep))
///   print(query.timestep, term.bound)
/// }
/// print(run.total)
/// ```
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equations 5 and 13; `_vb_terms_bpd`,
/// `_prior_bpd` and `calc_bpd_loop` of guided-diffusion.
public struct VariationalBound: Hashable, Sendable {
  /// p(x_{t−1} | x_t).
  public let process: ReverseProcess
  /// How a scalar's level is read off a normal distribution, for L_0.
  public let likelihood: DiscretizedGaussian

  public init(_ process: ReverseProcess, likelihood: DiscretizedGaussian = DiscretizedGaussian()) {
    (self.process, self.likelihood) = (process, likelihood)
  }

  /// The terms of one evaluation, one number for each sample.
  public struct Term: Hashable, Sendable {
    /// L_t in bits per dimension.
    public let bound: [Double]
    /// The mean squared error of x̂0.
    public let x0Error: [Double]
    /// The mean squared error of the noise that x̂0 leaves in the sample.
    public let epsilonError: [Double]
  }

  /// L_t of each sample at its own timestep, and the errors. All arithmetic is in Double.
  ///
  /// - `x0`: the data, in [−1, 1].
  /// - `epsilon`: the noise that was mixed in.
  /// - `sample`: x_t, which the network was given.
  /// - `threads`: how many threads it is spread over; `nil` for as many as pay.
  /// - Throws: `OutputError` if the output's size does not fit or it holds NaN or an infinity.
  /// - Precondition: there is a timestep for each sample, in 0 ..< T.
  public func term<Tensor: ScalarTensor>(
    output: Tensor, x0: Tensor, epsilon: Tensor, sample: Tensor, timesteps: [Int], threads: Int? = nil
  ) throws(OutputError) -> Term {
    process.schedule.check(timesteps, for: sample)
    try output.checkSize(asOutputFor: sample, learnsVariance: process.variance.isLearned)
    for other in [x0, epsilon] { other.checkSize(as: sample) }
    if process.readsByScalar, let loops = Tensor.Scalar._loops(of: Kernels.table) {
      let made = term(
        output.scalars, x0.scalars, epsilon.scalars, sample.scalars, timesteps, sample.sampleSize, loops, threads)
      if !made.isFinite { try output.checkFinite(timesteps: timesteps.map(Double.init)) }
      return made.value
    }
    try output.checkFinite(timesteps: timesteps.map(Double.init))
    func doubles(_ tensor: Tensor) -> [Double] { tensor.scalars.map(Double.init) }
    return term(
      process.denoised(output, of: sample, timesteps: timesteps, transform: nil), doubles(x0), doubles(epsilon),
      doubles(sample), timesteps, sample.sampleSize, Kernels.table.double, threads, isDenoised: true
    ).value
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func term<Scalar: SampleScalar>(
    _ output: [Scalar], _ x0: [Scalar], _ epsilon: [Scalar], _ sample: [Scalar], _ timesteps: [Int], _ size: Int,
    _ loops: KernelTable.Loops<Scalar>, _ threads: Int?, isDenoised: Bool = false
  ) -> (value: Term, isFinite: Bool) {
    [Scalar].withScalars(output, x0, epsilon, sample) { output, x0, epsilon, sample in
      let batch = ReverseBatch(
        process: process, timesteps: timesteps, size: size, stride: output.count / max(timesteps.count, 1),
        sample: sample.baseAddress!, output: output.baseAddress!, isDenoised: isDenoised)
      nonisolated(unsafe) let (x0, epsilon) = (x0.baseAddress!, epsilon.baseAddress!)
      let sums = batch.tiles(threads: threads) { tile in
        let (step, first) = (batch.step(of: tile), tile.sample * size)
        var wanted = ReverseCall<Scalar>.Divergence(
          x0: x0 + first, posteriorLogVariance: step.posteriorLogVariance)
        wanted.errors = (epsilon + first, step.level.signal, step.level.noise)
        return divergence(wanted, of: tile, in: batch, loops)
      }
      let value = Term(
        bound: batch.means(sums) { $0.nats / Self.bit }, x0Error: batch.means(sums) { $0.x0Errors },
        epsilonError: batch.means(sums) { $0.epsilonErrors })
      return (value, sums.allSatisfy { $0.isFinite })
    }
  }

  /// The sums over a tile, and the gradients that are wanted.
  func divergence<Scalar: SampleScalar>(
    _ wanted: ReverseCall<Scalar>.Divergence, of tile: ReverseBatch<Scalar>.Tile, in batch: ReverseBatch<Scalar>,
    _ loops: KernelTable.Loops<Scalar>
  ) -> ReverseCall<Scalar>.Sums {
    let (t, call) = (batch.timesteps[tile.sample], batch.call(tile))
    // The kernels take e^(−l/2) for a factor, whose square must not overflow.
    if t > 0, wanted.posteriorLogVariance > -600 {
      return withUnsafePointer(to: call) { loops.reverse.divergence($0, wanted) }
    }
    var sums = ReverseCall<Scalar>.Sums(nats: 0, x0Errors: 0, epsilonErrors: 0, isFinite: true)
    for i in tile.range {
      let (denoised, logVariance) = call.reading(i)
      let x0 = Double(wanted.x0[i])
      let term = nats(at: t, x0: x0, denoised: denoised, logVariance: logVariance)
      sums.nats += term.value
      sums.isFinite = sums.isFinite && call.output[i].isFinite && (call.variance?[i].isFinite ?? true)
      if let (values, factor) = wanted.outputGradient { values[i] = Scalar(factor * term.meanGradient) }
      if let (values, factor) = wanted.varianceGradient { values[i] = Scalar(factor * term.logVarianceGradient) }
      if let (epsilon, signal, noise) = wanted.errors {
        let error = (Double(call.sample[i]) - signal * denoised) / noise - Double(epsilon[i])
        sums.x0Errors += (denoised - x0) * (denoised - x0)
        sums.epsilonErrors += error * error
      }
    }
    return sums
  }

  /// KL(q(x_T | x_0) ‖ N(0, 1)) of each sample, in bits per dimension: what no network can change.
  public func prior(of x0: some ScalarTensor) -> [Double] {
    let schedule = process.schedule
    let level = process.steps[schedule.timesteps - 1].level
    let logVariance = schedule.logOneMinusAlphaBars[schedule.timesteps - 1]
    // The means add their squares to what the variances make alone.
    let ofVariance = NormalKL(mean1: 0, logVariance1: logVariance, mean2: 0, logVariance2: 0).value
    let signal = level.signal
    return type(of: x0).innerProducts(x0, x0).map {
      (ofVariance + signal * signal * ($0 / Double(x0.sampleSize)) / 2) / Self.bit
    }
  }

  /// One bit in nats, ln 2.
  static let bit = 0x1.62e42fefa39efp-1

  /// L_t of one scalar in nats, with its derivatives by the mean and the log variance of p.
  ///
  /// The means of q and p differ in what they hold of x_0 and x̂0 alone.
  func nats(
    at t: Int, x0: Double, denoised: Double, logVariance: Double
  ) -> (value: Double, meanGradient: Double, logVarianceGradient: Double) {
    let step = process.steps[t]
    if t == 0 {
      // The mean of q(x_{−1} | x_0, x̂0) is x̂0, whatever the sample.
      let p = likelihood.logProbability(of: x0, mean: denoised, logDeviation: logVariance / 2)
      return (-p.value, -p.meanGradient, -p.logDeviationGradient / 2)
    }
    let kl = NormalKL(
      mean1: step.mean.output * x0, logVariance1: step.posteriorLogVariance, mean2: step.mean.output * denoised,
      logVariance2: logVariance)
    return (kl.value, kl.meanGradient, kl.logVarianceGradient)
  }
}

extension ScalarTensor {
  /// Ends the program if another tensor has more scalars or fewer.
  func checkSize(as other: Self) {
    stop(
      unless: sampleCount == other.sampleCount && sampleSize == other.sampleSize,
      "a tensor of \(sampleCount) × \(sampleSize) scalars does not go with a sample of "
        + "\(other.sampleCount) × \(other.sampleSize)")
  }
}
