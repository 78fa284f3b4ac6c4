import Schedulers

/// Ancestral samplers of two calls of the network in a step, which the core does not have.
///
///     x̄ₘ = x̄ + (σₘ − σ)·(x̄ − x̂0)/σ
///     x̄' = x̄ + (σ_down − σ)·s + σ_up·z
///
/// The slope s is that of x̂0ₘ from x̄ₘ at σₘ for `dpm_2_ancestral`, and from x̄ at σ for
/// `dpmpp_2s_ancestral`, which is DPM-Solver++(2S). On rectified flow, σ_down and the noise are
/// those of `EulerAncestralRF`.
struct KDiffusionAncestral: Sampler {
  enum Kind: String, Codable { case dpmpp2s, dpmpp2sRF, dpm2RF }

  var kind: Kind
  var eta: Double

  init(_ kind: Kind, eta: Double) { (self.kind, self.eta) = (kind, eta) }

  func moves(over grid: SamplingGrid) -> [Move] {
    grid.intervals.flatMap { from, to -> [Move] in
      let whole = step(from: from.level, to: to.level)
      guard to.level.noise > 0, whole.lower.noise > 0, from.level.signal > 0 || kind != .dpmpp2s else {
        let next = Euler.step(from: from.level, to: whole.lower, denoised: .estimate())
        return [Move(at: from, to: to.level, estimate: .x0, next: whole.kept * next + whole.drawn * .noise)]
      }
      let middle = middle(from: from.level, to: whole.lower)
      let first = Euler.step(from: from.level, to: middle, denoised: .estimate())
      var second = Euler.step(
        from: from.level, to: whole.lower, denoised: .estimate(), sample: .sample(ago: 1))
      if kind == .dpm2RF {
        // The slope between the middle's sample and its x̂0, from the start of the step.
        let run = (whole.lower.noise - from.level.noise) / middle.noise
        second = .sample(ago: 1) + run * (.sample - .estimate())
      }
      return [
        Move(at: from, to: middle, estimate: .x0, next: first),
        Move(
          at: SamplingGrid.Point(timestep: middle.noise, level: middle), to: to.level, estimate: .x0,
          next: whole.kept * second + whole.drawn * .noise),
      ]
    }
  }

  /// Where a step goes without noise, what is kept of the sample there, and the noise added.
  private func step(from: NoiseLevel, to: NoiseLevel) -> (lower: NoiseLevel, kept: Double, drawn: Double) {
    guard kind != .dpmpp2s else {
      let step = AncestralStep(from: from, to: to, eta: eta)
      return (step.lower, 1, step.deviation)
    }
    let down = to.noise * (1 + eta * (to.noise / from.noise - 1))
    let kept = to.signal / (1 - down)
    let drawn = ((to.noise - down) / (1 - down) * (to.noise + kept * down)).squareRoot()
    return (KDiffusionConfiguration.level(down, isFlow: true), kept, drawn)
  }

  private func middle(from: NoiseLevel, to: NoiseLevel) -> NoiseLevel {
    // √(a·b) without the product, which may be more or less than there are numbers.
    func mean(_ a: Double, _ b: Double) -> Double { a.squareRoot() * b.squareRoot() }
    guard kind != .dpm2RF else { return KDiffusionConfiguration.level(mean(from.noise, to.noise), isFlow: true) }
    // As ComfyUI has it where there is no signal.
    guard from.signal > 0 else { return KDiffusionConfiguration.level(0.9999, isFlow: true) }
    return .between(from, to, sigma: mean(from.sigma, to.sigma))
  }
}

/// DPM++ SDE with the middle anywhere, and with the noise of a whole step as it is recorded.
///
///     x̄ₘ = x̄ + (σₘ_down/σ − 1)·(x̄ − x̂0) + σₘ_up·z,          ln σₘ = (1 − r)·ln σ + r·ln σ'
///     x̄' = x̄ + (σ'_down/σ − 1)·(x̄ − D) + σ'_up·z''
///     D   = (1 − 1/(2r))·x̂0 + 1/(2r)·x̂0ₘ
///
/// z'' is fresh noise where it is that of the whole step, and as in `DPMSolverPlusPlusSDE`
/// otherwise.
struct KDiffusionSDE: Sampler {
  var eta: Double
  /// r.
  var middle: Double
  var drawsWholeSteps: Bool

  func moves(over grid: SamplingGrid) -> [Move] {
    grid.intervals.flatMap { from, to -> [Move] in
      let whole = AncestralStep(from: from.level, to: to.level, eta: eta)
      func drift(_ step: AncestralStep, _ denoised: LinearForm, _ sample: LinearForm) -> LinearForm {
        Euler.step(from: from.level, to: step.lower, denoised: denoised, sample: sample)
      }
      guard to.level.noise > 0, from.level.signal > 0 else {
        let next = drift(whole, .estimate(), .sample) + whole.deviation * .noise
        return [Move(at: from, to: to.level, estimate: .x0, next: next)]
      }
      let sigma = Math.exp((1 - middle) * Math.log(from.level.sigma) + middle * Math.log(to.level.sigma))
      let level = NoiseLevel.between(from.level, to.level, sigma: sigma)
      let half = AncestralStep(from: from.level, to: level, eta: eta)
      let first = drift(half, .estimate(), .sample) + half.deviation * .noise
      let share = 1 / (2 * middle)
      var second = drift(whole, (1 - share) * .estimate(ago: 1) + share * .estimate(), .sample(ago: 1))
      if drawsWholeSteps || half.deviation == 0 {
        second = second + whole.deviation * .noise
      } else {
        let (a, m, b) = (from.level.sigma, sigma, to.level.sigma)
        let (share, rest) = (((a - m) / (a - b)).squareRoot(), ((m - b) / (a - b)).squareRoot())
        let drawn = (LinearForm.sample - drift(half, .estimate(ago: 1), .sample(ago: 1))) / half.deviation
        second = second + whole.deviation * (share * drawn + rest * .noise)
      }
      let point = SamplingGrid.Point(timestep: level.noise, level: level)
      return [
        Move(at: from, to: level, estimate: .x0, next: first),
        Move(at: point, to: to.level, estimate: .x0, next: second),
      ]
    }
  }
}

extension NoiseLevel {
  /// The level with a sigma between two others, both of x0 + σ·epsilon or both of rectified flow.
  fileprivate static func between(_ a: NoiseLevel, _ b: NoiseLevel, sigma: Double) -> NoiseLevel {
    let isFlow = a.signal != 1 || b.signal != 1
    return KDiffusionConfiguration.level(isFlow ? sigma / (1 + sigma) : sigma, isFlow: isFlow)
  }
}
