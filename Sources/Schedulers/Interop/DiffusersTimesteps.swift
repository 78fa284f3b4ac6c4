extension DiffusersConfiguration {
  /// What diffusers' `set_timesteps` makes, before Heun's repeats.
  struct Setting: Hashable {
    /// The timesteps in the order of the run.
    var timesteps: [Double]
    /// For the classes that work with sigmas, that of each timestep and of the end; two more than there are timesteps where
    /// diffusers makes one too many.
    var sigmas: [Float] = []
  }

  enum Spacing {
    case leading, trailing, linspace
  }

  func timestepSpacing() throws(ConfigurationError) -> Spacing {
    if schedulerClass == .ddimInverse { return try choice("timestep_spacing", ["leading": .leading, "trailing": .trailing]) }
    return try choice("timestep_spacing", ["leading": .leading, "trailing": .trailing, "linspace": .linspace])
  }

  /// The number of steps, if diffusers can make a run of it.
  func checked(steps: Int) throws(ConfigurationError) -> Int {
    let total = try trainingTimesteps()
    guard steps >= 1, steps <= total else {
      throw .steps(
        steps, className: className, reason: "the number of steps must be in 1 ... \(total), the timesteps of the schedule")
    }
    return steps
  }

  /// diffusers' timesteps and sigmas for a number of steps.
  func setting(steps: Int) throws(ConfigurationError) -> Setting {
    let steps = try checked(steps: steps)
    return schedulerClass == .ipndm ? try ipndmSetting(steps: steps).setting : try setting(steps: steps, tables: tables())
  }

  /// The same, where the tables have been made already.
  func setting(steps: Int, tables: Tables) throws(ConfigurationError) -> Setting {
    let spaced = try spacedTimesteps(steps: steps, tables: tables)
    guard isSigmaBased else {
      return Setting(timesteps: schedulerClass == .ddimInverse ? spaced.reversed() : spaced)
    }
    return try sigmaSetting(spaced, steps: steps, table: tables.sigmas)
  }

  /// The timesteps by `timestep_spacing`, largest first.
  private func spacedTimesteps(steps count: Int, tables: Tables) throws(ConfigurationError) -> [Double] {
    let total = tables.betas.count
    let offset = Double(integer("steps_offset"))
    let last = try lastTimestep(tables)
    // The solvers choose one more and leave out the least noisy.
    let chosen = isSolver ? count + 1 : count
    switch try timestepSpacing() {
    case .linspace:
      let line = NumPy.linspace(0, Double(last - 1), chosen)
      let isRounded = !isSigmaBased || isSolver
      let timesteps = line.map { isRounded ? $0.rounded(.toNearestOrEven) : Double(Float($0)) }
      return Array(timesteps.reversed().prefix(count))
    case .leading:
      let ratio = last / chosen
      return (0..<chosen).reversed().prefix(count).map { Double($0 * ratio) + offset }
    case .trailing:
      return NumPy.descending(from: Double(last), by: Double(total) / Double(count)).map { $0.rounded(.toNearestOrEven) - 1 }
    }
  }

  /// The number of timesteps whose lambda is not below `lambda_min_clipped`.
  private func lastTimestep(_ tables: Tables) throws(ConfigurationError) -> Int {
    guard let least = number("lambda_min_clipped").map({ Float($0) }) else { return tables.alphaBars.count }
    let lambdas = tables.alphaBars.map { bar -> Float in
      func log(_ x: Float) -> Float { Float(Math.log(Double(root(x)))) }
      return log(bar) - log(1 - bar)
    }
    let last = tables.alphaBars.count - lambdas.count { $0 < least }
    guard last > 0 else { throw unsupported("lambda_min_clipped", remedy: "lower it; every timestep is below it") }
    return last
  }

  private func sigmaSetting(_ spaced: [Double], steps: Int, table: [Float]) throws(ConfigurationError) -> Setting {
    var timesteps = spaced
    var sigmas: [Double]
    if try isLogLinear() {
      let (start, end) = (NumPy.log(table[table.count - 1]), NumPy.log(table[0]))
      sigmas = Torch.linspace(Double(start), Double(end), steps + 1).map { Double(Float(Math.exp(Double($0)))) }
    } else {
      sigmas = spaced.map { NumPy.interpolate($0, in: table) }
    }
    let spacing = try sigmaSpacing()
    if let spacing {
      let ends = isSolver ? (Double(table[table.count - 1]), Double(table[0])) : (sigmas[0], sigmas[sigmas.count - 1])
      sigmas = Self.sigmas(spacing, count: steps, from: number("sigma_max") ?? ends.0, to: number("sigma_min") ?? ends.1)
      let logarithms = table.map(NumPy.log)
      timesteps = sigmas.map { Self.timestep(of: $0, in: logarithms) }
      if isSolver {
        let isCosine = schedulerClass == .dpmSolverMultistep && string("beta_schedule") == "squaredcos_cap_v2"
        let isRounded = spacing != .exponential && !isCosine
        timesteps = timesteps.map { $0.rounded(isRounded ? .toNearestOrEven : .towardZero) }
      }
    }
    // UniPC and DEIS end where they are already, but for a spacing of timesteps.
    let least =
      spacing == nil || schedulerClass != .uniPC && schedulerClass != .deis ? table[0] : sigmas.last.map { Float($0) } ?? 0
    let end = try endsAtLeastNoise() ? least : 0
    if let i = sigmas.firstIndex(where: { !(Float($0) > 0 && Float($0).isFinite) }) {
      throw .notFinite(
        step: i, timestep: timesteps[min(i, timesteps.count - 1)], className: className,
        reason:
          "diffusers divides by the sigma, which is \(Float(sigmas[i])); use betas that leave signal at the end and noise at the start"
      )
    }
    let setting = Setting(timesteps: timesteps.map { Double(Float($0)) }, sigmas: sigmas.map { Float($0) } + [end])
    return try isContinuous() ? setting.continuous : setting
  }

  /// NumPy's arithmetic for sigmas in a spacing.
  private static func sigmas(_ spacing: SigmaSpacing, count: Int, from largest: Double, to smallest: Double) -> [Double] {
    guard case .karras(let rho) = spacing else {
      return NumPy.linspace(Math.log(largest), Math.log(smallest), count).map(Math.exp)
    }
    let (start, end) = (Math.pow(largest, 1 / rho), Math.pow(smallest, 1 / rho))
    return NumPy.linspace(0, 1, count).map { Math.pow(start + $0 * (end - start), rho) }
  }

  /// `_sigma_to_t`: a fractional index, linear in ln σ, held at the ends.
  private static func timestep(of sigma: Double, in logarithms: [Float]) -> Double {
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

extension DiffusersConfiguration {
  /// The spacing of sigmas that is asked for instead of one of timesteps.
  func sigmaSpacing() throws(ConfigurationError) -> SigmaSpacing? {
    let spacings = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"].filter(boolean)
    guard spacings.count <= 1 else { throw unsupported(spacings[1], remedy: "choose it or \(spacings[0]), not both") }
    for name in ["use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas"] where boolean(name) {
      throw unsupported(name, remedy: "use timestep_spacing, use_karras_sigmas or use_exponential_sigmas")
    }
    if schedulerClass == .uniPC {
      guard !boolean("use_dynamic_shifting") else {
        throw unsupported("use_dynamic_shifting", remedy: "it needs mu, which the file does not have")
      }
      guard number("shift_terminal") == nil else {
        throw unsupported("shift_terminal", remedy: "leave it out; it needs use_flow_sigmas")
      }
    }
    guard !spacings.isEmpty else { return nil }
    for name in ["sigma_min", "sigma_max"] {
      if let sigma = number(name), !(sigma > 0 && sigma.isFinite) {
        throw unsupported(name, remedy: "it must be above 0 and finite")
      }
    }
    if let least = number("sigma_min"), let most = number("sigma_max"), least > most {
      throw unsupported("sigma_min", remedy: "it must be below sigma_max, \(most)")
    }
    return boolean("use_karras_sigmas") ? .karras() : .exponential
  }

  /// Whether sigmas are spaced in equal steps of ln σ from end to end, whatever the timesteps.
  func isLogLinear() throws(ConfigurationError) -> Bool {
    guard schedulerClass == .eulerDiscrete else { return false }
    return try choice("interpolation_type", ["linear": false, "log_linear": true])
  }

  /// Whether the network is told ln(σ)/4.
  func isContinuous() throws(ConfigurationError) -> Bool {
    guard schedulerClass == .eulerDiscrete else { return false }
    let isContinuous = try choice("timestep_type", ["discrete": false, "continuous": true])
    let prediction = try prediction()
    return isContinuous && prediction == .v
  }

  /// Whether the run ends at timestep 0 instead of clean data.
  func endsAtLeastNoise() throws(ConfigurationError) -> Bool {
    switch schedulerClass {
    case .deis: true
    case .eulerDiscrete, .dpmSolverMultistep, .uniPC: try choice("final_sigmas_type", ["zero": false, "sigma_min": true])
    case .ddim: !boolean("set_alpha_to_one")
    case .ddimInverse: self["set_alpha_to_zero"] == .null ? !boolean("set_alpha_to_one") : !boolean("set_alpha_to_zero")
    default: false
    }
  }

  /// What the network predicts.
  func prediction() throws(ConfigurationError) -> Prediction {
    switch schedulerClass {
    case .eulerDiscrete:
      try choice(
        "prediction_type", ["epsilon": .epsilon, "sample": .x0, "original_sample": .x0, "v_prediction": .v])
    case .eulerAncestralDiscrete: try choice("prediction_type", ["epsilon": .epsilon, "v_prediction": .v])
    case .ipndm: .v
    default: try choice("prediction_type", ["epsilon": .epsilon, "sample": .x0, "v_prediction": .v])
    }
  }

  /// What is done to x̂0.
  func clipping() throws(ConfigurationError) -> Clipping {
    // UniPC thresholds x0 where that is what it interpolates.
    if boolean("thresholding"), self["predict_x0"] != false {
      return .dynamic(ratio: number("dynamic_thresholding_ratio")!, maximum: number("sample_max_value")!)
    }
    guard boolean("clip_sample"), let range = number("clip_sample_range") else { return .none }
    guard range >= 0, range.isFinite else { throw unsupported("clip_sample_range", remedy: "it must be 0 or more and finite") }
    return .range(-range...range)
  }
}
