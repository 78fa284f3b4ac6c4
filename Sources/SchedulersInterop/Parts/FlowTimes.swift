import Schedulers

/// The shift of rectified flow: what sigma/(1 − sigma) is multiplied by, fixed or by mu.
struct FlowShifting {
  let shift: Given<Double>
  let isDynamic: Given<Bool>?
  /// Whether mu is an exponent.
  let isExponential: NamedChoice<Bool>?
  let terminal: Given<Double?>?
  /// Whether a dynamic shift cannot do without mu.
  var needsMu = true

  /// - Parameters:
  ///   - name: the option of the fixed shift.
  ///   - standard: its default.
  ///   - isDynamic: whether the class has a dynamic one.
  ///   - hasTerminal: whether the last time can be given.
  init(
    _ o: inout OptionReader, _ name: String, _ standard: Double = 1, isDynamic: Bool = true, hasTerminal: Bool = false
  ) {
    shift = o.number(name, standard)
    self.isDynamic = isDynamic ? o.boolean("use_dynamic_shifting", false) : nil
    isExponential =
      isDynamic ? o.choice("time_shift_type", "exponential", ["exponential": true, "linear": false]) : nil
    terminal = hasTerminal ? o.number("shift_terminal", orNull: nil) : nil
  }

  var isDynamicOn: Bool { isDynamic?.value == true }

  /// The factor, if there is mu where it is needed, and the factor is above 0 and finite.
  func factor(mu: Double?) throws -> Double {
    let (isExponential, mu) = (try isExponential?.get() ?? true, isDynamicOn ? mu : nil)
    try require(
      mu != nil || !(isDynamicOn && needsMu),
      isDynamic!.refused(
        "it needs mu among the step arguments, such as {\"mu\": 1.15}; DynamicShift has it for the size of a picture"))
    let factor = mu.map { isExponential ? Math.exp($0) : $0 } ?? shift.value
    let range = "must be in 1e-9 ... 1e9"
    try require(
      factor >= 1e-9 && factor <= 1e9,
      mu.map { .argument("mu", $0, "it makes the shift \(factor), which \(range)") } ?? shift.refused("it \(range)"))
    return factor
  }

  /// The same as the core has it, and mu where it follows from it.
  func exact(mu: Double?) throws -> (shift: FlowShift, mu: Double?) {
    let factor = try factor(mu: mu)
    guard isDynamicOn, let mu else { return (.fixed(factor), nil) }
    return (.dynamic(DynamicShift(kind: try isExponential?.get() ?? true ? .exponential : .linear)), mu)
  }

  /// Sigmas shifted as `set_timesteps` does it, in the arithmetic that they are in.
  func shifted<Scalar: BinaryFloatingPoint>(_ sigmas: [Scalar], by shift: Double) -> [Scalar] {
    let (factor, increase) = (Scalar(shift), Scalar(shift - 1))
    guard isDynamicOn else { return sigmas.map { factor * $0 / (1 + increase * $0) } }
    return sigmas.map { factor / (factor + (1 / $0 - 1)) }
  }

  /// The last time, of which Python takes 0 for none.
  func last() throws -> Double? {
    guard let terminal, let time = terminal.value, time != 0 else { return nil }
    guard time > 0, time < 1 else { throw terminal.refused("it must be above 0 and below 1") }
    return time
  }

  /// `stretch_shift_to_terminal`, if there is a terminal.
  func stretched<Scalar: BinaryFloatingPoint>(_ sigmas: [Scalar]) throws -> [Scalar] {
    guard let last = try last() else { return sigmas }
    let scale = (1 - sigmas[sigmas.count - 1]) / Scalar(1 - last)
    guard scale > 0 else { throw terminal!.refused("leave it out, or make more than one step") }
    return sigmas.map { 1 - (1 - $0) / scale }
  }

  /// What a body makes of an exact spacing; an error of its terminal names the option.
  func naming(_ body: () throws -> SamplingGrid) throws -> SamplingGrid {
    do { return try body() } catch GridError.parameter("terminal", _, let allowed) where terminal != nil {
      throw terminal!.refused("it must be \(allowed)")
    }
  }
}

/// The times of a class of rectified flow.
struct FlowTimes {
  let timesteps: TrainingTimesteps
  let shifting: FlowShifting
  let choices: SigmaChoices?
  let isInverted: Given<Bool>?

  /// The options of FlowMatchHeun.
  init(fixed o: inout OptionReader) {
    timesteps = TrainingTimesteps(&o)
    shifting = FlowShifting(&o, "shift", isDynamic: false)
    (choices, isInverted) = (nil, nil)
  }

