/// Denoising diffusion implicit models: fresh noise replaces a part of the noise in the sample.
///
///     x' = signal'·x̂0 + √(noise'² − deviation²)·ε̂ + deviation·z
///     deviation = eta·√(posterior variance)
///
/// The posterior's mean carries a part of the noise over, and noise'² is the square of that part
/// plus the posterior's variance; the root is taken of a sum, in which nothing cancels.
///
/// Source: [Song et al. 2021](https://arxiv.org/abs/2010.02502), equations 12 and 16.
public struct DDIM: EtaSampler {
  public var eta: Double

  /// Whether ε̂ is made from x̂0 after clipping, so that the two still add up to the sample (as
  /// guided-diffusion does), or from x̂0 before it (as diffusers does unless told
  /// `use_clipped_model_output`). Without clipping they are the same.
  public var rederivesEpsilon: Bool

  /// DDIM with `eta` in [0, 1].
  public init(eta: Double = 0, rederivesEpsilon: Bool = true) {
    (self.eta, self.rederivesEpsilon) = (eta, rederivesEpsilon)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    return grid.intervals.map { from, to in
      let posterior = Posterior(from: from.level, to: to.level).exact
      let (start, end, eta) = (from.level.exact, to.level.exact, DoubleDouble(eta))
      let carried = posterior.sampleCoefficient * start.noise
      let deviation = eta * posterior.variance.squareRoot()
      let kept = ((1 - eta) * (1 + eta) * end.noise * end.noise + eta * eta * carried * carried).squareRoot()
      let x0: LinearForm = rederivesEpsilon ? .estimate() : .predicted
      let epsilon = (LinearForm.sample - start.signal * x0) / start.noise
      let next = end.signal * LinearForm.estimate() + kept * epsilon + deviation * .noise
      return Move(at: from, to: to.level, estimate: .x0, next: next)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "ddim", title: "DDIM", sampler: DDIM(), order: 1, source: "https://arxiv.org/abs/2010.02502",
    use: "to compare with published work, to interpolate between noises, or for eta")
}
