import Schedulers

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
    let bar = tables.alphaBars[Int(timestep < 0 ? timestep + count : timestep)]
    guard !bar.isNaN else {
      throw .notFinite(
        step: step, timestep: timestep, className: className,
        reason: "diffusers divides 0 by 0 where the rescaled betas leave no signal; use smaller betas")
    }
    return bar
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
          variance: kind.stepVariance(variance, beta)))
    }
    return Moves(moves: moves, start: unitLevel(try alphaBar(setting.timesteps[0], tables, step: 0)))
  }

  /// How the variance of a step follows from the posterior's and the forward step's, and the factor of its noise.
  private struct VarianceKind {
    var variance: Variance
    var deviation: (_ small: Float, _ large: Float) -> Float

    func stepVariance(_ small: Float, _ large: Float) -> StepVariance? {
      if variance == .learned { return .output }
      // Nothing is drawn then: exp of a sum in which ln 0 has a part.
      guard large > 0 else { return nil }
      return variance.stepVariance(small: Math.log(Double(small)), large: Math.log(Double(large)))
    }
  }

  private func varianceKind() throws(ConfigurationError) -> VarianceKind {
    let (variance, isLogarithm) = try choice(
      "variance_type",
      [
        "fixed_small": (Variance.fixedSmall, false), "fixed_small_log": (.fixedSmall, false),
        "fixed_large": (.fixedLarge, false),
        "fixed_large_log": (.fixedLarge, true), "learned": (.learned, false), "learned_range": (.learnedRange, false),
      ])
    return VarianceKind(variance: variance) { small, large in
      switch variance {
      case .fixedSmall: root(small)
      case .fixedLarge: root(isLogarithm ? Float(Math.log(Double(large))) : large)
      case .learned: 1
      case .learnedRange: large > 0 ? 1 : 0
      }
    }
  }

  func ddimMoves(
    _ setting: Setting, _ tables: Tables, stride: Int, _ arguments: StepArguments
  ) throws(ConfigurationError) -> Moves {
    let eta = arguments.eta ?? 0
    guard eta >= 0, eta <= 1 else { throw named(PlanError.option("eta", eta, of: "DDIM", allowed: "0 ... 1")) }
    let end = try endsAtLeastNoise() ? tables.alphaBars[0] : 1
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let bar = try alphaBar(timestep, tables, step: i)
      try check(bar, timestep: timestep, step: i)
      let next = timestep - Double(stride)
      let nextBar = next >= 0 ? try alphaBar(next, tables, step: i) : end
      let from = SamplingGrid.Point(timestep: timestep, level: level(bar))
      let x0: LinearForm = arguments.usesClippedModelOutput ? .estimate() : .predicted
      let epsilon = (LinearForm.sample - from.level.signal * x0) / from.level.noise
      moves.append(try ddimMove(from, bar, to: nextBar, epsilon: epsilon, eta: eta, step: i))
    }
    return Moves(moves: moves, start: unitLevel(try alphaBar(setting.timesteps[0], tables, step: 0)))
  }

  /// A step of DDIM whose factors are made in float32: 1 − ᾱ' − σ² cancels where eta is near 1 and ᾱ small.
  func ddimMove(
    _ from: SamplingGrid.Point, _ bar: Float, to nextBar: Float, epsilon: LinearForm, eta: Double, step: Int
  ) throws(ConfigurationError) -> Move {
    // NaN for every eta where there is no signal before and after.
    let deviation = Float(eta) * root((1 - nextBar) / (1 - bar) * (1 - bar / nextBar))
    let direction = root(1 - nextBar - deviation * deviation)
    guard direction.isFinite else {
      throw .notFinite(
        step: step, timestep: from.timestep, className: className,
        reason: "the noise is more than the step leaves, and diffusers takes the root of a negative number; use a smaller eta")
    }
    return Move(
      at: from, to: level(nextBar), estimate: .x0,
      next: Double(root(nextBar)) * .estimate() + Double(direction) * epsilon + Double(deviation) * .noise)
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
