import Schedulers

extension DiffusersConfiguration {
  /// The tables that diffusers makes in its constructor.
  public struct Tables: Hashable, Sendable {
    /// `betas`.
    public let betas: [Float]
    /// `alphas_cumprod`.
    public let alphaBars: [Float]

    /// ((1 − ᾱ)/ᾱ)^½, the sigmas of the training timesteps.
    public var sigmas: [Float] { alphaBars.map { Torch.squareRoot((1 - $0) / $0, isOnAMD: isOnAMD) } }

    /// Whether the sigmas are made with the square root of AMD's processors.
    let isOnAMD: Bool
  }

  /// T may be at most this, so that a file cannot ask for more time and memory than there is.
  static let largestTimesteps = 10_000

  /// How many timesteps the network was trained on.
  func trainingTimesteps() throws(ConfigurationError) -> Int {
    let count = integer("num_train_timesteps")
    guard count >= 1, count <= Self.largestTimesteps else {
      throw unsupported("num_train_timesteps", remedy: "it must be in 1 ... \(Self.largestTimesteps)")
    }
    return count
  }

  /// diffusers' float32 tables: bit for bit those that it makes with torch 2.13 on AVX2, where torch's square root, which the rescaled
  /// ones go through, rounds correctly.
  ///
  /// - Throws: `ConfigurationError` for a schedule that the class does not have, or whose ᾱ leave [0, 1].
  public func tables() throws(ConfigurationError) -> Tables {
    guard family.hasTable else { throw .continuous(className: className) }
    var betas = try float32Betas()
    for (t, beta) in betas.enumerated() where !(beta >= 0 && beta <= 1) {
      throw named(ScheduleError.beta(Double(beta), timestep: t))
    }
    let isRescaled = boolean("rescale_betas_zero_snr")
    if isRescaled { betas = rescaled(betas) }
    var alphaBars = Torch.cumulativeProduct(betas.map { 1 - $0 })
    if isRescaled, isSigmaBased { alphaBars[alphaBars.count - 1] = 0x1p-24 }
    // Rescaled, a table may have 0/0 where nothing is left before its end; a run may pass that by.
    for (t, value) in alphaBars.enumerated() where !(value >= 0 && value <= 1) && !(isRescaled && value.isNaN) {
      throw named(ScheduleError.alphaBar(Double(value), timestep: t, previous: t > 0 ? Double(alphaBars[t - 1]) : 1))
    }
    return Tables(betas: betas, alphaBars: alphaBars, isOnAMD: processor == .amd)
  }

  /// torch's square root of a float32.
  func root(_ x: Float) -> Float { Torch.squareRoot(x, isOnAMD: processor == .amd) }

  private func float32Betas() throws(ConfigurationError) -> [Float] {
    let count = try trainingTimesteps()
    if let betas = try trainedBetas(count: count) { return betas.map { Float($0) } }
    let (start, end) = (number("beta_start")!, number("beta_end")!)
    switch try betaFormula() {
    case .linear: return Torch.linspace(start, end, count)
    case .scaledLinear:
      return Torch.linspace(Math.pow(start, 0.5), Math.pow(end, 0.5), count).map { $0 * $0 }
    case .sigmoid:
      let (range, start) = (Float(end - start), Float(start))
      return Torch.sigmoid(Torch.linspace(-6, 6, count)).map { $0 * range + start }
    case .alphaBar(let formula): return formula.betas(timesteps: count).map { Float($0) }
    }
  }

  /// `rescale_zero_terminal_snr` in float32.
  private func rescaled(_ betas: [Float]) -> [Float] {
    let roots = Torch.cumulativeProduct(betas.map { 1 - $0 }).map(root)
    let (first, last) = (roots[0], roots[roots.count - 1])
    let scale = first / (first - last)
    let alphaBars = roots.map { root -> Float in
      let value = (root - last) * scale
      return value * value
    }
    return alphaBars.indices.map { 1 - ($0 == 0 ? alphaBars[0] : alphaBars[$0] / alphaBars[$0 - 1]) }
  }
}

extension DiffusersConfiguration {
  /// What `beta_schedule` names.
  enum BetaFormula {
    case linear, scaledLinear, sigmoid
    case alphaBar(AlphaBarFormula)
  }

  /// `betas_for_alpha_bar`: β = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), 0.999) in Double, as Python computes it.
  enum AlphaBarFormula {
    case cosine, exponential, laplace

    func betas(timesteps count: Int) -> [Double] {
      (0..<count).map { i in
        min(1 - value(at: Double(i + 1) / Double(count)) / value(at: Double(i) / Double(count)), 0.999)
      }
    }

    private func value(at time: Double) -> Double {
      switch self {
      case .cosine:
        let cosine = Math.cos((time + 0.008) / 1.008 * Double.pi / 2)
        return cosine * cosine
      case .exponential: return Math.exp(time * -12)
      case .laplace:
        let distance = 0.5 - time
        let sign = distance < 0 ? -1.0 : 1.0
        let snr = Math.exp(-0.5 * sign * Math.log(1 - 2 * abs(distance) + 1e-6))
        return (snr / (1 + snr)).squareRoot()
      }
    }
  }

  func betaFormula() throws(ConfigurationError) -> BetaFormula {
    switch schedulerClass {
    case .ddpm:
      try choice(
        "beta_schedule",
        [
          "linear": .linear, "scaled_linear": .scaledLinear, "squaredcos_cap_v2": .alphaBar(.cosine), "sigmoid": .sigmoid,
          "laplace": .alphaBar(.laplace),
        ])
    case .rePaint:
      try choice(
        "beta_schedule",
        ["linear": .linear, "scaled_linear": .scaledLinear, "squaredcos_cap_v2": .alphaBar(.cosine), "sigmoid": .sigmoid])
    case .heunDiscrete:
      try choice(
        "beta_schedule",
        [
          "linear": .linear, "scaled_linear": .scaledLinear, "squaredcos_cap_v2": .alphaBar(.cosine),
          "exp": .alphaBar(.exponential),
        ])
    default:
      try choice(
        "beta_schedule",
        ["linear": .linear, "scaled_linear": .scaledLinear, "squaredcos_cap_v2": .alphaBar(.cosine)])
    }
  }

  func trainedBetas(count: Int) throws(ConfigurationError) -> [Double]? {
    guard case .list(let values) = self["trained_betas"], let betas = Option.numbers(values) else { return nil }
    guard betas.count == count else {
      throw .option(
        "trained_betas", value: "of \(betas.count) numbers", className: className,
        remedy: "give as many as num_train_timesteps, \(count)")
    }
    return betas
  }
}
