import Schedulers

// The sigmas of diffusers' schedulers, in the arithmetic in which it makes them.

extension DiffusersConfiguration {
  /// How sigmas are chosen, where they are not those of the timesteps.
  enum SigmaChoice: String, CaseIterable {
    case karras = "use_karras_sigmas"
    case exponential = "use_exponential_sigmas"
    case beta = "use_beta_sigmas"
    case lu = "use_lu_lambdas"
    case flow = "use_flow_sigmas"

    /// This library's own spacing of sigmas; nil for what is none.
    var spacing: SigmaSpacing? {
      switch self {
      case .karras: .karras()
      case .exponential, .lu: .exponential
      case .beta, .flow: nil
      }
    }
  }

  /// The choice, if one is made.
  ///
  /// - Throws: `ConfigurationError` for two of them, and for what each does not go with.
  func sigmaChoice() throws(ConfigurationError) -> SigmaChoice? {
    let choices = SigmaChoice.allCases.filter { boolean($0.rawValue) }
    guard choices.count <= 1 else {
      throw unsupported(choices[1].rawValue, remedy: "choose it or \(choices[0].rawValue), not both")
    }
    if schedulerClass == .uniPC, number("shift_terminal") != nil, choices.first != .flow {
      throw unsupported("shift_terminal", remedy: "leave it out; it needs use_flow_sigmas")
    }
    if schedulerClass == .uniPC, boolean("use_dynamic_shifting"), choices.first != .flow {
      throw unsupported("use_dynamic_shifting", remedy: "leave it out; it needs use_flow_sigmas")
    }
    for name in ["sigma_min", "sigma_max"] {
      if let sigma = number(name), !(sigma > 0 && sigma.isFinite) {
        throw unsupported(name, remedy: "it must be above 0 and finite")
      }
    }
    if let least = number("sigma_min"), let most = number("sigma_max"), least > most {
      throw unsupported("sigma_min", remedy: "it must be below sigma_max, \(most)")
    }
    return choices.first
  }

  /// Whether sigmas are spaced in equal steps of ln σ from end to end, whatever the timesteps.
  func isLogLinear() throws(ConfigurationError) -> Bool {
    guard schedulerClass == .eulerDiscrete else { return false }
    return try choice("interpolation_type", ["linear": false, "log_linear": true])
  }

  func sigmaSetting(
    _ spaced: [Double], steps: Int, table: [Float], noisiest: Int, mu: Double?
  ) throws(ConfigurationError) -> Setting {
    var (timesteps, rounding) = (spaced, FloatingPointRoundingRule?.none)
    var sigmas: [Double]
    if try isLogLinear() {
      let (start, end) = (NumPy.log(table[table.count - 1]), NumPy.log(table[0]))
      sigmas = Torch.linspace(Double(start), Double(end), steps + 1).map { Double(Float(Math.exp(Double($0)))) }
    } else {
      sigmas = spaced.map { NumPy.interpolate($0, in: table) }
    }
    let choice = try sigmaChoice()
    if choice == .flow {
      sigmas = try flowSigmas(steps: steps, mu: mu)
      timesteps = sigmas.map { $0 * Double(integer("num_train_timesteps")) }
      rounding = .towardZero
    } else if let choice {
      var ends = isSolver ? (Double(table[table.count - 1]), Double(table[0])) : (sigmas[0], sigmas[sigmas.count - 1])
      if isInverse { ends = (ends.1, ends.0) }
      let logarithms = table.map(NumPy.log)
      if choice == .lu {
        let (most, least) = (Double(logarithms[logarithms.count - 1]), Double(logarithms[0]))
        sigmas = NumPy.linspace(0, 1, steps).map { Math.exp(most + $0 * (least - most)) }
      } else {
        sigmas = Self.sigmas(choice, count: steps, from: bound("sigma_max") ?? ends.0, to: bound("sigma_min") ?? ends.1)
      }
      timesteps = sigmas.map { Self.timestep(of: $0, in: logarithms) }
      rounding = self.rounding(of: choice)
    }
    // Of equal timesteps the first alone stays, but all of their sigmas; what is cut off is so afterwards.
    if isInverse {
      timesteps = Self.distinct(rounding == .towardZero ? timesteps : timesteps.map { $0.rounded(.toNearestOrEven) })
    }
    if let rounding { timesteps = timesteps.map { $0.rounded(rounding) } }
    // These end where they are already, but for a spacing of timesteps.
    let isIdle = choice != nil && [.uniPC, .deis, .saSolver, .dpmSolverMultistepInverse].contains(schedulerClass)
    let isZero = try !endsAtLeastNoise() && !isInverse
    let end = isZero ? 0 : isIdle ? Float(sigmas[sigmas.count - 1]) : table[isInverse ? noisiest : 0]
    if let i = sigmas.firstIndex(where: { !(Float($0) > 0 && Float($0).isFinite) }) {
      throw .notFinite(
        step: i, timestep: timesteps[min(i, timesteps.count - 1)], className: className,
        reason:
          "diffusers divides by the sigma, which is \(Float(sigmas[i])); use betas that leave signal at the end and noise at the start"
      )
    }
    guard choice != .flow || end < 1 else {
      throw unsupported("final_sigmas_type", remedy: "use zero; the betas give a last sigma of \(end), outside 0 ..< 1")
    }
    let setting = Setting(timesteps: timesteps.map(kept), sigmas: sigmas.map { Float($0) } + [end])
    return try isContinuous() ? setting.continuous : setting
  }

