/// A run of a plan without noise that learns the likelihood of its sample on the way: the change of
/// the density along the probability-flow ODE, by the plan's own method and to its order.
///
///     d ln p(x̄)/dσ = −(d − tr ∂D/∂x̄)/σ    beside    dx̄/dσ = (x̄ − D)/σ
///
/// with x̄ = x/signal, d scalars in a sample and the denoiser D. What data of the unit normal
/// distribution would change is known, and left out: y = ln p(x̄) + d/2·ln(1 + σ²) is smooth at
/// both ends. It is one coordinate more of the second equation, with the denoiser y + d/(1 + σ²) −
/// tr ∂D/∂x̄, so that the plan's numbers solve both.
///
/// ```swift
/// // From data to noise; or back, with the likelihood of what is drawn.
/// let sampler = DPMSolverPlusPlusInversion()
/// let plan = try sampler.plan(over: grid, predicting: .epsilon)
/// var run = LikelihoodRun(plan, from: images)
/// while let query = run.query {
///   let v = signs(like: images)    // ±1, each as probable
///   let (output, vJ) = unet.vectorJacobianProduct(run.input, query.timestep, v)
///   run.advance(output: output, probe: v, product: vJ)
/// }
/// print(run.logLikelihoods())
/// ```
///
/// With probes the result is an estimate of the logarithm without bias, but for the method's error.
///
/// Source: [Song et al. 2021](https://arxiv.org/abs/2011.13456), equations 39 and 40; Crowson 2022,
/// <https://github.com/crowsonkb/k-diffusion>, `log_likelihood`.
public struct LikelihoodRun<Tensor: LinearSpace> {
  /// The run of the samples.
  public private(set) var run: SamplingRun<Tensor>
  /// The sample from which the run started.
  public let start: Tensor
  /// d.
  public let sampleSize: Int
  /// signal·(y − its value at the start) of each sample, by the same plan.
  private var logs: SamplingRun<[Double]>

  /// A run of a plan from samples at its start level.
  ///
  /// - Parameters:
  ///   - plan: the run, in either direction.
  ///   - sample: where it starts.
  ///   - sampleCount: how many samples the tensor holds.
  ///   - sampleSize: d, how many scalars each has.
  /// - Precondition: the plan draws no noise and does not clip, its network does not learn a
  ///   variance, and all its levels have signal.
  public init(_ plan: SamplingPlan, from sample: Tensor, sampleCount: Int, sampleSize: Int) {
    stop(
      unless: !plan.isStochastic,
      "the plan draws noise; the flow of densities is that of a sampler without, or with eta 0")
    stop(unless: plan.clipping == .none, "the plan clips with \(plan.clipping), which is no flow of densities")
    stop(
      unless: !plan.learnsVariance,
      "the network learns its variance; plan without learnsVariance, for the first half of its outputs")
    stop(
      unless: plan.start.signal > 0 && plan.steps.allSatisfy { $0.query.level.signal > 0 && $0.arrival.signal > 0 },
      "the plan has a level without signal, at which x/signal has no density; begin a little below it")
    (run, start, self.sampleSize) = (SamplingRun(plan, from: sample), sample, sampleSize)
    logs = SamplingRun(plan, from: [Double](repeating: 0, count: sampleCount))
    (run.keepsDenoised, logs.keepsDenoised) = (false, false)
  }

  /// What the network is to be asked now; `nil` at the end.
  public var query: SamplingPlan.Query? { run.query }
  /// What the network is given.
  public var input: Tensor { run.input }
  /// The current sample.
  public var sample: Tensor { run.sample }

  /// Takes the network's output, and vᵀJv of its Jacobian J = ∂output/∂input for each sample.
  ///
  /// - Parameters:
  ///   - output: the network's answer to the query.
  ///   - divergence: vᵀJv for a probe v of mean 0 and unit covariance, or tr J itself.
  /// - Precondition: a step is left, and there is a number for each sample.
  public mutating func advance(output: Tensor, divergence: [Double]) {
    guard let step = run.step else { stop("the run is at its end; there is nothing to advance") }
    stop(
      unless: divergence.count == logs.sample.count,
      "\(divergence.count) divergences for a batch of \(logs.sample.count) samples")
    let (signal, scale, denoising) = (step.query.level.signal, step.query.inputScale, step.denoising)
    let (size, sigma) = (Double(sampleSize), step.query.level.sigma)
    let known = size / (1 + sigma * sigma)
    let outputs = zip(logs.sample, divergence).map { log, divergence in
      let trace = signal * (denoising.sample * size + denoising.output * scale * divergence)
      // The output from which the reading makes the denoiser of y.
      return (log / signal + known - trace - denoising.sample * log) / denoising.output
    }
    run.advance(output: output)
    logs.advance(output: outputs)
  }

  /// ln p(x) of the current sample at its level, less that of the start at its own, in nats.
  public var logDensityChanges: [Double] {
    let (from, to) = (run.plan.start, run.level)
    // Of signal·x̄: d/2·ln(1 + σ²) and d·ln signal in one.
    let known = Math.log(Math.hypot(to.signal, to.noise) / Math.hypot(from.signal, from.noise))
    return logs.sample.map { $0 / to.signal - Double(sampleSize) * known }
  }
}

extension LikelihoodRun where Tensor: InnerProductSpace {
  /// Takes the network's output, a probe v, and the vector–Jacobian product vᵀJ.
  ///
  /// - Parameters:
  ///   - output: the network's answer to the query.
  ///   - probe: v, numbers of mean 0 and variance 1, independent of each other: ±1 vary least.
  ///   - product: vᵀ·∂output/∂input.
  public mutating func advance(output: Tensor, probe: Tensor, product: Tensor) {
    advance(output: output, divergence: Tensor.innerProducts(probe, product))
  }

  /// ln p of the cleaner one of the start and the current sample, in nats, where the noisier one
  /// comes from N(0, deviation²).
  ///
  /// - Parameter deviation: that of the prior; the noise of the noisier level if `nil`, as
  ///   k-diffusion has it. `SamplingPlan.initialScale` is that of data with unit variance.
  public func logLikelihoods(deviation: Double? = nil) -> [Double] {
    let startsNoisy = run.plan.start.sigma >= run.level.sigma
    let (latent, level) = startsNoisy ? (start, run.plan.start) : (sample, run.level)
    let deviation = deviation ?? level.noise
    let constant = Double(sampleSize) * (Math.log(deviation) + Math.log(2 * .pi) / 2)
    return zip(Tensor.innerProducts(latent, latent), logDensityChanges).map { square, change in
      (startsNoisy ? change : -change) - square / (2 * deviation * deviation) - constant
    }
  }
}

extension LikelihoodRun where Tensor: ScalarTensor {
  /// A run of a plan from samples at its start level.
  public init(_ plan: SamplingPlan, from sample: Tensor) {
    self.init(plan, from: sample, sampleCount: sample.sampleCount, sampleSize: sample.sampleSize)
  }
}

extension LikelihoodRun: Sendable where Tensor: Sendable {}
