import Schedulers

extension DiffusersConfiguration {
  /// What diffusers' classes have in common, by how they set their timesteps.
  enum Family {
    /// Timesteps of a table of ᾱ.
    case discrete
    /// Sigmas, and samples x0 + σ·epsilon.
    case exploding
    /// Sigmas, and variance-preserving samples; one timestep more is chosen than is used. These solve in lambda.
    case solver
    /// The timesteps that a network was distilled at.
    case distilled
    /// Times between 0 and 1: that of iPNDM, and those of rectified flow.
    case angular, flow
    /// Sigmas that the file itself gives.
    case edm
    /// Sigmas that a consistency model was distilled at.
    case consistency

    /// Whether there is a table of betas.
    var hasTable: Bool {
      switch self {
      case .discrete, .exploding, .solver, .distilled: true
      case .angular, .flow, .edm, .consistency: false
      }
    }
  }

  var family: Family {
    switch schedulerClass {
    case .ddpm, .ddim, .ddimInverse, .pndm, .rePaint: .discrete
    case .eulerDiscrete, .eulerAncestralDiscrete, .heunDiscrete, .lms, .kdpm2Discrete, .kdpm2AncestralDiscrete,
      .dpmSolverSDE:
      .exploding
    case .dpmSolverMultistep, .dpmSolverMultistepInverse, .uniPC, .deis, .dpmSolverSinglestep, .saSolver: .solver
    case .lcm, .tcd: .distilled
    case .ipndm: .angular
    case .flowMatchEulerDiscrete, .flowMatchHeunDiscrete, .flowMatchLCM: .flow
    case .edmEuler, .edmDPMSolverMultistep: .edm
    case .consistency: .consistency
    }
  }

  /// Whether diffusers' class works with the sigmas of a table. These put 2⁻²⁴ where ᾱ would be 0.
  var isSigmaBased: Bool { family == .exploding || family == .solver }

  var isSolver: Bool { family == .solver }

  /// Whether it solves from data to noise.
  var isInverse: Bool { schedulerClass == .dpmSolverMultistepInverse }
}
