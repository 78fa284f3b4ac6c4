/// DPM-Solver++ on the reverse SDE in two calls: to a point within lambda, then the step with its
/// x̂0.
///
///     x̄ₘ = x̄ + (σₘ_down/σ − 1)·(x̄ − x̂0) + σₘ_up·z,      σₘ = σ^(1 − r)·σ'^r
///     x̄' = x̄ + (σ'_down/σ − 1)·(x̄ − D) + σ'_up·z'',      D = x̂0 + (x̂0ₘ − x̂0)/(2r)
///     z'' = share·z + √(1 − share²)·z',    share² = (σ − σₘ)/(σ − σ')
///
/// with x̄ = x/signal; down and up are those of `EulerAncestral` from σ. The noise of the whole
/// step is what a Brownian path does from σ to σ', and that of the middle the first part of it: z
/// is what x̄ₘ has beyond its drift, and z' is fresh. With independent noises the error in the
/// variance of the samples would fall with order 1 instead of 2.
///
/// The whole step begins where the first line did: of a change in the middle, z alone is left.
///
/// A step to clean data, or from a level without signal, is that of `EulerAncestral`.
///
/// Source: [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `sample_dpmpp_sde` and its
/// `BrownianTreeNoiseSampler`; diffusers' `DPMSolverSDEScheduler`.
public struct DPMSolverPlusPlusSDE: EtaSampler {
  public var eta: Double
  /// r, above 0 and below 1: how far within lambda the second call lies. With 1/2, D is x̂0ₘ.
  public var middle: Double
  /// Whether the noise of the second call is that of the whole step, as recordings have it.
  package var drawsWholeSteps = false

  /// DPM++ SDE with `eta` in [0, 1]; 0 solves the ODE.
  public init(eta: Double = 1, middle: Double = 0.5) { (self.eta, self.middle) = (eta, middle) }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    try check("middle", middle, .inside)
    let (scale, weight) = (grid.timestepScale, 1 / DoubleDouble(2 * middle))
    return grid.intervals.flatMap { from, to -> [Move] in
      let whole = AncestralStep(from: from.level, to: to.level, eta: eta)
      func drift(_ step: AncestralStep, _ denoised: LinearForm, _ sample: LinearForm) -> LinearForm {
        Euler.step(from: from.level, to: step.lower, denoised: denoised, sample: sample)
      }
      guard to.level.noise > 0, from.level.signal > 0 else {
        let next = drift(whole, .estimate(), .sample) + whole.deviation * .noise
        return [Move(at: from, to: to.level, estimate: .x0, next: next)]
      }
      let (start, end) = (from.level.exact.sigma, to.level.exact.sigma)
      let sigma = start * (end / start).power(DoubleDouble(middle))
      let middle = scale.point(sigma: sigma, between: from, and: to)
      let half = AncestralStep(from: from.level, to: middle.level, eta: eta)
      let first = drift(half, .estimate(), .sample) + half.deviation * .noise
      let denoised = weight * .estimate() + (1 - weight) * LinearForm.estimate(ago: 1)
      var second = drift(whole, denoised, .sample(ago: 1))
      if drawsWholeSteps {
        second = second + whole.deviation * .noise
      } else if eta > 0 {
        let m = middle.level.exact.sigma
        let (share, rest) = (((start - m) / (start - end)).squareRoot(), ((m - end) / (start - end)).squareRoot())
        let drawn = (LinearForm.sample - drift(half, .estimate(ago: 1), .sample(ago: 1))) / half.deviation
        second = second + whole.deviation * (share * drawn + rest * .noise)
      }
      return [
        Move(at: from, to: middle.level, estimate: .x0, next: first),
        Move(at: middle, to: to.level, estimate: .x0, next: second),
      ]
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "dpm++sde", title: "DPM-Solver++ SDE, 2 calls a step", sampler: DPMSolverPlusPlusSDE(), order: 2,
    source: "https://github.com/crowsonkb/k-diffusion",
    use: "as `dpm++2m-sde`, where a configuration asks for it; users of k-diffusion know it as DPM++ SDE")
}
