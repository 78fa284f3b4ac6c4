import Schedulers

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
    switch schedulerClass {
    case .dpmSolverSinglestep: .linspace
    case .rePaint: .leading
    case .ddimInverse: try choice("timestep_spacing", ["leading": .leading, "trailing": .trailing])
    default: try choice("timestep_spacing", ["leading": .leading, "trailing": .trailing, "linspace": .linspace])
    }
  }

  var stepsOffset: Int { schedulerClass == .rePaint ? 0 : integer("steps_offset") }

  /// The number of steps, if diffusers can make a run of it.
  func checked(steps: Int) throws(ConfigurationError) -> Int {
    let total = try trainingTimesteps()
    // Where times are not those of a table there may be as many as one likes.
    guard ![.angular, .flow, .edm].contains(family) else {
      guard steps >= 1, steps <= Self.largestTimesteps else {
        throw .steps(steps, className: className, reason: "the number of steps must be in 1 ... \(Self.largestTimesteps)")
      }
      return steps
    }
    guard steps >= 1, steps <= total else {
      throw .steps(
        steps, className: className, reason: "the number of steps must be in 1 ... \(total), the timesteps of the schedule")
    }
    return steps
  }

  /// diffusers' timesteps and sigmas for a number of steps; KDPM2's and PNDM's without what lies between.
  func setting(steps: Int, step arguments: StepArguments) throws(ConfigurationError) -> Setting {
    let steps = try checked(steps: steps)
    switch family {
    case .angular: return try ipndmSetting(steps: steps).setting
    case .flow: return try flowSetting(steps: steps, arguments)
    case .edm: return try edmSetting(steps: steps)
    case .consistency: return try consistencySetting(steps: steps)
    case .distilled: return Setting(timesteps: try distilledTimesteps(steps: steps))
    case .discrete, .exploding, .solver: return try setting(steps: steps, tables: tables(), mu: arguments.mu)
    }
  }

  /// The same, where the tables have been made already.
  func setting(steps: Int, tables: Tables, mu: Double?) throws(ConfigurationError) -> Setting {
    let spaced = try spacedTimesteps(steps: steps, tables: tables)
    guard isSigmaBased else {
      return Setting(timesteps: schedulerClass == .ddimInverse ? spaced.reversed() : spaced)
    }
    let noisiest = try lastTimestep(tables) - 1
    return try sigmaSetting(spaced, steps: steps, table: tables.sigmas, noisiest: noisiest, mu: mu)
  }

  /// The timesteps by `timestep_spacing`, largest first unless the class runs the other way.
  private func spacedTimesteps(steps count: Int, tables: Tables) throws(ConfigurationError) -> [Double] {
    let total = tables.betas.count
    let last = try lastTimestep(tables)
    // The solvers choose one more and leave out the last.
    let chosen = isSolver ? count + 1 : count
    func ordered(_ line: [Double]) -> [Double] { Array((isInverse ? line : line.reversed()).prefix(count)) }
    switch try timestepSpacing() {
    case .linspace:
      let line = NumPy.linspace(0, Double(last - 1), chosen)
      let isRounded = !isSigmaBased || isSolver
      return ordered(line.map { isRounded ? $0.rounded(.toNearestOrEven) : hasWideTimesteps ? $0 : Double(Float($0)) })
    case .leading:
      let (ratio, offset) = (last / chosen, Double(stepsOffset))
      return ordered((0..<chosen).map { Double($0 * ratio) + offset })
    case .trailing:
      let line = NumPy.descending(from: Double(last), by: Double(total) / Double(count))
      return (isInverse ? line.reversed() : line).map { $0.rounded(.toNearestOrEven) - 1 }
    }
  }

  /// Whether fractional timesteps stay in float64 where they are spaced, and where they are those of chosen sigmas.
  private var hasWideTimesteps: Bool { schedulerClass == .dpmSolverSDE }

  /// The timestep that belongs to a chosen sigma, in the type in which the class keeps it.
  func kept(_ timestep: Double) -> Double {
    let isWide = hasWideTimesteps || schedulerClass == .kdpm2Discrete || schedulerClass == .kdpm2AncestralDiscrete
    return isWide ? timestep : Double(Float(timestep))
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

  /// The timesteps of LCM and TCD: N of those that the network was distilled at.
  func distilledTimesteps(steps: Int) throws(ConfigurationError) -> [Double] {
    let (total, original) = (try trainingTimesteps(), integer("original_inference_steps"))
    guard original >= 1, original <= total else {
      throw unsupported("original_inference_steps", remedy: "it must be in 1 ... \(total)")
    }
    guard steps <= original else {
      throw .steps(steps, className: className, reason: "there must be at most original_inference_steps of them, \(original)")
    }
    // numpy.linspace without its end, and the floor of it.
    let step = Double(original) / Double(steps)
    return (0..<steps).map { i in Double((original - Int(Double(i) * step)) * (total / original) - 1) }
  }
}

extension DiffusersConfiguration {
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
    case .deis, .saSolver: true
    case .eulerDiscrete, .dpmSolverMultistep, .dpmSolverSinglestep, .uniPC, .edmEuler, .edmDPMSolverMultistep:
      try choice("final_sigmas_type", ["zero": false, "sigma_min": true])
    case .ddim, .pndm: !boolean("set_alpha_to_one")
    case .ddimInverse: self["set_alpha_to_zero"] == .null ? !boolean("set_alpha_to_one") : !boolean("set_alpha_to_zero")
    default: false
    }
  }

  /// What the network predicts.
  func prediction() throws(ConfigurationError) -> Prediction {
    switch schedulerClass {
    case .eulerDiscrete:
      return try choice(
        "prediction_type", ["epsilon": .epsilon, "sample": .x0, "original_sample": .x0, "v_prediction": .v])
    case .eulerAncestralDiscrete, .pndm, .kdpm2Discrete, .kdpm2AncestralDiscrete, .dpmSolverSDE:
      return try choice("prediction_type", ["epsilon": .epsilon, "v_prediction": .v])
    case .ipndm: return .v
    case .rePaint: return .epsilon
    case .flowMatchEulerDiscrete, .flowMatchHeunDiscrete, .flowMatchLCM:
      return boolean("invert_sigmas") ? .reverseFlow : .flow
    case .dpmSolverMultistep, .dpmSolverMultistepInverse, .dpmSolverSinglestep, .uniPC, .deis, .saSolver:
      let prediction: Prediction = try choice(
        "prediction_type", ["epsilon": .epsilon, "sample": .x0, "v_prediction": .v, "flow_prediction": .flow])
      guard prediction != .flow || boolean("use_flow_sigmas") else {
        throw unsupported("prediction_type", remedy: "use it with use_flow_sigmas")
      }
      return prediction
    default: return try choice("prediction_type", ["epsilon": .epsilon, "sample": .x0, "v_prediction": .v])
    }
  }

  /// What is done to x̂0. UniPC thresholds x0 where that is what it interpolates, and TCD has the options for nothing.
  func clipping() throws(ConfigurationError) -> Clipping {
    guard schedulerClass != .tcd else { return .none }
    if boolean("clip_denoised") { return .range(-1...1) }
    if boolean("thresholding"), honoured("predict_x0") != false {
      return .dynamic(ratio: number("dynamic_thresholding_ratio")!, maximum: number("sample_max_value")!)
    }
    guard boolean("clip_sample") else { return .none }
    let range = number("clip_sample_range") ?? 1
    guard range >= 0, range.isFinite else { throw unsupported("clip_sample_range", remedy: "it must be 0 or more and finite") }
    return .range(-range...range)
  }
}
