import Schedulers

/// Ancestral samplers of two calls of the network in a step, whose middle is told by its sigma.
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
      let middle = middle(from: from.level, to: whole.lower, towards: to.level)
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
      return (step.lower, 1, step.deviation.rounded)
    }
    let down = to.noise * (1 + eta * (to.noise / from.noise - 1))
    let kept = to.signal / (1 - down)
    let drawn = ((to.noise - down) / (1 - down) * (to.noise + kept * down)).squareRoot()
    return (KDiffusionConfiguration.level(down, isFlow: true), kept, drawn)
  }

  /// The level between two, on the path to where the whole step leads.
  private func middle(from: NoiseLevel, to: NoiseLevel, towards end: NoiseLevel) -> NoiseLevel {
    // √(a·b) without the product, which may be more or less than there are numbers.
    func mean(_ a: Double, _ b: Double) -> Double { a.squareRoot() * b.squareRoot() }
    guard kind != .dpm2RF else { return KDiffusionConfiguration.level(mean(from.noise, to.noise), isFlow: true) }
    // As ComfyUI has it where there is no signal.
    guard from.signal > 0 else { return KDiffusionConfiguration.level(0.9999, isFlow: true) }
    return .between(from, end, sigma: mean(from.sigma, to.sigma)) ?? end
  }
}
