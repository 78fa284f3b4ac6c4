/// The variational bound on the bits that a sample takes, in bits per dimension (per scalar).
///
///     −log₂ p(x_0) ≤ prior + Σ_t L_t
///     L_0 = −log₂ p(x_0 | x_1)
///     L_t = KL(q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t))
///
/// ```swift
/// var run = BitsPerDimension(VariationalBound(process), of: images)
/// while let query = run.query {
///   let term = try run.advance(output: unet(run.sample(using: &noise), query.timestep))
///   print(query.timestep, term.bound)
/// }
/// print(run.total)
/// ```
///
/// Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 5 and 13; `_vb_terms_bpd`,
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
  /// - Throws: `OutputError` if the output's size does not fit or it holds NaN or an infinity.
  /// - Precondition: there is a timestep for each sample, in 0 ..< T.
  public func term<Tensor: ScalarTensor>(
    output: Tensor, x0: Tensor, epsilon: Tensor, sample: Tensor, timesteps: [Int]
  ) throws(OutputError) -> Term {
    let p = try process.reading(output, of: sample, timesteps: timesteps)
    let (data, noise, x) = (x0.scalars, epsilon.scalars, sample.scalars)
    func mean(_ value: (_ t: Int, _ i: Int) -> Double) -> [Double] { x0.sampleMeans { value(timesteps[$0], $1) } }
    func squared(_ error: Double) -> Double { error * error }
    return Term(
      bound: mean { t, i in
        nats(at: t, x0: Double(data[i]), denoised: p.denoised[i], logVariance: p.logVariance[i]).value / Self.bit
      },
      x0Error: mean { _, i in squared(p.denoised[i] - Double(data[i])) },
      epsilonError: mean { t, i in
        let level = process.steps[t].level
        return squared((Double(x[i]) - level.signal * p.denoised[i]) / level.noise - Double(noise[i]))
      })
  }

  /// KL(q(x_T | x_0) ‖ N(0, 1)) of each sample, in bits per dimension: what no network can change.
  public func prior(of x0: some ScalarTensor) -> [Double] {
    let schedule = process.schedule
    let level = process.steps[schedule.timesteps - 1].level
    let logVariance = schedule.logOneMinusAlphaBars[schedule.timesteps - 1]
    let data = x0.scalars
    return x0.sampleMeans { _, i in
      NormalKL(mean1: level.signal * Double(data[i]), logVariance1: logVariance, mean2: 0, logVariance2: 0).value
        / Self.bit
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
  /// The mean over each sample of a value, from the index of the sample and that of the scalar.
  func sampleMeans(_ value: (_ sample: Int, _ index: Int) -> Double) -> [Double] {
    let size = sampleSize
    return (0..<sampleCount).map { n in
      var sum = 0.0
      for i in n * size..<(n + 1) * size { sum += value(n, i) }
      return sum / Double(size)
    }
  }
}
