/// DDIM run backwards: from data to the noise that DDIM with eta 0 would turn into them.
///
///     x' = signal'·x̂0 + noise'·ε̂
///
/// from each point of the grid to the noisier one before it.
///
/// At zero noise a network has nothing to say, so the first evaluation asks it about the least
/// noisy point of the grid, as if the data were a sample there. Inversion is exact as the steps
/// become small, not for a given number of them.
///
/// Source: [Song et al. 2021](https://arxiv.org/abs/2010.02502), section 4.3; [Dhariwal and Nichol
/// 2021](https://arxiv.org/abs/2105.05233), appendix F.
public struct DDIMInversion: Sampler {
  public init() {}

  public func start(of grid: SamplingGrid) -> NoiseLevel { grid.points[grid.steps].level }

  public func moves(over grid: SamplingGrid) -> [Move] {
    grid.intervals.reversed().map { to, from in
      let query = from.level.noise > 0 ? from : to
      let (asked, end) = (query.level.exact, to.level.exact)
      let epsilon = (LinearForm.sample - asked.signal * .estimate()) / asked.noise
      // From clean data the sample itself is x0; from elsewhere the network says what it is.
      let x0: LinearForm = from.level.noise > 0 ? .estimate() : .sample
      return Move(at: query, to: to.level, estimate: .x0, next: end.signal * x0 + end.noise * epsilon)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "ddim-inversion", title: "DDIM inversion", sampler: DDIMInversion(), order: 1,
    source: "https://arxiv.org/abs/2010.02502", use: "to find the noise of a given picture")
}
