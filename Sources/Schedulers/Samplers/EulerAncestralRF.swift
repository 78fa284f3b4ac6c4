/// Euler ancestral on rectified flow: a step down the straight line beyond the next level, and
/// fresh noise back up to it.
///
///     t_down = t'·(1 + eta·(t'/t − 1)),    r = t_down/t,    k = (1 − t')/(1 − t_down)
///     x̄' = k·(r·x̄ + (1 − r)·x̂0) + √(t'² − (k·t_down)²)·z
///
/// with t = noise/(signal + noise) and x̄ = x/(signal + noise), the sample on the line
/// (1 − t)·x0 + t·epsilon. `EulerAncestral` on the same grid goes down in t/(1 − t) instead.
///
/// Source: ComfyUI, <https://github.com/comfyanonymous/ComfyUI>, `sample_euler_ancestral_RF`.
public struct EulerAncestralRF: EtaSampler {
  public var eta: Double

  /// The method with `eta` in [0, 1]; 0 is `Euler` on the straight line.
  public init(eta: Double = 1) { self.eta = eta }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    return grid.intervals.map { from, to in
      let next = AncestralStep(straightFrom: from.level, to: to.level, eta: eta).euler(from: from.level)
      return Move(at: from, to: to.level, estimate: .x0, next: next)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "euler-ancestral-rf", title: "Euler ancestral on rectified flow", sampler: EulerAncestralRF(), order: 1,
    source: "https://github.com/comfyanonymous/ComfyUI",
    use: "for what ComfyUI's `euler_ancestral` draws with a network of rectified flow")
}