  /// Those of the others: one has null for choices of sigmas, the other for bounds of the shift.
  init(_ o: inout OptionReader, choicesAreOptional: Bool) {
    timesteps = TrainingTimesteps(&o)
    shifting = FlowShifting(&o, "shift", hasTerminal: true)
    for (name, standard) in [("base_shift", 0.5), ("max_shift", 1.15)] {
      if choicesAreOptional { _ = o.number(name, standard) } else { _ = o.number(name, orNull: standard) }
    }
    for (name, standard) in [("base_image_seq_len", 256), ("max_image_seq_len", 4096)] { _ = o.integer(name, standard) }
    isInverted = o.boolean("invert_sigmas", false)
    choices = SigmaChoices(&o, isOptional: choicesAreOptional)
  }

  var invertsSigmas: Bool { isInverted?.value == true }
  var prediction: Prediction { isExploding ? .epsilon : invertsSigmas ? .reverseFlow : .flow }

  /// The ends of chosen sigmas that a file gives. diffusers looks for them, though they are no
  /// options of the class.
  private var ends: (least: Double?, most: Double?) { choices?.isMade == true ? choices!.ends : (nil, nil) }

  /// Whether these leave rectified flow: samples are x0 + σ·epsilon then, as those of Cosmos
  /// Predict2.
  var isExploding: Bool { (ends.most ?? 0) > 1 }

  /// diffusers' sigmas of a run, shifted in its constructor and again here, but given ones only
  /// here, in float32.
  func setting(_ run: Run) throws -> Setting {
    let (total, steps) = (Double(try timesteps.count()), run.steps)
    let shift = try shifting.factor(mu: run.mu)
    var sigmas: [Double]
    if let given = try given(run, of: total) {
      let singles = shifting.shifted(given, by: shift)
      if choices?.isMade == true, ends.least == nil || ends.most == nil, let i = singles.firstIndex(of: 0) {
        let value = run.sigmas?[i] ?? run.timesteps![i]
        throw Refusal.argument(
          "\(run.sigmas == nil ? "timesteps" : "sigmas")[\(i)]", value, "raise it; of 0 no logarithm can be taken")
      }
      sigmas = try shifting.stretched(singles).map { Double($0) }
    } else {
      var ends: [Float] = [1, 1 / Float(total)]
      if !shifting.isDynamicOn { ends = shifting.shifted(ends, by: shift) }
      let timesteps = NumPy.linspace(Double(ends[0]) * total, Double(ends[1]) * total, steps)
      sigmas = try shifting.stretched(shifting.shifted(timesteps.map { $0 / total }, by: shift))
    }
    if let choice = try choices?.choice() {
      let (first, last) = (ends.most ?? sigmas[0], ends.least ?? sigmas[sigmas.count - 1])
      sigmas = SigmaChoices.sigmas(choice, count: steps, from: first, to: last, exponent: run.karrasExponent)
    }
    var rounded = sigmas.map { Float($0) }
    try require(
      rounded.allSatisfy { $0 >= 0 && ($0 <= 1 || isExploding) },
      shifting.terminal?.refused("leave it out; sigmas leave 0 ... 1")
        ?? shifting.shift.refused("lower it; sigmas leave 0 ... 1"))
    if invertsSigmas {
      try require(!isExploding, isInverted!.refused("leave it out, or lower sigma_max; sigmas leave 0 ... 1"))
      rounded = rounded.map { 1 - $0 }
    }
    let told = invertsSigmas ? nil : run.timesteps?.map { Double(Float($0)) }
    return Setting(
      timesteps: told ?? rounded.map { Double($0 * Float(total)) }, sigmas: rounded + [invertsSigmas ? 1 : 0])
  }

  /// The same times in Double, shifted once.
  func grid(_ run: Run) throws -> SamplingGrid {
    let steps = run.steps
    let (shift, total, choice) = try (shifting.factor(mu: run.mu), timesteps.count(), choices?.choice())
    if let choice, ends.least != nil || ends.most != nil { return try grid(run, choice, shift, of: Double(total)) }
    let exact = try shifting.exact(mu: run.mu)
    let spacing = FlowSpacing(
      times: choice == .beta ? .beta() : .equal, shift: exact.shift, last: steps > 1 ? 1 / Double(total) : nil,
      terminal: try shifting.last(), respacing: choice?.spacing, timesteps: Double(total), isReversed: invertsSigmas)
    return try shifting.naming {
      guard run.arguments.hasGivenTimes else { return try SamplingGrid(flow: spacing, steps: steps, mu: exact.mu) }
      return try givenGrid(run, spacing, exact.mu, of: Double(total))
    }
  }

