// Rectified flow: its sigmas in the solvers, and diffusers' Euler method on it.

extension DiffusersConfiguration {
  /// What sigma/(1 − sigma) is multiplied by.
  ///
  /// - Throws: `ConfigurationError` where mu is missing, or the factor is not above 0 and finite.
  func flowShift(mu: Double?) throws(ConfigurationError) -> Double {
    let name = family == .flow ? "shift" : "flow_shift"
    let isExponential: Bool =
      honoured("time_shift_type") == nil ? true : try choice("time_shift_type", ["exponential": true, "linear": false])
    guard isExponential || family == .flow else {
      throw unsupported("time_shift_type", remedy: "use exponential")
    }
    let needsMu = boolean("use_dynamic_shifting") && (family == .flow || schedulerClass == .uniPC)
    guard mu != nil || !needsMu else {
      throw unsupported(
        "use_dynamic_shifting",
        remedy: "it needs mu among the step arguments, such as {\"mu\": 1.15}; DynamicShift has it for the size of a picture")
    }
    let factor = mu.map { isExponential ? Math.exp($0) : $0 } ?? number(name)!
    guard factor >= 1e-9, factor <= 1e9 else {
      throw mu == nil
        ? unsupported(name, remedy: "it must be in 1e-9 ... 1e9")
        : .argument(
          "mu", value: mu!, className: className, remedy: "it makes the shift \(factor), which must be in 1e-9 ... 1e9")
    }
    return factor
  }

  /// The sigmas of the solvers, in NumPy's arithmetic.
  func flowSigmas(steps: Int, mu: Double?) throws(ConfigurationError) -> [Double] {
    let shift = try flowShift(mu: mu)
    func shifted(_ sigma: Double) -> Double { shift * sigma / (1 + (shift - 1) * sigma) }
    let line = NumPy.linspace(1, 1 / Double(try trainingTimesteps()), steps + 1)
    guard schedulerClass == .uniPC else { return line.dropFirst().reversed().map { shifted(1 - $0) } }
    var sigmas = try stretched(line.dropLast().map(shifted))
    // So that the logarithm of the signal is finite.
    if abs(sigmas[0] - 1) < 1e-6 { sigmas[0] -= 1e-6 }
    return sigmas
  }

  /// `shift_terminal`, of which Python takes 0 for none.
  private func terminal() throws(ConfigurationError) -> Double? {
    guard let terminal = number("shift_terminal"), terminal != 0 else { return nil }
    guard terminal > 0, terminal < 1 else { throw unsupported("shift_terminal", remedy: "it must be above 0 and below 1") }
    return terminal
  }

  /// `stretch_shift_to_terminal`, if there is a terminal.
  private func stretched(_ sigmas: [Double]) throws(ConfigurationError) -> [Double] {
    guard let terminal = try terminal() else { return sigmas }
    let scale = (1 - sigmas[sigmas.count - 1]) / (1 - terminal)
    guard scale > 0 else { throw unsupported("shift_terminal", remedy: "leave it out, or make more than one step") }
    return sigmas.map { 1 - (1 - $0) / scale }
  }

  /// The level of a sample at a sigma of a solver.
  func level(sigma: Float) -> NoiseLevel {
    boolean("use_flow_sigmas") && isSolver
      ? NoiseLevel(signal: Double(max(1 - sigma, 0)), noise: Double(sigma)) : .variancePreserving(sigma: Double(sigma))
  }
}

extension DiffusersConfiguration {
  /// Whether a step draws all of its noise anew.
  var redrawsFlow: Bool { schedulerClass == .flowMatchLCM || boolean("stochastic_sampling") }

  /// Scaled up between steps, samples are no combination of those before.
  private func checkScales() throws(ConfigurationError) {
    guard case .list(let factors) = honoured("scale_factors"), !factors.isEmpty else { return }
    throw unsupported("scale_factors", remedy: "use null; a sample keeps its size")
  }

