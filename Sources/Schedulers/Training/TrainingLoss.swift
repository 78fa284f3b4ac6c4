/// What a network is trained to make small, at every timestep of a process.
///
/// ```swift
/// let loss = try TrainingLoss(schedule, predicting: .epsilon)
/// let xt = schedule.mix(x0, with: epsilon, at: timesteps)
/// let output = unet(xt, timesteps)
/// let value = try loss(output: output, x0: x0, epsilon: epsilon, sample: xt, timesteps: timesteps)
/// backpropagate(value.gradient)        // or differentiate yourself what `loss[t]` says
/// ```
///
/// Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 5 and 14; Nichol and
/// Dhariwal 2021, https://arxiv.org/abs/2102.09672, equation 16, the hybrid loss;
/// `training_losses` of guided-diffusion.
public struct TrainingLoss: Hashable, Sendable {
  /// What the loss is made of; the bound's terms, in bits per dimension, teach a learned variance.
  public enum Kind: String, Hashable, Codable, CaseIterable, Sendable {
    /// The squared error; with a learned variance plus L_t, which does not teach the prediction.
    case mse
    /// The same with T/1000·L_t, in proportion for any T: Nichol and Dhariwal's hybrid loss.
    case rescaledMSE
    /// L_t.
    case kl
    /// T·L_t, whose mean over uniform timesteps is the whole bound without the prior.
    case rescaledKL
  }

  /// The loss at one timestep as plain numbers: the mean over a sample's scalars of
  ///
  ///     weight·(F − target)²  +  factor·L_t
  ///
  /// with L_t in nats: for t > 0 the divergence of N(mean(x̂0), exp(logVariance)) from N(mean(x_0),
  /// exp(posteriorLogVariance)), where x̂0, mean and logVariance are those of `step`; for t = 0
  /// minus the logarithm of the probability of x_0.
  public struct Objective: Hashable, Sendable {
    /// The factor of the squared error; 0 where there is none.
    public let weight: Double
    /// The target, a combination of x0 and epsilon.
    public let target: Prediction.Target
    /// The factor of L_t in nats; 0 where there is none.
    public let factor: Double
    /// Whether L_t teaches the variance alone: no gradient goes from it to the prediction F.
    public let stopsPrediction: Bool
    /// The distribution p(x_{t−1} | x_t).
    public let step: ReverseProcess.Step
  }

  /// The bound, whose process does not clip.
  public let bound: VariationalBound
  public let kind: Kind
  /// How much the squared error counts, by the noise level.
  public let weighting: LossWeighting
  private let objectives: [Objective]

  /// The loss of a network that learns to run a process backwards; `likelihood` gives L_0.
  ///
  /// - Throws: `PlanError` if the output does not determine x̂0, or a weight is not finite.
  public init(
    _ schedule: NoiseSchedule, predicting prediction: Prediction, variance: Variance = .fixedLarge, kind: Kind = .mse,
    weighting: LossWeighting = .uniform, likelihood: DiscretizedGaussian = DiscretizedGaussian()
  ) throws(PlanError) {
    let process = try ReverseProcess(schedule, predicting: prediction, variance: variance)
    bound = VariationalBound(process, likelihood: likelihood)
    (self.kind, self.weighting) = (kind, weighting)
    let count = Double(schedule.timesteps)
    let isSquared = kind == .mse || kind == .rescaledMSE
    let scale: Double =
      switch kind {
      case .mse: variance.isLearned ? 1 : 0
      case .rescaledMSE: variance.isLearned ? count / 1000 : 0
      case .kl: 1
      case .rescaledKL: count
      }
    objectives = try process.steps.enumerated().map { t, step throws(PlanError) in
      let previous = t > 0 ? process.steps[t - 1].level : .clean
      let weight = isSquared ? weighting.weight(at: step.level, for: prediction, previous: previous) : 0
      guard weight.isFinite else { throw .coefficient(step: t, timestep: Double(t), sigma: step.level.sigma) }
      return Objective(
        weight: weight, target: prediction.target(at: step), factor: scale / VariationalBound.bit,
        stopsPrediction: isSquared, step: step)
    }
  }

