import Schedulers

/// The arguments of guided-diffusion's `create_gaussian_diffusion`, under their names and with
/// their defaults, and how its process is sampled.
///
/// ```swift
/// let configuration = try JSONDecoder().decode(
///   GuidedDiffusionConfiguration.self, from: flags)
/// let plan = try configuration.plan(sampler: .ddimSample)
/// print(configuration.ignoredKeys)
/// ```
///
/// Source: openai/guided-diffusion at 22e0df8, `script_util.py` and `gaussian_diffusion.py`.
public struct GuidedDiffusionConfiguration: Hashable, Sendable {
  /// The method of `GaussianDiffusion` that makes a step.
  public enum Method: String, Hashable, Codable, CaseIterable, Sendable {
    /// Ancestral sampling.
    case pSample = "p_sample"
    /// DDIM, which makes epsilon again from the clipped x̂0.
    case ddimSample = "ddim_sample"
    /// DDIM from data to noise. Data count as a sample at the first timestep; the last step ends at
    /// noise.
    case ddimReverseSample = "ddim_reverse_sample"
  }

  /// `steps`: the timesteps that the network was trained on.
  public var steps = 1000
  /// `learn_sigma`: whether the network says where the variance lies.
  public var learnSigma = false
  /// `sigma_small`: whether a variance that is not learned is that of the posterior.
  public var sigmaSmall = false
  /// `noise_schedule`: linear or cosine.
  public var noiseSchedule = "linear"
  /// `use_kl`: whether the loss is the variational bound.
  public var useKL = false
  /// `predict_xstart`: whether the network predicts x0 instead of epsilon.
  public var predictXStart = false
  /// `rescale_timesteps`: whether the network is told timesteps rescaled to 0 ..< 1000.
  public var rescaleTimesteps = false
  /// `rescale_learned_sigmas`: whether the bound's loss is multiplied by T/1000.
  public var rescaleLearnedSigmas = false
  /// `timestep_respacing`: which timesteps a run visits; all of them if it is nil.
  public var timestepRespacing: Respacing?

  /// `sampler`: the method that makes the steps. guided-diffusion takes it as an argument
  /// elsewhere, like the following two.
  public var sampler = Method.pSample
  /// `eta` of `ddim_sample`.
  public var eta = 0.0
  /// `clip_denoised`: whether x̂0 is brought into −1 ... 1.
  public var clipDenoised = true

  /// The keys of the file that have no effect.
  public internal(set) var ignoredKeys: [String] = []

  /// guided-diffusion's defaults.
  public init() {}

  /// The class that stands for these arguments in files that name one.
  public static let className = "GaussianDiffusion"
}

extension GuidedDiffusionConfiguration {
  /// What the network's output is.
  public var prediction: Prediction { predictXStart ? .x0 : .epsilon }

  /// Where the variance of `p_sample` comes from.
  public var variance: Variance { learnSigma ? .learnedRange : sigmaSmall ? .fixedSmall : .fixedLarge }

  /// The schedule that the network was trained with.
  ///
  /// - Throws: `ConfigurationError` for an unknown name, or `steps` that make no schedule.
  public func schedule() throws(ConfigurationError) -> NoiseSchedule {
    try ConfigurationError.naming(Self.className) {
      try require(
        (1...TrainingTimesteps.largest).contains(steps),
        .option("steps", value: "\(steps)", "it must be in 1 ... \(TrainingTimesteps.largest)"))
      let formula: BetaSchedule? =
        switch noiseSchedule {
        case "linear": .linear(scaledFrom: 1000)
        case "cosine": .cosine()
        default: nil
        }
      guard let formula else { throw Refusal.option("noise_schedule", value: noiseSchedule, "use linear or cosine") }
      do { return try NoiseSchedule(formula, timesteps: steps) } catch let error as ScheduleError {
        throw Refusal.schedule(error, option: "steps")
      }
    }
  }

  /// The process that a run visits: guided-diffusion's `SpacedDiffusion`.
  ///
  /// - Throws: `ConfigurationError` where there is no schedule, or the respacing does not fit it.
  /// - Parameter fidelity: `.corrected` for a section of one timestep that keeps its last,
  ///   `.diffusers` for one that keeps its first, as guided-diffusion's does.
  public func process(fidelity: Fidelity = .corrected) throws(ConfigurationError) -> RespacedSchedule {
    let schedule = try schedule()
    return try ConfigurationError.naming(Self.className) {
      try schedule.respaced(by: timestepRespacing ?? .sections([steps]), lone: fidelity == .corrected ? .last : .first)
    }
  }

