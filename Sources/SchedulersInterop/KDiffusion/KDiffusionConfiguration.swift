import Schedulers

/// A run of k-diffusion, ComfyUI, A1111 or stable-diffusion.cpp: the name of a sampler, the sigmas
/// that it steps between, and the sampler's arguments under k-diffusion's names.
///
/// ```swift
/// let configuration = KDiffusionConfiguration(
///   sampler: "DPM++ 2M SDE Karras", sigmas: sigmas)
/// let plan = try configuration.plan(fidelity: .diffusers)
/// ```
///
/// Samples are x0 + σ·epsilon, and on rectified flow (1 − σ)·x0 + σ·epsilon. Timesteps are sigmas.
///
/// Source: crowsonkb/k-diffusion 0.1.1, `sampling.py`; what is on rectified flow, or not in
/// k-diffusion, as ComfyUI has it, <https://github.com/comfyanonymous/ComfyUI> at 02159d8.
public struct KDiffusionConfiguration: Hashable, Sendable {
  /// What the samples are, and what the network predicts.
  public enum Process: String, Hashable, Codable, CaseIterable, Sendable {
    /// x0 + σ·epsilon, and epsilon.
    case eps
    /// x0 + σ·epsilon, and v of the sample divided by √(σ² + 1).
    case v
    /// (1 − σ)·x0 + σ·epsilon, and epsilon − x0.
    case flow
  }

  /// What is recorded as the model's output.
  public enum Output: String, Hashable, Codable, CaseIterable, Sendable {
    /// The sample without its noise, x̂0.
    case denoised
    /// What the network predicts.
    case model
  }

  /// A name of any of the four programs.
  public var sampler: String
  /// The sigmas of the run, largest first. A run of N steps has N + 1.
  public var sigmas: [Double]
  public var process: Process
  public var output: Output
  /// `eta`: the share of fresh noise; the sampler's own default if nil.
  public var eta: Double?
  /// `s_noise`: what the noise is multiplied by.
  public var noiseFactor = 1.0
  /// `s_churn`: how much noise is added before the steps in all.
  public var churn = 0.0
  /// `s_tmin`: the least sigma at which it is added.
  public var churnMinimum = 0.0
  /// `s_tmax`: the largest sigma at which it is added.
  public var churnMaximum = Double.infinity
  /// `order` of `lms`, or `max_order` of `ipndm`; 4 if nil.
  public var order: Int?
  /// `r` of `dpmpp_sde`: where in a step the network is asked the second time.
  public var middle = 0.5
  /// `solver_type` of `dpmpp_2m_sde`, midpoint or heun; as the sampler's name says if nil.
  public var solverType: String?

  /// The keys of the file that have no effect.
  public internal(set) var ignoredKeys: [String] = []

  /// A run with the sampler's defaults.
  public init(sampler: String, sigmas: [Double], process: Process = .eps, output: Output = .denoised) {
    (self.sampler, self.sigmas, self.process, self.output) = (sampler, sigmas, process, output)
  }

  /// The class that stands for these runs in files that name one.
  public static let className = "KDiffusion"
}

extension KDiffusionConfiguration {
  /// The number of steps.
  public var steps: Int { max(sigmas.count - 1, 0) }

  /// The plan of a run.
  ///
  /// - Parameter fidelity: `.diffusers` for what the programs do, `.corrected` for the mathematics.
  /// - Throws: `ConfigurationError` for unsupported values, and where the numbers do not exist.
  public func plan(fidelity: Fidelity = .corrected) throws(ConfigurationError) -> SamplingPlan {
    try plan(fidelity: fidelity, in: TorchArithmetic())
  }

  /// The same, where what a step draws is recorded in a given way.
  package func plan(fidelity: Fidelity, in torch: TorchArithmetic) throws(ConfigurationError) -> SamplingPlan {
    try ConfigurationError.naming(Self.className) {
      try checkSigmas()
      try checkArguments()
      return try recipe(fidelity: fidelity, drawsWholeSteps: torch.drawsWholeSteps).plan()
    }
  }

  /// Whether a recorded step holds noise that a plan takes in part from the step to its middle.
  package var mixesNoise: Bool { (try? method()) == .dpmppSDE && eta != 0 }

  /// Where the run departs from the mathematics.
  public var deviations: [Deviation] {
    guard let method = try? method(), method == .dpmpp3mSDE else { return [] }
    // The third step is the first of order 3, and one to clean data is of order 1.
    let steps = sigmas.last == 0 ? steps - 1 : steps
    return steps > 2 ? [.halvedCurvature] : []
  }

  private func checkSigmas() throws {
    func refused(_ place: String, _ value: String, _ remedy: String) -> Refusal {
      .option(place, value: value, remedy)
    }
    guard sigmas.count > 1 else {
      throw refused(
        "sigmas", "[\(sigmas.map(\.plain).joined(separator: ", "))]",
        "give those that the run steps between, two or more, the largest first")
    }
    for (i, sigma) in sigmas.enumerated() {
      let place = "sigmas[\(i)]"
      guard sigma >= 0, sigma.isFinite else { throw refused(place, sigma.plain, "it must be finite, and 0 or more") }
      if process == .flow, sigma > 1 {
        throw refused(place, sigma.plain, "on rectified flow it must be in 0 ... 1; is the process eps or v?")
      }
      if i > 0, sigma >= sigmas[i - 1] {
        throw refused(
          place, sigma.plain, "it must be below sigmas[\(i - 1)], \(sigmas[i - 1].plain); give the largest first")
      }
    }
  }

  private func checkArguments() throws {
    func check(_ name: String, _ value: Double, _ isAllowed: Bool, _ remedy: String) throws {
      try require(isAllowed, .option(name, value: value.plain, remedy))
    }
    if let eta { try check("eta", eta, (0...1).contains(eta), "it must be in 0 ... 1") }
    let factor = noiseFactor
    try check("s_noise", factor, factor >= 0 && factor.isFinite, "it must be 0 or more and finite")
    try check("s_churn", churn, churn >= 0 && churn.isFinite, "it must be 0 or more and finite")
    try check("s_tmin", churnMinimum, !churnMinimum.isNaN, "give a sigma")
    try check("s_tmax", churnMaximum, !churnMaximum.isNaN, "give a sigma")
    try check("r", middle, middle > 0 && middle < 1, "it must be above 0 and below 1")
    if let order { try require((1...4).contains(order), .option("order", value: "\(order)", "use 1, 2, 3 or 4")) }
    try require(
      solverType.map { ["midpoint", "heun"].contains($0) } ?? true,
      .option("solver_type", value: DiffusersConfiguration.Value.string(solverType ?? "").json, "use midpoint or heun"))
  }
}
