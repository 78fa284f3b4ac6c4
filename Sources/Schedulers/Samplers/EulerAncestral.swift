/// An Euler step to a lower level than wanted, then fresh noise back up to it.
///
///     σ_up = eta·σ'·√(1 − (σ'/σ)²),    σ_down = √(σ'² − σ_up²)
///     x̄'  = x̄ + (σ_down − σ)·(x̄ − x̂0)/σ + σ_up·z,    with x̄ = x/signal
///
/// Source: [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `get_ancestral_step` and
/// `sample_euler_ancestral`.
public struct EulerAncestral: EtaSampler {
  public var eta: Double

  /// Ancestral Euler with `eta` in [0, 1]; 0 is `Euler`.
  public init(eta: Double = 1) { self.eta = eta }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    return grid.intervals.map { from, to in
      let next = AncestralStep(from: from.level, to: to.level, eta: eta).euler(from: from.level)
      return Move(at: from, to: to.level, estimate: .x0, next: next)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "euler-ancestral", title: "Euler ancestral", sampler: EulerAncestral(), order: 1,
    source: "https://github.com/crowsonkb/k-diffusion", use: "as DDIM with eta; most users know it by this name")
}