  /// The grid of chosen sigmas between ends of which the file gives one or both.
  private func grid(
    _ run: Run, _ choice: SigmaChoices.Choice, _ shift: Double, of total: Double
  ) throws -> SamplingGrid {
    // This refuses what leaves rectified flow.
    _ = try setting(run)
    let times = run.sigmas ?? run.timesteps?.map { $0 / total } ?? [1, 1 / total]
    let spacing = FlowShift.fixed(shift)
    let (first, last) = try (spacing.shifted(times[0]), shifting.last() ?? spacing.shifted(times[times.count - 1]))
    let sigmas = SigmaChoices.sigmas(
      choice, count: run.steps, from: ends.most ?? first, to: ends.least ?? last, exponent: run.karrasExponent)
    let points = sigmas.map { sigma in
      let time = invertsSigmas ? 1 - sigma : sigma
      return SamplingGrid.Point(timestep: time * total, level: level(time))
    }
    return SamplingGrid(unchecked: points + [.clean])
  }

  /// The grid of given times, which need not descend, at the timesteps that are given with them.
  private func givenGrid(_ run: Run, _ spacing: FlowSpacing, _ mu: Double?, of total: Double) throws -> SamplingGrid {
    _ = try given(run, of: total)
    let times = run.sigmas ?? run.timesteps!.map { $0 / total }
    var points: [SamplingGrid.Point]
    let isFalling = zip(times, times.dropFirst()).allSatisfy { $0 > $1 }
    if isFalling, times[times.count - 1] > 0 {
      points = try SamplingGrid(flow: spacing, times: times, mu: mu).points
    } else {
      try require(
        choices?.isMade != true && shifting.last() == nil,
        .argument("the number of sigmas", Double(times.count), "sigmas that are chosen or stretched must fall, above 0")
      )
      let factor = try shifting.factor(mu: run.mu)
      points = times.map { time in
        let noise = factor * time / (1 + (factor - 1) * time)
        let level = NoiseLevel(signal: (1 - time) / (1 + (factor - 1) * time), noise: noise)
        return SamplingGrid.Point(timestep: (invertsSigmas ? level.signal : level.noise) * total, level: level)
      }
      points.append(.clean)
    }
    if let told = run.timesteps, !invertsSigmas {
      points = zip(told, points).map { SamplingGrid.Point(timestep: $0, level: $1.level) } + [.clean]
    }
    return SamplingGrid(unchecked: points)
  }

  func level(_ sigma: some BinaryFloatingPoint) -> NoiseLevel {
    let (near, far) = (Double(sigma), Double(1 - sigma))
    if isExploding { return NoiseLevel(signal: 1, noise: near) }
    return invertsSigmas ? NoiseLevel(signal: near, noise: far) : NoiseLevel(signal: far, noise: near)
  }

  /// Given sigmas before the shift in float32, or those of given timesteps.
  private func given(_ run: Run, of total: Double) throws -> [Float]? {
    if let timesteps = run.timesteps {
      for (i, timestep) in timesteps.enumerated() {
        try require(
          timestep >= 0 && timestep <= total,
          .argument("timesteps[\(i)]", timestep, "it must be in 0 ... \(total.plain)"))
      }
    }
    let sigmas = try run.arguments.flowSigmas()?.map { Float($0) }
    return sigmas ?? run.timesteps?.map { Float($0) / Float(total) }
  }

  func deviations(_ run: Run, _ setting: Setting) -> [Deviation] {
    let steps = run.steps
    let isShifted = shifting.isDynamicOn || shifting.shift.value != 1
    // Where both ends are held, a shift of them changes nothing.
    let areGiven = ends.least != nil && ends.most != nil
    let isHeld = areGiven || shifting.terminal?.value != nil && (steps == 2 || choices?.isMade == true)
    var found: [Deviation] = [.float32Tables]
    if choices?.contains(.beta) == true, isShifted, steps > 2 { found.append(.betaOverSigmas) }
    if isShifted, !shifting.isDynamicOn, steps > 1, !isHeld, !run.hasGivenTimes { found.append(.shiftedTwice) }
    if setting.timesteps.count > 1, setting.timesteps[0] == setting.timesteps[1] { found.append(.duplicateStart) }
    return found
  }
}

extension Deviation {
  public static let shiftedTwice = Deviation(
    "shiftedTwice",
    "The constructor shifts the sigmas and keeps the least of them; `set_timesteps` lays equal steps down to it and "
      + "shifts again.", place: "FlowMatchEuler, FlowMatchHeun and FlowMatchLCM, a static `shift` other than 1",
    effect: "With shift 3 the last sigma is 0.00893 instead of 0.00299.", issue: 13243)
}
