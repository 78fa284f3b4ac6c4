extension DiscretizedGaussian.LogProbability {
  /// By guided-diffusion's approximation, with the edges' distances from the mean; an end bin has
  /// one edge alone.
  static func tanh(from lower: Double?, to upper: Double?, logDeviation: Double) -> Self {
    let scale = min(Math.exp(-logDeviation), .greatestFiniteMagnitude)
    let a = lower.map { Edge($0 * scale) } ?? Edge.below
    let b = upper.map { Edge($0 * scale) } ?? Edge.above
    let probability = b.cdf - a.cdf
    if probability < 1e-12 { return Self(value: Math.log(1e-12), meanGradient: 0, logDeviationGradient: 0) }
    return Self(
      value: Math.log(probability), meanGradient: scale * (a.density - b.density) / probability,
      logDeviationGradient: (a.moment - b.moment) / probability)
  }

  /// The approximate distribution at an edge.
  private struct Edge {
    var cdf: Double
    var density: Double
    /// The density times the position.
    var moment: Double

    static let below = Edge(cdf: 0, density: 0, moment: 0)
    static let above = Edge(cdf: 1, density: 0, moment: 0)

    init(cdf: Double, density: Double, moment: Double) { (self.cdf, self.density, self.moment) = (cdf, density, moment) }

    init(_ x: Double) {
      let factor = (2 / Double.pi).squareRoot()
      let tanh = Math.tanh(factor * (x + 0.044715 * (x * x * x)))
      let slope = (1 - tanh * tanh) / 2
      cdf = 0.5 * (1 + tanh)
      // Far out x² is infinite where the slope is 0.
      density = slope == 0 ? 0 : slope * factor * (1 + 3 * 0.044715 * (x * x))
      moment = slope == 0 ? 0 : density * x
    }
  }
}
