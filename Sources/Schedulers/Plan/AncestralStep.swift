/// A step without noise to a lower level than wanted, then noise back up to the one wanted.
///
///     σ_up = eta·σ'·√(1 − (σ'/σ)²)
///     σ_down = √(σ'² − σ_up²) = σ'·√(1 − eta² + eta²·(σ'/σ)²)
///
/// Source: [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `get_ancestral_step`.
package struct AncestralStep {
  /// Where the step without noise goes: σ_down, with the signal of the level that is wanted.
  package let lower: NoiseLevel
  /// What the noise is multiplied by: σ_up, in the scale of the level that is wanted.
  package let deviation: DoubleDouble

  package init(from: NoiseLevel, to: NoiseLevel, eta: Double) {
    let (start, end, eta) = (from.exact, to.exact, DoubleDouble(eta))
    let ratio = end.noise * start.signal / (end.signal * start.noise)
    let up = eta * ((1 - ratio) * (1 + ratio)).squareRoot()
    let down = ((1 - eta) * (1 + eta) + eta * eta * ratio * ratio).squareRoot()
    lower = NoiseLevel(NoiseLevel.Exact(signal: end.signal, noise: end.noise * down))
    deviation = end.noise * up
  }
}