  /// What the flow-matching classes set. They shift in their constructor, and again here.
  func flowSetting(steps: Int, mu: Double?) throws(ConfigurationError) -> Setting {
    try checkScales()
    let total = Double(try trainingTimesteps())
    let shift = try flowShift(mu: mu)
    var ends: [Float] = [1, 1 / Float(total)]
    if !boolean("use_dynamic_shifting") {
      let (factor, increase) = (Float(shift), Float(shift - 1))
      ends = ends.map { factor * $0 / (1 + increase * $0) }
    }
    let isExponential = string("time_shift_type") == "exponential"
    var sigmas = NumPy.linspace(Double(ends[0]) * total, Double(ends[1]) * total, steps).map { timestep in
      let sigma = timestep / total
      guard boolean("use_dynamic_shifting"), let mu else { return shift * sigma / (1 + (shift - 1) * sigma) }
      return isExponential ? Math.exp(mu) / (Math.exp(mu) + (1 / sigma - 1)) : mu / (mu + (1 / sigma - 1))
    }
    sigmas = try stretched(sigmas)
    if let choice = try sigmaChoice() {
      sigmas = Self.sigmas(choice, count: steps, from: sigmas[0], to: sigmas[sigmas.count - 1])
    }
    var rounded = sigmas.map { Float($0) }
    guard rounded.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
      throw unsupported("shift_terminal", remedy: "leave it out; sigmas leave 0 ... 1")
    }
    if boolean("invert_sigmas") { rounded = rounded.map { 1 - $0 } }
    return Setting(timesteps: rounded.map { Double($0 * Float(total)) }, sigmas: rounded + [boolean("invert_sigmas") ? 1 : 0])
  }

  /// Euler's or Heun's method on the straight line, or all noise drawn anew, on diffusers' sigmas.
  func flowMoves(_ setting: Setting, _ arguments: StepArguments) throws(ConfigurationError) -> Moves {
    try checkStart(setting.timesteps)
    guard schedulerClass != .flowMatchHeunDiscrete else {
      let points = zip(setting.timesteps + [-1], setting.sigmas).map { timestep, sigma in
        SamplingGrid.Point(timestep: timestep, level: NoiseLevel(signal: 1 - Double(sigma), noise: Double(sigma)))
      }
      let grid = SamplingGrid(unchecked: points)
      let moves =
        arguments.churn > 0
        ? churnedFlowMoves(grid, sigmas: setting.sigmas, arguments) : FlowHeun().moves(over: grid)
      return Moves(moves: moves, start: points[0].level)
    }
    let isInverted = boolean("invert_sigmas")
    func level(_ sigma: Float) -> NoiseLevel {
      isInverted
        ? NoiseLevel(signal: Double(sigma), noise: Double(1 - sigma))
        : NoiseLevel(signal: Double(1 - sigma), noise: Double(sigma))
    }
    let moves = setting.timesteps.indices.map { i -> Move in
      let (from, to) = (setting.sigmas[i], setting.sigmas[i + 1])
      var next = LinearForm.sample + Double(to - from) * .output
      if redrawsFlow {
        // Inverted sigmas are taken for those of the other direction here.
        next = Double(1 - to) * (LinearForm.sample - Double(from) * .output) + Double(to) * .noise
      }
      let point = SamplingGrid.Point(timestep: setting.timesteps[i], level: level(from))
      return Move(at: point, to: level(to), estimate: .x0, next: next)
    }
    return Moves(moves: moves, start: moves[0].query.level)
  }

  /// The same times in Double, shifted once.
  func flowGrid(steps: Int, mu: Double?) throws(ConfigurationError) -> SamplingGrid {
    try checkScales()
    let shift = try flowShift(mu: mu)
    let total = Double(try trainingTimesteps())
    let isFlow = family == .flow
    let spacing = FlowSpacing(
      shift: .fixed(shift), last: isFlow && steps > 1 ? 1 / total : nil, terminal: try terminal(),
      respacing: isFlow ? try sigmaChoice()?.spacing : nil, timesteps: total, isReversed: boolean("invert_sigmas"))
    return try naming { try SamplingGrid(flow: spacing, steps: steps) }
  }
}