  /// The loss at one timestep, for those who differentiate it themselves.
  ///
  /// - Precondition: t is in 0 ..< T.
  public subscript(t: Int) -> Objective {
    stop(
      unless: objectives.indices.contains(t), "timestep \(t) is outside the schedule's 0 ... \(objectives.count - 1)")
    return objectives[t]
  }
}

extension Prediction {
  /// The target at a reverse step; for the previous sample the mean of q(x_{t−1} | x_t, x_0).
  fileprivate func target(at step: ReverseProcess.Step) -> Target {
    guard self == .previous else { return target(at: step.level)! }
    return Target(
      x0: step.mean.output + step.mean.sample * step.level.signal, epsilon: step.mean.sample * step.level.noise)
  }
}

extension TrainingLoss {
  /// The loss of a batch, and its gradient.
  public struct Value<Tensor: ScalarTensor> {
    /// The mean of the samples' losses, each times its importance weight.
    public let total: Double
    /// The loss of each sample: the sum of the next two.
    public let losses: [Double]
    /// The weighted squared error of each sample (`mse`).
    public let squaredErrors: [Double]
    /// The bound's part of each sample (`vb`).
    public let bounds: [Double]
    /// The gradient of `total` with respect to the output, in its shape.
    public let gradient: Tensor
  }

  /// The loss of a network's output, and its gradient, in closed form. All arithmetic is in Double.
  ///
  /// - `output`: the network's, for `sample`, with twice its channels for a learned variance.
  /// - `x0`: the data, in [−1, 1].
  /// - `epsilon`: the standard normal noise that the network is to find.
  /// - `sample`: x_t, what the network was given.
  /// - `weights`: the importance weight of each sample, as timestep samplers give them; 1 if `nil`.
  /// - Throws: `OutputError` if the output's size does not fit or it holds NaN or an infinity.
  /// - Precondition: there are a timestep in 0 ..< T and a weight for each sample.
  @_specialize(where Tensor == SampleBatch<Float>)
  public func callAsFunction<Tensor: ScalarTensor>(
    output: Tensor, x0: Tensor, epsilon: Tensor, sample: Tensor, timesteps: [Int], weights: [Double]? = nil
  ) throws(OutputError) -> Value<Tensor> {
    let p = try bound.process.reading(output, of: sample, timesteps: timesteps)
    let (count, size) = (x0.sampleCount, x0.sampleSize)
    stop(unless: weights == nil || weights!.count == count, "\(weights!.count) weights for a batch of \(count) samples")
    let (data, noise, values) = (x0.scalars, epsilon.scalars, output.scalars)
    let stride = output.sampleSize
    var gradient = [Tensor.Scalar](repeating: 0, count: values.count)
    var (squaredErrors, bounds): ([Double], [Double]) = ([], [])
    for (n, t) in timesteps.enumerated() {
      let objective = self[t]
      let part = (weights?[n] ?? 1) / Double(count * size)
      var (squares, nats) = (0.0, 0.0)
      for k in 0..<size {
        let (i, j) = (n * size + k, n * stride + k)
        let target = objective.target.x0 * Double(data[i]) + objective.target.epsilon * Double(noise[i])
        let error = Double(values[j]) - target
        squares += error * error
        var slope = 2 * objective.weight * error
        if objective.factor != 0 {
          let term = bound.nats(
            at: t, x0: Double(data[i]), denoised: p.denoised[i], logVariance: p.logVariance[i])
          nats += term.value
          if !objective.stopsPrediction {
            slope += objective.factor * term.meanGradient * objective.step.mean.output * objective.step.denoising.output
          }
          if stride > size {
            gradient[j + size] = Tensor.Scalar(
              part * objective.factor * term.logVarianceGradient * objective.step.logVariance.slope)
          }
        }
        gradient[j] = Tensor.Scalar(part * slope)
      }
      squaredErrors.append(objective.weight * squares / Double(size))
      bounds.append(objective.factor * nats / Double(size))
    }
    let losses = zip(squaredErrors, bounds).map { $0 + $1 }
    let total = losses.indices.reduce(0) { $0 + (weights?[$1] ?? 1) * losses[$1] } / Double(count)
    return Value(
      total: total, losses: losses, squaredErrors: squaredErrors, bounds: bounds,
      gradient: Tensor(scalars: gradient, like: output))
  }
}

extension TrainingLoss.Value: Sendable where Tensor: Sendable {}
