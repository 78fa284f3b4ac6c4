/// A step without noise to a lower level than wanted, then noise back up to the one wanted.
package struct AncestralStep {
  /// What the lower level and the noise follow from.
  package enum Kind: String, Hashable, Codable, Sendable {
    /// From sigma, as on the paths of k-diffusion.
    case sigma
    /// From the time of rectified flow, noise/(signal + noise).
    case time
  }

  /// Where the step without noise goes: σ_down, with the signal of the level that is wanted. On
  /// other libraries' grids, which may stay at pure noise, it may be none.
  let exact: NoiseLevel.Exact
  package var lower: NoiseLevel { NoiseLevel(exact) }
  /// What the noise is multiplied by: σ_up, in the scale of the level that is wanted.
  package let deviation: DoubleDouble

  ///     σ_up = eta·σ'·√(1 − (σ'/σ)²),    σ_down = √(σ'² − σ_up²) = σ'·√(1 − eta² + eta²·(σ'/σ)²)
  ///
  /// Source: [Crowson 2022](https://github.com/crowsonkb/k-diffusion), `get_ancestral_step`.
  package init(from: NoiseLevel, to: NoiseLevel, eta: Double) {
    let (start, end, eta) = (from.exact, to.exact, DoubleDouble(eta))
    let ratio = end.noise * start.signal / (end.signal * start.noise)
    let up = eta * ((1 - ratio) * (1 + ratio)).squareRoot()
    let down = ((1 - eta) * (1 + eta) + eta * eta * ratio * ratio).squareRoot()
    exact = NoiseLevel.Exact(signal: end.signal, noise: end.noise * down)
    deviation = end.noise * up
  }

  ///     t_down = t'·(1 + eta·(t'/t − 1)),    k = (1 − t')/(1 − t_down)
  ///     t_up   = √(t'² − (k·t_down)²)
  ///
  /// with t = noise/(signal + noise). Multiplied by k, the sample at t_down has the signal of t'.
  ///
  /// Source: ComfyUI, <https://github.com/comfyanonymous/ComfyUI>, `sample_euler_ancestral_RF`.
  package init(straightFrom from: NoiseLevel, to: NoiseLevel, eta: Double) {
    let (start, end) = (from.exact, to.exact)
    let scale = end.signal + end.noise
    let (t, after) = (start.noise / (start.signal + start.noise), end.noise / scale)
    let down = after * (1 + eta * (after / t - 1))
    let kept = end.signal / scale / (1 - down)
    exact = NoiseLevel.Exact(signal: end.signal, noise: scale * kept * down)
    // The difference of squares as a product, whose first factor is (t' − t_down)/(1 − t_down).
    deviation = scale * ((after - down) / (1 - down) * (after + kept * down)).squareRoot()
  }

  package init(_ kind: Kind, from: NoiseLevel, to: NoiseLevel, eta: Double) {
    self =
      kind == .sigma
      ? AncestralStep(from: from, to: to, eta: eta) : AncestralStep(straightFrom: from, to: to, eta: eta)
  }

  /// Euler's step to the lower level, and the noise.
  func euler(from level: NoiseLevel) -> LinearForm {
    let (start, ratio) = (level.exact, exact.noise / level.exact.noise)
    let kept = ratio * LinearForm.sample + (exact.signal - start.signal * ratio) * .estimate()
    return kept + deviation * .noise
  }
}

extension TimestepScale {
  /// The point with a given time noise/(signal + noise) on the way from one point to another, which
  /// on the straight path may begin without signal.
  ///
  /// - Returns: `nil` where no path between the two is known.
  func point(
    time: DoubleDouble, between a: SamplingGrid.Point, and b: SamplingGrid.Point
  ) -> SamplingGrid.Point? {
    let sigma = time / (1 - time)
    if a.level.signal > 0 { return point(sigma: sigma, between: a, and: b) }
    guard a.level.isStraight, b.level.isStraight else { return nil }
    let level = NoiseLevel(NoiseLevel.Exact(signal: 1 - time, noise: time))
    return SamplingGrid.Point(timestep: timestep(sigma: sigma.high), level: level, inputScale: a.inputScale)
  }
}
