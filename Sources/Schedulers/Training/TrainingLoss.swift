import SchedulersKernelInterface
import SchedulersKernels

/// What a network is trained to make small, at every timestep of a process.
///
/// ```swift
/// let loss = try TrainingLoss(schedule, predicting: .epsilon)
/// let xt = schedule.mix(x0, with: epsilon, at: timesteps)
/// let output = unet(xt, timesteps)
/// let value = try loss(
///   output: output, x0: x0, epsilon: epsilon, sample: xt, timesteps: timesteps)
/// backpropagate(value.gradient)  // or differentiate yourself what `loss[t]` says
/// ```
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equations 5 and 14; [Nichol and
/// Dhariwal 2021](https://arxiv.org/abs/2102.09672), equation 16, the hybrid loss;
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
    public let terms: Terms
    /// The gradient of `total` with respect to the output, in its shape.
    public let gradient: Tensor

    // What the terms say.
    public var total: Double { terms.total }
    public var losses: [Double] { terms.losses }
    public var squaredErrors: [Double] { terms.squaredErrors }
    public var bounds: [Double] { terms.bounds }
  }

  /// The loss of a batch.
  public struct Terms: Hashable, Sendable {
    /// The mean of the samples' losses, each times its importance weight.
    public let total: Double
    /// The loss of each sample: the sum of the next two.
    public let losses: [Double]
    /// The weighted squared error of each sample (`mse`).
    public let squaredErrors: [Double]
    /// The bound's part of each sample (`vb`).
    public let bounds: [Double]
  }

  /// The loss of a network's output, and its gradient, in closed form. All arithmetic is in Double.
  ///
  /// - `output`: the network's, for `sample`, with twice its channels for a learned variance.
  /// - `x0`: the data, in [−1, 1].
  /// - `epsilon`: the standard normal noise that the network is to find.
  /// - `sample`: x_t, what the network was given.
  /// - `weights`: the importance weight of each sample, as timestep samplers give them; 1 if `nil`.
  /// - `threads`: how many threads it is spread over; `nil` for as many as pay.
  /// - Throws: `OutputError` if the output's size does not fit or it holds NaN or an infinity.
  /// - Precondition: there are a timestep in 0 ..< T and a weight for each sample.
  public func callAsFunction<Tensor: ScalarTensor>(
    output: Tensor, x0: Tensor, epsilon: Tensor, sample: Tensor, timesteps: [Int], weights: [Double]? = nil,
    threads: Int? = nil
  ) throws(OutputError) -> Value<Tensor> {
    try check(output, x0, epsilon, sample, timesteps, weights)
    guard let loops = Tensor.Scalar._loops(of: Kernels.table) else {
      func doubles(_ tensor: Tensor) -> [Double] { tensor.scalars.map(Double.init) }
      let made = made(
        doubles(output), doubles(x0), doubles(epsilon), doubles(sample), timesteps, weights, Kernels.table.double,
        threads)
      if !made.isFinite { try output.checkFinite(timesteps: timesteps.map(Double.init)) }
      return Value(terms: made.terms, gradient: Tensor(scalars: Tensor.Scalar.rounding(made.gradient), like: output))
    }
    let made = made(
      output.scalars, x0.scalars, epsilon.scalars, sample.scalars, timesteps, weights, loops, threads)
    if !made.isFinite { try output.checkFinite(timesteps: timesteps.map(Double.init)) }
    return Value(terms: made.terms, gradient: Tensor(scalars: made.gradient, like: output))
  }

  /// The same, with the gradient where the caller has room for it.
  ///
  /// - `gradient`: a tensor of the output's size, whose numbers do not matter. After an error they
  ///   mean nothing.
  public func callAsFunction<Tensor: ContiguousTensor>(
    output: Tensor, x0: Tensor, epsilon: Tensor, sample: Tensor, timesteps: [Int], weights: [Double]? = nil,
    gradient: inout Tensor, threads: Int? = nil
  ) throws(OutputError) -> Terms {
    guard let loops = Tensor.Scalar._loops(of: Kernels.table) else {
      let made = try self(
        output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps, weights: weights)
      gradient = made.gradient
      return made.terms
    }
    try check(output, x0, epsilon, sample, timesteps, weights)
    let made = Tensor.withScalars(output, x0, epsilon, sample) { output, x0, epsilon, sample in
      gradient.withMutableScalars { gradient in
        stop(
          unless: gradient.count == output.count,
          "a gradient of \(gradient.count) scalars is lent for an output of \(output.count)")
        return LossBatch(
          loss: self, output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps,
          weights: weights, gradient: gradient
        ).terms(loops, threads)
      }
    }
    if !made.isFinite { try output.checkFinite(timesteps: timesteps.map(Double.init)) }
    return made.terms
  }

  private func check<Tensor: ScalarTensor>(
    _ output: Tensor, _ x0: Tensor, _ epsilon: Tensor, _ sample: Tensor, _ timesteps: [Int], _ weights: [Double]?
  ) throws(OutputError) {
    bound.process.schedule.check(timesteps, for: sample)
    try output.checkSize(asOutputFor: sample, learnsVariance: bound.process.variance.isLearned)
    for other in [x0, epsilon] { other.checkSize(as: sample) }
    stop(
      unless: weights == nil || weights!.count == timesteps.count,
      "\(weights!.count) weights for a batch of \(timesteps.count) samples")
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func made<Scalar: SampleScalar>(
    _ output: [Scalar], _ x0: [Scalar], _ epsilon: [Scalar], _ sample: [Scalar], _ timesteps: [Int],
    _ weights: [Double]?, _ loops: KernelTable.Loops<Scalar>, _ threads: Int?
  ) -> (terms: Terms, isFinite: Bool, gradient: [Scalar]) {
    var made = (terms: Terms(total: 0, losses: [], squaredErrors: [], bounds: []), isFinite: true)
    let gradient = [Scalar](unsafeUninitializedCapacity: output.count) { gradient, initialized in
      made = [Scalar].withScalars(output, x0, epsilon, sample) { output, x0, epsilon, sample in
        LossBatch(
          loss: self, output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps,
          weights: weights, gradient: gradient
        ).terms(loops, threads)
      }
      initialized = output.count
    }
    return (made.terms, made.isFinite, gradient)
  }
}

