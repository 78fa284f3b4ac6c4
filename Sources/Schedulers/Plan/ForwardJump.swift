extension SamplingPlan.Move {
  /// This step and the forward process from where it leads to a noisier level, as one draw.
  func jumping(to level: NoiseLevel) -> SamplingPlan.Move {
    let factor = level.exact.signal / arrival.exact.signal
    let forward = Posterior(from: level, to: arrival).exact.forwardVariance
    let drawn = factor * next.noise
    let sum = factor * next + ((drawn * drawn + forward).squareRoot() - drawn) * .noise
    return SamplingPlan.Move(at: query, to: level, estimate: estimate, next: sum)
  }
}