  private static func distinct(_ values: [Double]) -> [Double] {
    var seen: Set<Double> = []
    return values.filter { seen.insert($0).inserted }
  }

  /// An end of the chosen sigmas that the file gives; the Karras spacing of two classes does not look for one.
  func bound(_ name: String) -> Double? {
    let isDeaf = boolean(SigmaChoice.karras.rawValue) && [.lms, .dpmSolverSDE].contains(schedulerClass)
    return isDeaf ? nil : number(name)
  }

  /// What the class does to the fractional timesteps of chosen sigmas.
  private func rounding(of choice: SigmaChoice) -> FloatingPointRoundingRule? {
    switch schedulerClass {
    case .kdpm2Discrete, .kdpm2AncestralDiscrete: return choice == .karras ? .toNearestOrEven : nil
    case _ where !isSolver: return nil
    case .dpmSolverMultistep where string("beta_schedule") == "squaredcos_cap_v2": return .towardZero
    default: return choice == .karras || choice == .lu ? .toNearestOrEven : .towardZero
    }
  }

  /// NumPy's arithmetic for sigmas of a choice.
  static func sigmas(_ choice: SigmaChoice, count: Int, from largest: Double, to smallest: Double) -> [Double] {
    switch choice {
    case .karras:
      let (start, end) = (Math.pow(largest, 1 / 7.0), Math.pow(smallest, 1 / 7.0))
      return NumPy.linspace(0, 1, count).map { Math.pow(start + $0 * (end - start), 7) }
    case .beta:
      let shares = BetaDistribution(alpha: 0.6, beta: 0.6).spaced(count)
      return shares.map { smallest + $0.x * (largest - smallest) }
    default: return NumPy.linspace(Math.log(largest), Math.log(smallest), count).map(Math.exp)
    }
  }

  /// `_sigma_to_t`: a fractional index, linear in ln σ, held at the ends.
  static func timestep(of sigma: Double, in logarithms: [Float]) -> Double {
    guard logarithms.count > 1 else { return 0 }
    let logarithm = Math.log(max(sigma, 1e-10))
    let low = min(logarithms.lastIndex { Double($0) <= logarithm } ?? 0, logarithms.count - 2)
    let distance = Double(logarithms[low] - logarithms[low + 1])
    let weight = min(max((Double(logarithms[low]) - logarithm) / distance, 0), 1)
    return (1 - weight) * Double(low) + weight * Double(low + 1)
  }
}

extension DiffusersConfiguration.Setting {
  /// With ln(σ)/4 for timesteps.
  fileprivate var continuous: Self {
    Self(timesteps: sigmas.dropLast().map { Double(0.25 * Float(Math.log(Double($0)))) }, sigmas: sigmas)
  }
}
