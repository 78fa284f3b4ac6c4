/// p(x_{t−1} | x_t), the step back that a network's output stands for, at every timestep.
///
/// ```swift
/// let process = try ReverseProcess(
///   schedule, predicting: .epsilon, variance: .learnedRange)
/// let p = try process.distribution(
///   output: unet(x, timesteps), sample: x, timesteps: timesteps)
/// ```
///
/// It serves likelihoods and losses, with a timestep for each sample. To sample, make a plan.
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equations 1, 7 and 11; [Nichol and
/// Dhariwal 2021](https://arxiv.org/abs/2102.09672), equation 15; guided-diffusion's
/// `p_mean_variance`.
public struct ReverseProcess: Hashable, Sendable {
  /// One timestep as plain numbers.
  public struct Step: Hashable, Sendable {
    /// The level of x_t.
    public let level: NoiseLevel
    /// x̂0 = sample·x_t + output·F, then clipped.
    public let denoising: SamplingPlan.Readout
    /// The mean, sample·x_t + output·x̂0; that of q(x_{t−1} | x_t, x_0) for x_0 in place of x̂0.
    public let mean: SamplingPlan.Readout
    /// The logarithm of the variance.
    public let logVariance: LogVariance
    /// The logarithm of q(x_{t−1} | x_t, x_0)'s variance, β̃_t, with the value of t = 1 at t = 0.
    public let posteriorLogVariance: Double
  }

  /// The process that is run backwards.
  public let schedule: NoiseSchedule
  /// What the network's output is, or its first half.
  public let prediction: Prediction
  public let variance: Variance
  public let clipping: Clipping
  /// One entry for each timestep, from 0 on.
  public let steps: [Step]

  /// The reverse of a process. At t = 0, where β̃ is 0, `.fixedSmall`, `.fixedLarge` and the lower
  /// bound of `.learnedRange` are β̃_1, "to get a better decoder log likelihood", as
  /// guided-diffusion has it.
  ///
  /// - Throws: `PlanError` if the output does not determine x̂0 at a timestep, as epsilon does not
  ///   at zero terminal SNR, the clipping is out of its range, or a single timestep leaves no β̃_1.
  /// - Accuracy: the mean's factors and the logarithms are tables; x̂0's factors are within 4 ulps.
  public init(
    _ schedule: NoiseSchedule, predicting prediction: Prediction, variance: Variance, clipping: Clipping = .none
  ) throws(PlanError) {
    try clipping.validate()
    (self.schedule, self.prediction) = (schedule, prediction)
    (self.variance, self.clipping) = (variance, clipping)
    let (ofX0, ofSample) = (schedule.posteriorX0Coefficient, schedule.posteriorSampleCoefficient)
    let small = schedule.posteriorLogVarianceClipped
    steps = try schedule.betas.indices.map { t throws(PlanError) in
      let level = schedule[t]
      let denoising =
        prediction == .previous
        ? SamplingPlan.Readout(sample: -ofSample[t] / ofX0[t], output: 1 / ofX0[t]) : prediction.denoising(at: level)
      guard let denoising, denoising.isFinite else {
        throw .singular(prediction.name, timestep: Double(t), sigma: level.sigma)
      }
      guard small[t].isFinite else { throw .coefficient(step: t, timestep: Double(t), sigma: level.sigma) }
      let isFirst = t == 0 && variance == .fixedLarge
      return Step(
        level: level, denoising: denoising, mean: SamplingPlan.Readout(sample: ofSample[t], output: ofX0[t]),
        logVariance: variance.logVariance(small: small[t], large: isFirst ? small[t] : Math.log(schedule.betas[t])),
        posteriorLogVariance: small[t])
    }
  }
}
