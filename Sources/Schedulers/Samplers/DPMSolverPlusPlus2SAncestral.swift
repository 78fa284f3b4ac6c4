/// DPM-Solver++ 2S ancestral: a step of two calls to a lower level than wanted, then fresh noise
/// back up to it.
///
///     x̄ₘ = σₘ/σ·x̄ + (1 − σₘ/σ)·x̂0,    σₘ = √(σ·σ_down)
///     x̄' = σ_down/σ·x̄ + (1 − σ_down/σ)·x̂0ₘ + σ_up·z,    with x̄ = x/signal
///
/// σ_down and σ_up are those of `EulerAncestral`, or on rectified flow those of `EulerAncestralRF`,
/// whose sample with the noise of σ_down has the signal of σ'. A step to clean data is `Euler`'s.
/// One from a level without signal is ancestral Euler's, but on the straight path it has its middle
/// at the time 0.9999, as ComfyUI's has.
///
/// Source: [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `sample_dpmpp_2s_ancestral`;
/// on rectified flow, ComfyUI, <https://github.com/comfyanonymous/ComfyUI>,
/// `sample_dpmpp_2s_ancestral_RF`.
public struct DPMSolverPlusPlus2SAncestral: EtaSampler {
  public var eta: Double
  /// Whether σ_down and σ_up are those of rectified flow.
  public var isStraight: Bool

  /// The method with `eta` in [0, 1]; 0 is DPM-Solver++ 2S with a call in the middle of each step.
  public init(eta: Double = 1, isStraight: Bool = false) { (self.eta, self.isStraight) = (eta, isStraight) }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    let scale = grid.timestepScale
    return grid.intervals.flatMap { from, to -> [Move] in
      let step = AncestralStep(isStraight ? .time : .sigma, from: from.level, to: to.level, eta: eta)
      guard to.level.noise > 0, to.level.sigma < from.level.sigma,
        let middle = middle(step, scale, from, to)
      else {
        return [Move(at: from, to: to.level, estimate: .x0, next: step.euler(from: from.level))]
      }
      let first = Euler.step(from: from.level, to: middle.level, denoised: .estimate())
      let (start, lower) = (from.level.exact, step.exact)
      // From the middle on with the first x̂0, which the whole step then takes back.
      let held = Euler.step(from: middle.level, to: step.lower, denoised: .estimate(ago: 1))
      let whole = lower.signal - start.signal * (lower.noise / start.noise)
      let next = held + whole * (LinearForm.estimate() - .estimate(ago: 1)) + step.deviation * .noise
      return [
        Move(at: from, to: middle.level, estimate: .x0, next: first),
        Move(at: middle, to: to.level, estimate: .x0, next: next),
      ]
    }
  }

  /// Where the second call is.
  private func middle(
    _ step: AncestralStep, _ scale: TimestepScale, _ from: SamplingGrid.Point, _ to: SamplingGrid.Point
  ) -> SamplingGrid.Point? {
    guard from.level.signal > 0 else {
      return isStraight ? scale.point(time: DoubleDouble(0.9999), between: from, and: to) : nil
    }
    let sigma = (from.level.exact.sigma * step.exact.sigma).squareRoot()
    return scale.point(sigma: sigma, between: from, and: to)
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "dpm++2s-ancestral", title: "DPM-Solver++ 2S ancestral", sampler: DPMSolverPlusPlus2SAncestral(), order: 2,
      source: "https://github.com/crowsonkb/k-diffusion", use: "as `euler-ancestral`, with more calls"),
    .init(
      name: "dpm++2s-ancestral-rf", title: "DPM-Solver++ 2S ancestral on rectified flow",
      sampler: DPMSolverPlusPlus2SAncestral(isStraight: true), order: 2,
      source: "https://github.com/comfyanonymous/ComfyUI",
      use: "for what ComfyUI's `dpmpp_2s_ancestral` draws with a network of rectified flow"),
  ]
}
