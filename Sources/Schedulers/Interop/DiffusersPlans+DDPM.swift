// DDPM, DDIM and DDIM inverse as diffusers steps them.

extension DiffusersConfiguration {
  /// ᾱ of a timestep as Python indexes it: −1 is the last.
  func alphaBar(_ timestep: Double, _ tables: Tables, step: Int) throws(ConfigurationError) -> Float {
    let count = Double(tables.alphaBars.count)
    guard timestep >= -count, timestep < count else {
      throw .notFinite(
        step: step, timestep: timestep, className: className,
        reason: "the timestep is outside 0 ... \(tables.alphaBars.count - 1); lower steps_offset or the number of steps")
    }
    return tables.alphaBars[Int(timestep < 0 ? timestep + count : timestep)]
  }

  /// The level of a sample that is read.
  ///
  /// Where there is no signal, 2⁻¹⁰⁰ of it gives the x̂0 that is infinite in diffusers, and what its clipping makes of that.
  func level(_ alphaBar: Float) -> NoiseLevel {
    NoiseLevel(signal: max(Double(root(alphaBar)), 0x1p-100), noise: Double(root(1 - alphaBar)))
  }

  /// The level without float32's rounding of the roots, whose variance is 1.
  func unitLevel(_ alphaBar: Float) -> NoiseLevel {
    NoiseLevel(signal: Double(alphaBar).squareRoot(), noise: (1 - Double(alphaBar)).squareRoot())
  }

  /// Where x̂0 is infinite in diffusers and nothing brings it back.
  func checkSignal(_ alphaBar: Float, timestep: Double, step: Int) throws(ConfigurationError) {
    guard alphaBar == 0, try prediction() == .epsilon else { return }
    if case .range = try clipping() { return }
    throw .notFinite(
      step: step, timestep: timestep, className: className,
      reason: "there is no signal, and diffusers divides by it; use v_prediction or sample, or clip_sample")
  }

  /// Where diffusers divides by the signal or the noise of a sample, and there is none.
  func check(_ alphaBar: Float, timestep: Double, step: Int) throws(ConfigurationError) {
    try checkSignal(alphaBar, timestep: timestep, step: step)
    guard alphaBar < 1 else {
      throw .notFinite(
        step: step, timestep: timestep, className: className,
        reason: "there is no noise, and diffusers divides by it; use larger betas")
    }
  }

  func ddpmMoves(_ setting: Setting, _ tables: Tables) throws(ConfigurationError) -> Moves {
    let kind = try varianceKind()
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let bar = try alphaBar(timestep, tables, step: i)
      let next = i + 1 < setting.timesteps.count ? setting.timesteps[i + 1] : -1
      let nextBar = next >= 0 ? try alphaBar(next, tables, step: i) : 1
      try check(bar, timestep: timestep, step: i)
      // In float32, as diffusers: 1 − ᾱ/ᾱ' and 1 − ᾱ cancel, and what is left of them is most of what a step differs by.
      let alpha = bar / nextBar
      let beta = 1 - alpha
      let x0 = root(nextBar) * beta / (1 - bar)
      let sample = root(alpha) * (1 - nextBar) / (1 - bar)
      let variance = max((1 - nextBar) / (1 - bar) * beta, 1e-20)
      let drawn = kind.deviation(variance, beta)
      guard timestep <= 0 || drawn.isFinite else {
        throw .notFinite(
          step: i, timestep: timestep, className: className,
          reason: "diffusers takes the root of a negative logarithm; use fixed_large")
      }
      moves.append(
        Move(
          at: SamplingGrid.Point(timestep: timestep, level: level(bar)), to: level(nextBar), estimate: .x0,
          next: Double(x0) * .estimate() + Double(sample) * .sample + Double(timestep > 0 ? drawn : 0) * .noise,
          logVariance: beta > 0
            ? kind.variance.logVariance(small: Math.log(Double(variance)), large: Math.log(Double(beta))) : nil))
    }
    return Moves(moves: moves, start: unitLevel(try alphaBar(setting.timesteps[0], tables, step: 0)))
  }

  /// The kind of variance, and the deviation of the noise, from the posterior's variance and the forward step's. That of learned
  /// variance is in the logarithm.
  private func varianceKind() throws(ConfigurationError) -> (variance: Variance, deviation: (Float, Float) -> Float) {
    let (variance, isLogarithm) = try choice(
      "variance_type",
      [
        "fixed_small": (Variance.fixedSmall, false), "fixed_small_log": (.fixedSmall, false),
        "fixed_large": (.fixedLarge, false),
        "fixed_large_log": (.fixedLarge, true), "learned": (.learned, false), "learned_range": (.learnedRange, false),
      ])
    switch variance {
    case .fixedSmall: return (variance, { small, _ in root(small) })
    case .fixedLarge where isLogarithm: return (variance, { _, large in root(Float(Math.log(Double(large)))) })
    case .fixedLarge: return (variance, { _, large in root(large) })
    case .learnedRange: return (variance, { _, _ in 1 })
    case .learned:
      throw unsupported(
        "variance_type", remedy: "diffusers takes the root of the logarithm that the network says; read it with .corrected")
    }
  }

  func ddimMoves(
    _ setting: Setting, _ tables: Tables, stride: Int, _ arguments: StepArguments
  ) throws(ConfigurationError) -> Moves {
    let sampler = DDIM(eta: arguments.eta ?? 0, rederivesEpsilon: arguments.usesClippedModelOutput)
    let end = try endsAtLeastNoise() ? tables.alphaBars[0] : 1
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let bar = try alphaBar(timestep, tables, step: i)
      try check(bar, timestep: timestep, step: i)
      let next = timestep - Double(stride)
      let nextBar = next >= 0 ? try alphaBar(next, tables, step: i) : end
      let points = [
        SamplingGrid.Point(timestep: timestep, level: level(bar)),
        SamplingGrid.Point(timestep: next, level: level(nextBar)),
      ]
      moves += try naming { try sampler.moves(over: SamplingGrid(unchecked: points)) }
    }
    return Moves(moves: moves, start: unitLevel(try alphaBar(setting.timesteps[0], tables, step: 0)))
  }

  func ddimInverseMoves(
    _ setting: Setting, _ tables: Tables, stride: Int
  ) throws(ConfigurationError) -> Moves {
    let end = try endsAtLeastNoise() ? tables.alphaBars[0] : 1
    let predictsData = try prediction() == .x0
    var moves: [Move] = []
    var start = NoiseLevel.clean
    for (i, timestep) in setting.timesteps.enumerated() {
      let current = min(timestep - Double(stride), Double(tables.alphaBars.count - 1))
      let bar = current >= 0 ? try alphaBar(current, tables, step: i) : end
      let next = level(try alphaBar(timestep, tables, step: i))
      try checkSignal(bar, timestep: timestep, step: i)
      guard bar < 1 || !predictsData else {
        throw .notFinite(
          step: i, timestep: timestep, className: className,
          reason: "there is no noise, and diffusers divides by it; use set_alpha_to_one false, or another prediction_type")
      }
      if i == 0 { start = unitLevel(bar) }
      let from = level(bar)
      // Without noise epsilon and v are one, and x̂0 says nothing of them.
      let epsilon = from.noise == 0 ? LinearForm.output : (LinearForm.sample - from.signal * .predicted) / from.noise
      moves.append(
        Move(
          at: SamplingGrid.Point(timestep: timestep, level: from), to: next, estimate: .x0,
          next: next.signal * .estimate() + next.noise * epsilon))
    }
    return Moves(moves: moves, start: start)
  }
}
