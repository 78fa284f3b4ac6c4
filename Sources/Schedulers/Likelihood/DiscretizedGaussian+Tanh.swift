extension DiscretizedGaussian.LogProbability {
  /// As guided-diffusion has it, from the edges' distances to the mean; an end bin has one edge.
  static func tanh(from lower: Double?, to upper: Double?, logDeviation: Double) -> Self {
    let scale = min(Math.exp(-logDeviation), .greatestFiniteMagnitude)
    let a = lower.map { edge($0 * scale) } ?? (cdf: 0, density: 0, moment: 0)
    let b = upper.map { edge($0 * scale) } ?? (cdf: 1, density: 0, moment: 0)
    let probability = b.cdf - a.cdf
    if probability < 1e-12 { return Self(value: Math.log(1e-12), meanGradient: 0, logDeviationGradient: 0) }
    return Self(
      value: Math.log(probability), meanGradient: scale * (a.density - b.density) / probability,
      logDeviationGradient: (a.moment - b.moment) / probability)
  }

  /// The approximate distribution at an edge; the moment is the density times the position.
  private static func edge(_ x: Double) -> (cdf: Double, density: Double, moment: Double) {
    let factor = (2 / Double.pi).squareRoot()
    let tanh = Math.tanh(factor * (x + 0.044715 * (x * x * x)))
    let slope = (1 - tanh * tanh) / 2
    // Far out x² is infinite where the slope is 0.
    let density = slope == 0 ? 0 : slope * factor * (1 + 3 * 0.044715 * (x * x))
    return (0.5 * (1 + tanh), density, slope == 0 ? 0 : density * x)
  }
}
