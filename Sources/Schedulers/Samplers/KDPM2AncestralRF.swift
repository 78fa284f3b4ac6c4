/// DPM2 ancestral on rectified flow: half a step down the straight line, then the whole one by the
/// slope there, beyond the next level, and fresh noise back up to it.
///
///     x̄ₘ = x̄ + (tₘ − t)·v,    v = (x̄ − x̂0)/t,    tₘ = √(t·t_down)
///     x̄' = k·(x̄ + (t_down − t)·vₘ) + √(t'² − (k·t_down)²)·z
///
/// with t, x̄, t_down and k of `EulerAncestralRF`. The second line has x̄ as what the first makes
/// of x̄ₘ, so that a change in the middle stays. The last step, to clean data, takes one call.
///
/// Source: ComfyUI, <https://github.com/comfyanonymous/ComfyUI>, `sample_dpm_2_ancestral_RF`.
public struct KDPM2AncestralRF: EtaSampler {
  public var eta: Double

  /// The method with `eta` in [0, 1]; 0 solves the ODE.
  public init(eta: Double = 1) { self.eta = eta }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    let scale = grid.timestepScale
    return grid.intervals.flatMap { from, to -> [Move] in
      let (start, step) = (from.level.exact, AncestralStep(straightFrom: from.level, to: to.level, eta: eta))
      let lower = step.exact
      // k, times the scale of the next level.
      let kept = lower.signal + lower.noise
      let (t, down) = (start.noise / (start.signal + start.noise), lower.noise / kept)
      let time = (t * down).squareRoot()
      guard to.level.noise > 0, to.level.sigma < from.level.sigma,
        let middle = scale.point(time: time, between: from, and: to)
      else {
        return [Move(at: from, to: to.level, estimate: .x0, next: step.euler(from: from.level))]
      }
      let first = Euler.step(from: from.level, to: middle.level, denoised: .estimate())
      let inside = middle.level.exact
      let line = down / time / (inside.signal + inside.noise) * LinearForm.sample
      let mean = line + (t - down) / time * .estimate() - (t - time) / time * LinearForm.estimate(ago: 1)
      return [
        Move(at: from, to: middle.level, estimate: .x0, next: first),
        Move(at: middle, to: to.level, estimate: .x0, next: kept * mean + step.deviation * .noise),
      ]
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "kdpm2-ancestral-rf", title: "DPM2 ancestral on rectified flow", sampler: KDPM2AncestralRF(), order: 2,
    source: "https://github.com/comfyanonymous/ComfyUI",
    use: "for what ComfyUI's `dpm_2_ancestral` draws with a network of rectified flow")
}
