import Schedulers

/// How a configuration of another library is read.
public enum Fidelity: String, Hashable, Codable, CaseIterable, Sendable {
  /// The mathematics of the papers, in Double.
  case corrected
  /// What diffusers 0.42.1 does: its float32 tables bit for bit, its timesteps, its choice of the previous timestep. `Deviation` lists
  /// the differences.
  case diffusers
}

/// The extra arguments of a scheduler's `step`, and mu, sigmas and jumps of its `set_timesteps`, with diffusers' defaults and names.
public struct StepArguments: Hashable, Sendable {
  /// DDIM and TCD: how much fresh noise is drawn; `nil` for 0 and 0.3.
  public var eta: Double?
  /// DDIM: whether epsilon is made again from the clipped x̂0.
  public var usesClippedModelOutput: Bool
  /// Euler, EDM's too, and flow matching by Heun: how much noise is added before a step (Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 2).
  public var churn: Double
  /// The smallest sigma at which that noise is added; of flow matching, its noise, 0 to 1.
  public var churnMinimum: Double
  /// The largest sigma at which that noise is added.
  public var churnMaximum: Double
  /// The deviation of that noise; DPM++ SDE: the factor of all of its noise.
  public var churnNoise: Double
  /// LMS: how many evaluations a step looks at, 1 to 4.
  public var order: Int
  /// mu, from which a dynamic shift of rectified flow follows. The times are those of `set_timesteps(steps, mu=mu)`, unless
  /// `sigmas` are given.
  public var mu: Double?
  /// FlowMatchEulerDiscreteScheduler and FlowMatchLCMScheduler: the times before the shift, of `set_timesteps`; `nil` for the scheduler's own.
  ///
  /// As many as steps, above 0 and at most 1, each below the one before it. Flux's pipeline gives N from 1 to 1/N in equal steps.
  public var sigmas: [Double]?
  /// RePaint: how many steps a jump goes back, of `set_timesteps`.
  public var jumpLength: Int
  /// RePaint: how often a stretch of so many steps is made, of `set_timesteps`.
  public var resamplings: Int

  /// Arguments; those not given have diffusers' defaults.
  public init(
    eta: Double? = nil, usesClippedModelOutput: Bool = false, churn: Double = 0, churnMinimum: Double = 0,
    churnMaximum: Double = .infinity, churnNoise: Double = 1, order: Int = 4, mu: Double? = nil, sigmas: [Double]? = nil,
    jumpLength: Int = 10, resamplings: Int = 10
  ) {
    self.eta = eta
    self.usesClippedModelOutput = usesClippedModelOutput
    self.churn = churn
    self.churnMinimum = churnMinimum
    self.churnMaximum = churnMaximum
    self.churnNoise = churnNoise
    self.order = order
    self.mu = mu
    self.sigmas = sigmas
    self.jumpLength = jumpLength
    self.resamplings = resamplings
  }
}

extension StepArguments: Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case eta
    case usesClippedModelOutput = "use_clipped_model_output"
    case churn = "s_churn"
    case churnMinimum = "s_tmin"
    case churnMaximum = "s_tmax"
    case churnNoise = "s_noise"
    case order, mu, sigmas
    case jumpLength = "jump_length"
    case resamplings = "jump_n_sample"
  }

  /// Reads arguments under their names in Python; those that are missing have their defaults.
  ///
  /// - Throws: `DecodingError` for a name that is none of them, or a value of the wrong type.
  public init(from decoder: any Decoder) throws {
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys where CodingKeys(stringValue: key.stringValue) == nil {
      let known = CodingKeys.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath + [key],
          debugDescription: "the step argument \(key.stringValue) is not supported; supported are \(known)"))
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    eta = try container.decodeIfPresent(Double.self, forKey: .eta)
    mu = try container.decodeIfPresent(Double.self, forKey: .mu)
    sigmas = try container.decodeIfPresent([Double].self, forKey: .sigmas)
    usesClippedModelOutput =
      try container.decodeIfPresent(Bool.self, forKey: .usesClippedModelOutput) ?? usesClippedModelOutput
    churn = try container.decodeIfPresent(Double.self, forKey: .churn) ?? churn
    churnMinimum = try container.decodeIfPresent(Double.self, forKey: .churnMinimum) ?? churnMinimum
    churnMaximum = try container.decodeIfPresent(Double.self, forKey: .churnMaximum) ?? churnMaximum
    churnNoise = try container.decodeIfPresent(Double.self, forKey: .churnNoise) ?? churnNoise
    order = try container.decodeIfPresent(Int.self, forKey: .order) ?? order
    jumpLength = try container.decodeIfPresent(Int.self, forKey: .jumpLength) ?? jumpLength
    resamplings = try container.decodeIfPresent(Int.self, forKey: .resamplings) ?? resamplings
  }
}