/// The tensors of a batch, lent to the kernels.
private struct LossBatch<Scalar: SampleScalar>: @unchecked Sendable {
  let loss: TrainingLoss
  let output, x0, epsilon, sample: UnsafeBufferPointer<Scalar>
  let timesteps: [Int]
  let weights: [Double]?
  /// In the shape of the output.
  let gradient: UnsafeMutableBufferPointer<Scalar>

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func terms(_ loops: KernelTable.Loops<Scalar>, _ threads: Int?) -> (terms: TrainingLoss.Terms, isFinite: Bool) {
    let count = timesteps.count
    let (size, stride) = (sample.count / max(count, 1), output.count / max(count, 1))
    let batch = ReverseBatch(
      process: loss.bound.process, timesteps: timesteps, size: size, stride: stride, sample: sample.baseAddress!,
      output: output.baseAddress!)
    let tiles = batch.tiles(threads: threads) { sums(of: $0, in: batch, loops) }
    let squaredErrors = zip(timesteps, batch.means(tiles) { $0.squares }).map { loss[$0].weight * $1 }
    let bounds = zip(timesteps, batch.means(tiles) { $0.nats }).map { loss[$0].factor * $1 }
    let losses = zip(squaredErrors, bounds).map { $0 + $1 }
    let total = losses.indices.reduce(0) { $0 + (weights?[$1] ?? 1) * losses[$1] } / Double(count)
    return (
      TrainingLoss.Terms(total: total, losses: losses, squaredErrors: squaredErrors, bounds: bounds),
      tiles.allSatisfy { $0.isFinite }
    )
  }

  private struct Sums {
    var (squares, nats, isFinite) = (0.0, 0.0, true)
  }

  /// The sums over a tile. Its gradient is written.
  private func sums(
    of tile: ReverseBatch<Scalar>.Tile, in batch: ReverseBatch<Scalar>, _ loops: KernelTable.Loops<Scalar>
  ) -> Sums {
    let n = tile.sample
    let (objective, first) = (loss[timesteps[n]], n * batch.size)
    let gradient = gradient.baseAddress! + n * batch.stride
    let x0 = x0.baseAddress! + first
    // Of the mean over all scalars of the batch.
    let part = (weights?[n] ?? 1) / Double(timesteps.count * batch.size)
    var sums = Sums()
    if objective.stopsPrediction {
      let call = ErrorCall(
        range: tile.range, output: batch.output + n * batch.stride, x0: x0, epsilon: epsilon.baseAddress! + first,
        target: (objective.target.x0, objective.target.epsilon), gradient: gradient,
        slope: 2 * part * objective.weight)
      (sums.squares, sums.isFinite) = withUnsafePointer(to: call, loops.reverse.squares)
    }
    guard objective.factor != 0 else { return sums }
    let step = objective.step
    var wanted = ReverseCall<Scalar>.Divergence(x0: x0, posteriorLogVariance: step.posteriorLogVariance)
    if !objective.stopsPrediction {
      wanted.outputGradient = (gradient, part * objective.factor * step.mean.output * step.denoising.output)
    }
    if batch.stride > batch.size {
      wanted.varianceGradient = (gradient + batch.size, part * objective.factor * step.logVariance.slope)
    }
    let bound = loss.bound.divergence(wanted, of: tile, in: batch, loops)
    (sums.nats, sums.isFinite) = (bound.nats, sums.isFinite && bound.isFinite)
    return sums
  }
}

extension TrainingLoss.Value: Sendable where Tensor: Sendable {}
