import Schedulers

// Rectified flow: its sigmas in the solvers, and diffusers' Euler method on it.

extension DiffusersConfiguration {
  /// What sigma/(1 − sigma) is multiplied by.
  ///
  /// - Throws: `ConfigurationError` where mu is missing, or the factor is not above 0 and finite.
  func flowShift(mu: Double?) throws(ConfigurationError) -> Double {
    let name = family == .flow ? "shift" : "flow_shift"
    let isExponential: Bool =
      honoured("time_shift_type") == nil ? true : try choice("time_shift_type", ["exponential": true, "linear": false])
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
    guard schedulerClass == .uniPC || mu == nil || honoured("time_shift_type") != "linear" else {
      throw unsupported("time_shift_type", remedy: "use exponential; diffusers' class takes mu for an exponent alone")
    }
    let shift = try flowShift(mu: mu)
    func shifted(_ sigma: Double) -> Double { shift * sigma / (1 + (shift - 1) * sigma) }
    let line = NumPy.linspace(1, 1 / Double(try trainingTimesteps()), steps + 1)
    guard schedulerClass == .uniPC else { return line.dropFirst().reversed().map { shifted(1 - $0) } }
    let times = Array(line.dropLast())
    var sigmas = try stretched(boolean("use_dynamic_shifting") ? self.shifted(times, by: shift) : times.map(shifted))
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
  private func stretched<Scalar: BinaryFloatingPoint>(_ sigmas: [Scalar]) throws(ConfigurationError) -> [Scalar] {
    guard let terminal = try terminal() else { return sigmas }
    let scale = (1 - sigmas[sigmas.count - 1]) / Scalar(1 - terminal)
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

  /// The sigmas given to `set_timesteps`, if the class takes them.
  private func givenSigmas(steps: Int, _ arguments: StepArguments) throws(ConfigurationError) -> [Double]? {
    try checkTaker(arguments)
    guard let sigmas = arguments.sigmas else { return nil }
    func refused(_ name: String, _ value: Double, _ remedy: String) -> ConfigurationError {
      .argument(name, value: value, className: className, remedy: remedy)
    }
    guard sigmas.count == steps else {
      throw refused("the number of sigmas", Double(sigmas.count), "it must be the number of steps, \(steps)")
    }
    for (i, sigma) in sigmas.enumerated() {
      guard Float(sigma) > 0, sigma <= 1 else { throw refused("sigmas[\(i)]", sigma, "it must be above 0 and at most 1") }
      guard i == 0 || sigma < sigmas[i - 1] else {
        throw refused("sigmas[\(i)]", sigma, "it must be below the one before it, \(sigmas[i - 1].plain)")
      }
    }
    return sigmas
  }

  /// Refuses sigmas for a class that is not given its times.
  func checkTaker(_ arguments: StepArguments) throws(ConfigurationError) {
    guard let count = arguments.sigmas?.count, ![.flowMatchEulerDiscrete, .flowMatchLCM].contains(schedulerClass) else {
      return
    }
    throw .argument(
      "the number of sigmas", value: Double(count), className: className,
      remedy: "leave them out; only FlowMatchEulerDiscreteScheduler and FlowMatchLCMScheduler are given them")
  }

  /// Sigmas shifted as `set_timesteps` does it, in the arithmetic that they are in.
  private func shifted<Scalar: BinaryFloatingPoint>(_ sigmas: [Scalar], by shift: Double) -> [Scalar] {
    let (factor, increase) = (Scalar(shift), Scalar(shift - 1))
    guard boolean("use_dynamic_shifting") else { return sigmas.map { factor * $0 / (1 + increase * $0) } }
    return sigmas.map { factor / (factor + (1 / $0 - 1)) }
  }

  /// What the flow-matching classes set. They shift in their constructor, and again here, but given sigmas only here and in float32.
  func flowSetting(steps: Int, _ arguments: StepArguments) throws(ConfigurationError) -> Setting {
    try checkScales()
    let total = Double(try trainingTimesteps())
    let shift = try flowShift(mu: arguments.mu)
    var sigmas: [Double]
    if let given = try givenSigmas(steps: steps, arguments) {
      let singles = shifted(given.map { Float($0) }, by: shift)
      if let i = singles.firstIndex(of: 0) {
        throw .argument(
          "sigmas[\(i)]", value: given[i], className: className, remedy: "raise it; once shifted it is 0 in float32")
      }
      sigmas = try stretched(singles).map { Double($0) }
    } else {
      var ends: [Float] = [1, 1 / Float(total)]
      if !boolean("use_dynamic_shifting") { ends = shifted(ends, by: shift) }
      let timesteps = NumPy.linspace(Double(ends[0]) * total, Double(ends[1]) * total, steps)
      sigmas = try stretched(shifted(timesteps.map { $0 / total }, by: shift))
    }
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
    guard schedulerClass != .flowMatchHeunDiscrete else {
      let points = zip(setting.timesteps + [-1], setting.sigmas).map { timestep, sigma in
        SamplingGrid.Point(timestep: timestep, level: NoiseLevel(signal: 1 - Double(sigma), noise: Double(sigma)))
      }
      let moves = flowHeunMoves(SamplingGrid(unchecked: points), sigmas: setting.sigmas, arguments)
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
  func flowGrid(steps: Int, _ arguments: StepArguments) throws(ConfigurationError) -> SamplingGrid {
    try checkScales()
    let given = try givenSigmas(steps: steps, arguments)
    let shift = try flowShift(mu: arguments.mu)
    let total = Double(try trainingTimesteps())
    let isFlow = family == .flow
    let choice = isFlow ? try sigmaChoice() : nil
    let spacing = FlowSpacing(
      times: choice == .beta ? .beta() : .equal, shift: .fixed(shift), last: isFlow && steps > 1 ? 1 / total : nil,
      terminal: try terminal(), respacing: choice?.spacing, timesteps: total, isReversed: boolean("invert_sigmas"))
    return try naming {
      try given.map { try SamplingGrid(flow: spacing, times: $0) } ?? SamplingGrid(flow: spacing, steps: steps)
    }
  }
}
