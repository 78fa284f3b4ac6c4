/// Ancestral sampling: draw x_s from q(x_s | x_t, x̂0) for each next point s of the grid.
///
///     x' = x0Coefficient·x̂0 + sampleCoefficient·x + deviation·z
///
/// with the coefficients of `Posterior`. The last step, to clean data, returns x̂0 and draws nothing.
///
/// Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 6 and 7, algorithm 2; between any two levels, Nichol and
/// Dhariwal 2021, https://arxiv.org/abs/2102.09672, equation 19.
public struct DDPM: Sampler {
  /// The variance of the reverse step; both are equally good for data of one kind (Ho et al. 2020, section 3.2).
  public enum Variance: String, Hashable, Codable, CaseIterable, Sendable {
    /// β̃_t, the posterior's: exact where the data are a point.
    case fixedSmall
    /// β_t, the forward step's: exact where the data are a unit Gaussian.
    case fixedLarge
  }

  /// The variance of the noise drawn.
  public var variance: Variance

  /// Ancestral sampling with the given variance.
  public init(variance: Variance = .fixedSmall) { self.variance = variance }

  public func moves(over grid: SamplingGrid) -> [Move] {
    grid.intervals.map { from, to in
      let posterior = Posterior(from: from.level, to: to.level)
      let mean =
        posterior.x0Coefficient * LinearForm.estimate() + posterior.sampleCoefficient * LinearForm.sample
      let drawn =
        switch variance {
        case .fixedSmall: posterior.variance
        case .fixedLarge: to.level.noise > 0 ? posterior.forwardVariance : 0
        }
      return Move(at: from, to: to.level, estimate: .x0, next: mean + drawn.squareRoot() * .noise)
    }
  }
}