  /// The points of a run, noisiest first, with the timesteps that the network is told.
  func grid(sampler: Method, fidelity: Fidelity) throws -> SamplingGrid {
    let process = try process(fidelity: fidelity)
    let points = process.original.indices.reversed().map { t in
      SamplingGrid.Point(timestep: process.timestep(t, isRescaled: rescaleTimesteps), level: process.schedule[t])
    }
    guard sampler == .ddimReverseSample else { return try SamplingGrid(points: points + [.clean]) }
    // ᾱ_T = 0 follows the last ᾱ (`alphas_cumprod_next`), and data count as a sample at the first.
    let noise = SamplingGrid.Point(timestep: -1, level: NoiseLevel(signal: 0, noise: 1))
    return try SamplingGrid(points: [noise] + points)
  }

  /// The plan of a run.
  ///
  /// - Parameters:
  ///   - sampler: the method; the configuration's own by default.
  ///   - eta: of `ddim_sample`, in 0 ... 1; the configuration's own by default.
  ///   - clipDenoised: whether x̂0 is brought into −1 ... 1; as the configuration says by default.
  ///   - fidelity: `.corrected` for the mathematics, `.diffusers` for what guided-diffusion does.
  /// - Throws: `ConfigurationError` for unsupported values, and where the numbers do not exist.
  public func plan(
    sampler: Method? = nil, eta: Double? = nil, clipDenoised: Bool? = nil, fidelity: Fidelity = .corrected
  ) throws(ConfigurationError) -> SamplingPlan {
    try plan(sampler: sampler, eta: eta, clipDenoised: clipDenoised, fidelity: fidelity, in: TorchArithmetic())
  }

  /// The same, where guided-diffusion runs in a given arithmetic.
  package func plan(
    sampler: Method? = nil, eta: Double? = nil, clipDenoised: Bool? = nil, fidelity: Fidelity, in torch: TorchArithmetic
  ) throws(ConfigurationError) -> SamplingPlan {
    let (method, eta) = (sampler ?? self.sampler, eta ?? self.eta)
    let rule: any Sampler =
      switch method {
      case .pSample: DDPM(variance: variance)
      case .ddimSample: DDIM(eta: eta)
      case .ddimReverseSample: DDIMInversion()
      }
    return try ConfigurationError.naming(Self.className) {
      try require(
        method != .ddimReverseSample || eta == 0, .option("eta", value: eta.plain, "ddim_reverse_sample takes 0 alone"))
      var recipe = try Recipe(
        rule, over: grid(sampler: method, fidelity: fidelity), reading: prediction,
        clipping: clipDenoised ?? self.clipDenoised ? .range(-1...1) : .none, learnsVariance: learnSigma)
      if method == .ddimSample, fidelity == .diffusers, eta > 0 { recipe.moves = try float32DDIM(eta: eta, in: torch) }
      return try recipe.plan()
    }
  }

  /// The loss that the network is trained with, on the process that the respacing leaves.
  ///
  /// - Parameter fidelity: `.corrected` for the exact decoder of the bound, `.diffusers` for
  ///   guided-diffusion's approximation by tanh.
  /// - Throws: `ConfigurationError` for unsupported values, and where the numbers do not exist.
  public func loss(fidelity: Fidelity = .corrected) throws(ConfigurationError) -> TrainingLoss {
    let kind: TrainingLoss.Kind = useKL ? .rescaledKL : rescaleLearnedSigmas ? .rescaledMSE : .mse
    let schedule = try process(fidelity: fidelity).schedule
    return try ConfigurationError.naming(Self.className) {
      try TrainingLoss(
        schedule, predicting: prediction, variance: variance, kind: kind,
        likelihood: DiscretizedGaussian(cdf: fidelity == .corrected ? .exact : .tanh))
    }
  }
}

extension Deviation {
  public static let guidedSingleStep = Deviation(
    "guidedSingleStep", of: ["guided-diffusion 22e0df8"],
    "A section that keeps one timestep keeps its first, the least noisy, from which a run of one step cannot begin. "
      + "Here it keeps its last.", place: "`space_timesteps`, a count of 1",
    effect: "\"1\" of 1000 timesteps keeps 0 instead of 999.")
  public static let guidedUnclippedMean = Deviation(
    "guidedUnclippedMean", of: ["guided-diffusion 22e0df8"],
    "Where the network predicts the previous sample, that is the mean of the step, whether x̂0 was clipped or not. "
      + "Here the mean is made from the clipped x̂0, as for the other predictions.",
    place: "`p_mean_variance` with `ModelMeanType.PREVIOUS_X` and `clip_denoised`",
    effect: "`clip_denoised` changes the reported x̂0 and no sample.")
  public static let guidedFloat32 = Deviation(
    "guidedFloat32", of: ["guided-diffusion 22e0df8"],
    "The float64 tables are cast to float32 before they meet a tensor of any type.", place: "`_extract_into_tensor`",
    effect: "Each coefficient is off by up to 6e-8 of itself.")
}
