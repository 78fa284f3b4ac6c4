/// Ancestral sampling: draw x_s from p(x_s | x_t) for each next point s of the grid.
///
///     x' = x0Coefficient·x̂0 + sampleCoefficient·x + deviation·z
///
/// with the coefficients of `Posterior`. The last step, to clean data, is x̂0.
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equations 6 and 7, algorithm 2;
/// between any two levels, and for learned variance, [Nichol and Dhariwal
/// 2021](https://arxiv.org/abs/2102.09672), equations 15 and 19.
public struct DDPM: Sampler {
  /// The variance of the noise drawn.
  public var variance: Variance

  public init(variance: Variance = .fixedSmall) { self.variance = variance }

  public func moves(over grid: SamplingGrid) -> [Move] {
    let intervals = grid.intervals
    let posteriors = intervals.map { Posterior(from: $0.level, to: $1.level).exact }
    return intervals.indices.map { i in
      let (from, to) = intervals[i]
      let posterior = posteriors[i]
      let mean = posterior.x0Coefficient * LinearForm.estimate() + posterior.sampleCoefficient * LinearForm.sample
      let deviation =
        switch variance {
        case _ where to.level.noise == 0: DoubleDouble(0)
        case .fixedSmall: posterior.variance.squareRoot()
        case .fixedLarge: posterior.forwardVariance.squareRoot()
        case .learned, .learnedRange: DoubleDouble(1)
        }
      return Move(
        at: from, to: to.level, estimate: .x0, next: mean + deviation * .noise,
        variance: stepVariance(of: posterior, before: i > 0 ? posteriors[i - 1] : nil, isLast: to.level.noise == 0))
    }
  }

  /// The variance of a step. In the step to clean data, where β̃ is 0 and nothing is drawn,
  /// `.fixedSmall` has none; what else needs β̃ takes that of the step before it, as
  /// guided-diffusion does, and has none if there is no such step.
  private func stepVariance(of posterior: Posterior.Exact, before: Posterior.Exact?, isLast: Bool) -> StepVariance? {
    if isLast, variance == .fixedSmall { return nil }
    guard let small = isLast ? before?.variance : posterior.variance else {
      return variance == .learned ? .learned(LogVariance(offset: 0, slope: 1)) : nil
    }
    let large = isLast && variance == .fixedLarge ? small : posterior.forwardVariance
    return variance.stepVariance(small: small.log().rounded, large: large.log().rounded)
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "ddpm", title: "DDPM, fixed small variance", sampler: DDPM(), order: 1,
      source: "https://arxiv.org/abs/2006.11239",
      use: "with hundreds of steps, to sample from the model as Ho et al. defined it"),
    .init(
      name: "ddpm-large", title: "DDPM, fixed large variance", sampler: DDPM(variance: .fixedLarge), order: 1,
      source: "https://arxiv.org/abs/2006.11239", use: "the same, with all T steps only"),
  ]
}
